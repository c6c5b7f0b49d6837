"""The facts inside an exported model, as JSON. Reading them needs no TensorFlow.

A .tflite file has the facts in an entry of its flatbuffer's metadata, which any reader of flatbuffers finds by name. A
SavedModel has the facts in a file with the same name.

The TFLite Metadata schema is not used. It has no field for figures, training data or a version of the format, and its
library does not support current Python versions.
"""

import contextlib
import json
import os
import pathlib
from collections.abc import Iterator

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tf_layered_gan.files.records import write_record

from ..tflite.flatbuffer import parse, serialize

ENTRY = "tf_layered_gan.json"
FORMAT_VERSION = 1  # of the file's signatures and of the fields in this entry
_IN_SAVEDMODEL = pathlib.Path("assets.extra", ENTRY)  # TensorFlow reserves this folder for other programs


def add_metadata(content: bytes, facts: dict) -> bytes:
    """Adds facts to a .tflite model.

    Args:
        content: bytes of a .tflite model without this entry.
        facts: a dict that JSON can hold. "format_version" is added.

    Returns:
        bytes of the .tflite model with the entry.
    """
    model = parse(content)
    text = json.dumps({"format_version": FORMAT_VERSION} | facts, ensure_ascii=False)
    model.metadata = [*(model.metadata or []), schema.MetadataT(name=ENTRY, buffer=len(model.buffers))]
    model.buffers.append(schema.BufferT(data=np.frombuffer(text.encode(), np.uint8)))
    return serialize(model)


def write_savedmodel_metadata(savedmodel: pathlib.Path, facts: dict) -> None:
    """Adds facts to a SavedModel that has none, see `add_metadata`."""
    (savedmodel / _IN_SAVEDMODEL).parent.mkdir()
    write_record(savedmodel / _IN_SAVEDMODEL, {"format_version": FORMAT_VERSION} | facts)


def read_metadata(path: str | os.PathLike) -> dict:
    """Reads the facts in an exported .tflite file or SavedModel.

    Returns:
        The facts and "format_version".

    Raises:
        OSError: there is no such file.
        ValueError: it is not a .tflite file or SavedModel, it is damaged, or it has no entry with facts.
    """
    path = pathlib.Path(path)
    facts = _read_savedmodel(path) if path.is_dir() else _read_tflite(path)
    if facts is None:
        raise ValueError(f"{path} has no metadata {ENTRY}: export.main did not write it")
    return facts


def _read_savedmodel(path: pathlib.Path) -> dict | None:
    file = path / _IN_SAVEDMODEL
    with _damage_as_value_error(file):
        return json.loads(file.read_bytes()) if file.exists() else None


def _read_tflite(path: pathlib.Path) -> dict | None:
    content = path.read_bytes()
    if not schema.Model.ModelBufferHasIdentifier(content, 0):
        raise ValueError(f"{path} is not a .tflite file")
    with _damage_as_value_error(path):
        text = _find_entry(schema.Model.GetRootAs(content))
        return None if text is None else json.loads(text)


@contextlib.contextmanager
def _damage_as_value_error(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # wrong offsets in a flatbuffer make struct and numpy raise almost anything
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from error


def _find_entry(model: schema.Model) -> bytes | None:
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Name() == ENTRY.encode():
            return model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
    return None
