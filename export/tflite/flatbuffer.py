"""TFLite files as objects that can be changed: parsing and writing, without TensorFlow."""

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

_ALIGNMENT = 16  # bytes, which the schema demands of buffers and the generated Python code does not know
_IDENTIFIER = b"TFL3"


class _Builder(flatbuffers.Builder):
    def CreateNumpyVector(self, x):  # noqa: N802, the library's name
        if x.dtype == "uint8":
            self.Prep(_ALIGNMENT, x.nbytes)
        return super().CreateNumpyVector(x)


def parse(content):
    """Returns the `schema.ModelT` that the bytes of a .tflite file hold."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))


def serialize(model):
    """Returns the bytes of a .tflite file that holds a `schema.ModelT`."""
    builder = _Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())
