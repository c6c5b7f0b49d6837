import pytest
from edge_command import bright_network

from export.tflite.convert import to_tflite_float32


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A .tflite file whose foreground is all bright pixels."""
    path = tmp_path_factory.mktemp("model") / "bright.tflite"
    path.write_bytes(to_tflite_float32(bright_network()))
    return path
