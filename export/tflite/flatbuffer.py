"""Conversion of .tflite files to objects that can be changed, and back. This module does not need TensorFlow."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

# In bytes. The schema requires this alignment of buffers, but the generated Python code ignores it.
_ALIGNMENT = 16
_IDENTIFIER = b"TFL3"


class _Builder(flatbuffers.Builder):
    def CreateNumpyVector(self, x: np.ndarray) -> int:  # noqa: N802, the library's name
        if x.dtype == "uint8":
            self.Prep(_ALIGNMENT, x.nbytes)
        return super().CreateNumpyVector(x)


def parse(content: bytes) -> schema.ModelT:
    """Parses the bytes of a .tflite file."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))


def serialize(model: schema.ModelT) -> bytes:
    """Returns a model as the bytes of a .tflite file."""
    builder = _Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())
