"""What made a folder of predicted masks: a small JSON file among them, which no reader of masks takes for one."""

import hashlib
import json
import pathlib

from tf_layered_gan.files.records import read_record, write_record

NAME = "predicted_by.json"


def make(model, flags, data):
    """Describes how masks are made.

    Args:
        model: path of a file, or of a SavedModel's folder.
        flags: dict of what the model takes and gives, see `any_segmenter.load_segmenter`.
        data: `data` of the config.

    Returns:
        dict, as JSON gives it back: "model", its "name" and "sha256" (of a folder that of the list of its files, as
        `find . -type f | LC_ALL=C sort | xargs sha256sum` prints it there); "flags"; and "data", where the photos are
        from: "source", "path" and "holdout".
    """
    model = pathlib.Path(model).resolve()
    record = {"model": {"name": model.name, "sha256": _sha256(model)}, "flags": flags}
    return json.loads(json.dumps(record | {"data": {name: data[name] for name in ("source", "path", "holdout")}}))


def check(folder, record):
    """Refuses to mix masks of two models, of one by two settings, or of two datasets.

    Args:
        folder: of the masks, which may have no record yet; of masks that lie there without one nothing is known.
        record: what `make` returns.

    Raises:
        ValueError: if the masks there were made by another model, with other flags or from another dataset, or if
            their record is damaged.
    """
    file = pathlib.Path(folder, NAME)
    if not file.exists():
        return
    theirs, ours = map(_what_counts, (read_record(file), record))
    differs = [f"{name} {theirs[name]}, now {ours[name]}" for name in ours if ours[name] != theirs[name]]
    if differs:
        raise ValueError(f"{folder} has masks by {'; '.join(differs)}, allowed: the same (see {file}), or a new folder")


def write(folder, record):
    """Writes what `make` returns among the masks; the folder is made where missing."""
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    write_record(pathlib.Path(folder, NAME), record)


def _what_counts(record):
    places = {"model": ("model", "sha256"), "flags": ("flags",), "data.source": ("data", "source")}
    return {name: _get(record, keys) for name, keys in places.items()}


def _get(record, keys):
    for key in keys:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def _sha256(path):
    if path.is_dir():
        files = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
        return hashlib.sha256("".join(f"{_sha256(path / name)}  ./{name}\n" for name in files).encode()).hexdigest()
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
