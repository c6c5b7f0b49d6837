"""A record of how predicted masks were made.

The record is a JSON file in the folder of the masks. It is not read as a mask.
"""

import hashlib
import json
import os
import pathlib
from collections.abc import Sequence

from ml_collections import ConfigDict

from tf_layered_gan.files.records import read_record, write_record

NAME = "predicted_by.json"


def make(model: str | os.PathLike, flags: dict, data: ConfigDict) -> dict:
    """Describes how masks are made.

    Args:
        model: path of a .tflite file or a SavedModel.
        flags: dict of the flags that describe the model's input and output, see `any_segmenter.load_segmenter`.
        data: the section `data` of the config.

    Returns:
        dict that JSON can hold. "model" is a dict with "name" and "sha256". "flags" is the dict of the flags. "data" is
        a dict with the "source", "path" and "holdout" of the photos. The SHA-256 of a SavedModel is the SHA-256 of the
        output of `find . -type f | LC_ALL=C sort | xargs sha256sum` in its folder.
    """
    path = pathlib.Path(model).resolve()
    record = {"model": {"name": path.name, "sha256": _sha256(path)}, "flags": flags}
    return json.loads(json.dumps(record | {"data": {name: data[name] for name in ("source", "path", "holdout")}}))


def check(folder: str | os.PathLike, record: dict) -> None:
    """Refuses to mix masks of two models, of two settings of a model, or of two datasets.

    Args:
        folder: directory of the masks. If it has no record, its masks are accepted.
        record: see `make`.

    Raises:
        ValueError: the masks in the directory were made with another model, other flags or another dataset, or their
            record is damaged.
    """
    file = pathlib.Path(folder, NAME)
    if not file.exists():
        return
    old, new = map(_identity, (read_record(file), record))
    differences = [f"{name} {old[name]} instead of {new[name]}" for name in new if new[name] != old[name]]
    if differences:
        raise ValueError(
            f"the masks in {folder} were made with {'; '.join(differences)}: use the values in {file}, or a new "
            "directory"
        )


def write(folder: str | os.PathLike, record: dict) -> None:
    """Writes the record to the directory of the masks. Creates the directory if it is missing."""
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    write_record(pathlib.Path(folder, NAME), record)


def _identity(record: dict) -> dict:
    places = {"model": ("model", "sha256"), "flags": ("flags",), "data.source": ("data", "source")}
    return {name: _get(record, keys) for name, keys in places.items()}


def _get(record: object, keys: Sequence[str]) -> object:
    for key in keys:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def _sha256(path: pathlib.Path) -> str:
    if path.is_dir():
        files = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
        return hashlib.sha256("".join(f"{_sha256(path / name)}  ./{name}\n" for name in files).encode()).hexdigest()
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
