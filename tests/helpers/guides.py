"""Functions that read the code in the guides, and that write a model with the two signatures that this code uses."""

import re

import numpy as np
from edge_command import bright_network
from tiny import ROOT

from export.tflite.convert import to_tflite_float32, to_tflite_int8
from export.tflite.signatures import add_signatures

RESOLUTION = 8


def code(page, language):
    """Returns the code block in the given language from a page of docs/. The page must have exactly one such block."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / "docs" / page).read_text(), re.S | re.M)
    return block


def write_model(path, *, integer, fit="pad"):
    """Writes a .tflite file with the signatures of an export.

    Its model marks pixels that are bright in all three channels.
    """
    network = bright_network(RESOLUTION)
    photos = np.random.default_rng(0).integers(0, 256, (4, RESOLUTION, RESOLUTION, 3), np.uint8)
    content = to_tflite_int8(network, photos) if integer else to_tflite_float32(network)
    path.write_bytes(add_signatures(content, fit))
