"""The metadata inside an exported model: facts as JSON. The facts can be read without TensorFlow.

In a .tflite file, the facts are an entry in the metadata of the flatbuffer. Any reader of flatbuffers can find the
entry by its name. A SavedModel has the facts in a file that has the name of this entry.

The TFLite Metadata schema is not used. That schema has no field for metrics, for training data or for a version of the
format. Its library does not support current Python versions.
"""

import json
import os
import pathlib

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge_segmenter.facts import ENTRY, read_facts, training_fit
from edge_segmenter.fit import fit_for_whole_photos
from tf_layered_gan.files.records import write_record

from ..tflite.flatbuffer import parse, serialize

FORMAT_VERSION = 1  # one version for the signatures of the file and for the fields in the metadata
_IN_SAVEDMODEL = pathlib.Path("assets.extra", ENTRY)  # TensorFlow reserves this folder for other programs


def add_metadata(content: bytes, facts: dict) -> bytes:
    """Adds facts to a .tflite model.

    Args:
        content: bytes of a .tflite model that has no facts yet.
        facts: a dict that JSON can hold. "format_version" is added.

    Returns:
        bytes of the .tflite model with the facts.
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
        ValueError: the file has no entry with facts. The errors of `find_metadata` are also raised.
    """
    facts = find_metadata(path)
    if facts is None:
        raise ValueError(f"{path} has no metadata {ENTRY}, so export.main did not write this file")
    return facts


def find_metadata(path: str | os.PathLike) -> dict | None:
    """Reads the facts in any .tflite file or SavedModel.

    Returns:
        The facts and "format_version", or None if the file has no entry with facts.

    Raises:
        OSError: there is no such file.
        ValueError: the file is not a .tflite file or SavedModel, or it is damaged.
    """
    path = pathlib.Path(path)
    return _read_savedmodel(path) if path.is_dir() else read_facts(path)


def fit_of_segmenter(path: str | os.PathLike) -> str:
    """Returns how photos of any size are fitted into a segmenter's square.

    Args:
        path: of a .tflite file or SavedModel.

    Returns:
        "squeeze" if the file states that the segmenter learned from squeezed photos, otherwise "pad", see
        `edge_segmenter.fit`.

    Raises:
        ValueError: the file is not a model, it is damaged, or it names an unknown fit.
    """
    return fit_for_whole_photos(training_fit(find_metadata(path)))


def _read_savedmodel(path: pathlib.Path) -> dict | None:
    file = path / _IN_SAVEDMODEL
    try:
        return json.loads(file.read_bytes()) if file.exists() else None
    except Exception as error:
        raise ValueError(f"{file} is damaged: {type(error).__name__}: {error}") from error
