"""What a .tflite file says of itself: JSON in an entry of its flatbuffer's metadata, readable without TensorFlow.

Not the TFLite Metadata schema: it has no field for figures, training data or the version of a format, and its library
is not made for today's Python any more. Any reader of flatbuffers finds the entry by its name.
"""

import json
import pathlib

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from export.flatbuffer import parse, serialize

ENTRY = "tf_layered_gan.json"
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


def read(path):
    """Reads the facts of a .tflite file.

    Args:
        path: the file.

    Returns:
        dict, see `embed`.

    Raises:
        OSError: there is no such file.
        ValueError: it is no .tflite file, is damaged, or has no such entry.
    """
    content = pathlib.Path(path).read_bytes()
    if not schema.Model.ModelBufferHasIdentifier(content, 0):
        raise ValueError(f"{path} is no .tflite file")
    try:
        text = _entry(schema.Model.GetRootAs(content))
        facts = None if text is None else json.loads(text)
    except Exception as error:  # of a damaged flatbuffer's offsets, struct and numpy raise almost anything
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from error
    if facts is None:
        raise ValueError(f"{path} has no metadata entry {ENTRY}: export.main writes it")
    return facts


def _entry(model):
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Name() == ENTRY.encode():
            return model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
    return None
