"""What an exported model says of itself, in JSON, readable without TensorFlow.

A .tflite file has it in an entry of its flatbuffer's metadata, a SavedModel in a file of that entry's name.

Not the TFLite Metadata schema: it has no field for figures, training data or the version of a format, and its library
is not made for today's Python any more. Any reader of flatbuffers finds the entry by its name.
"""

import contextlib
import json
import pathlib

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tf_layered_gan.files.records import write_record

from ..tflite.flatbuffer import parse, serialize

ENTRY = "tf_layered_gan.json"
_IN_SAVEDMODEL = pathlib.Path("assets.extra", ENTRY)  # where TensorFlow leaves room for what is not its own
FORMAT_VERSION = 1  # of the file: its signatures and the fields of this entry


def embed(content, facts):
    """Writes facts into a .tflite file.

    Args:
        content: bytes of the file, without such an entry.
        facts: dict that JSON can hold; "format_version" is added.

    Returns:
        bytes of the file with the entry.
    """
    model = parse(content)
    text = json.dumps({"format_version": FORMAT_VERSION} | facts, ensure_ascii=False)
    model.metadata = [*(model.metadata or []), schema.MetadataT(name=ENTRY, buffer=len(model.buffers))]
    model.buffers.append(schema.BufferT(data=np.frombuffer(text.encode(), np.uint8)))
    return serialize(model)


def write_beside(savedmodel, facts):
    """Writes facts into a SavedModel's folder.

    Args:
        savedmodel: pathlib.Path, the folder, without such a file.
        facts: see `embed`.
    """
    (savedmodel / _IN_SAVEDMODEL).parent.mkdir()
    write_record(savedmodel / _IN_SAVEDMODEL, {"format_version": FORMAT_VERSION} | facts)


def read(path):
    """Reads the facts of an exported model.

    Args:
        path: a .tflite file, or a SavedModel's folder.

    Returns:
        dict, see `embed`.

    Raises:
        OSError: there is no such file.
        ValueError: it is neither, is damaged, or has no such entry.
    """
    path = pathlib.Path(path)
    facts = _of_savedmodel(path) if path.is_dir() else _of_tflite(path)
    if facts is None:
        raise ValueError(f"{path} has no metadata {ENTRY}: export.main writes it into .tflite files and SavedModels")
    return facts


def _of_savedmodel(path):
    file = path / _IN_SAVEDMODEL
    with _naming_damage(file):
        return json.loads(file.read_bytes()) if file.exists() else None


def _of_tflite(path):
    content = path.read_bytes()
    if not schema.Model.ModelBufferHasIdentifier(content, 0):
        raise ValueError(f"{path} is no .tflite file")
    with _naming_damage(path):
        text = _entry(schema.Model.GetRootAs(content))
        return None if text is None else json.loads(text)


@contextlib.contextmanager
def _naming_damage(path):
    try:
        yield
    except Exception as error:  # of a damaged flatbuffer's offsets, struct and numpy raise almost anything
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from error


def _entry(model):
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Name() == ENTRY.encode():
            return model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
    return None
