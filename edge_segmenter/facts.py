"""Reading of the facts about a model, which the export stores as JSON in the metadata of the .tflite file."""

import json
import os
import pathlib

ENTRY = "tf_layered_gan.json"


def read_facts(path: str | os.PathLike) -> dict | None:
    """Returns the facts in a .tflite file, or None if the file has no entry with facts.

    Raises:
        OSError: there is no such file.
        ValueError: the file is not a .tflite file, or it is damaged.
    """
    from ai_edge_litert import schema_py_generated as schema  # imported here, because training runs without LiteRT

    content = pathlib.Path(path).read_bytes()
    if not schema.Model.ModelBufferHasIdentifier(content, 0):
        raise ValueError(f"{path} is not a .tflite file")
    try:
        model = schema.Model.GetRootAs(content)
        for entry in map(model.Metadata, range(model.MetadataLength())):
            if entry.Name() == ENTRY.encode():
                return json.loads(model.Buffers(entry.Buffer()).DataAsNumpy().tobytes())
    except Exception as error:  # for a damaged flatbuffer, struct and NumPy raise many kinds of errors
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from error
    return None


def training_fit(facts: dict | None) -> str | None:
    """Returns how photos were fitted into squares in training, see `fit`, or None if the facts do not state it."""
    return (facts or {}).get("training", {}).get("fit")
