"""Images for the tests of the edge command, and the results that it wrote."""

from edge_command import files
from PIL import Image


def half_white(width=40, height=20, mode="RGB"):
    """An image whose left half is black and whose right half is white."""
    image = Image.new("RGB", (width, height))
    image.paste((255, 255, 255), (width // 2, 0, width, height))
    return image.convert(mode)


def results(output, kind="masks"):
    """Returns the relative paths of the results of one kind."""
    return files(output / kind)
