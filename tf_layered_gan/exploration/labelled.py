"""Sheets of images with a label before each row, and functions that make the uint8 images for them."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tf_layered_gan.evaluation.image_grid import SEPARATOR, Tile, enlargement, grid

# The margin and the text size are in pixels. The third number is the greatest number of letters in a line of a label.
_MARGIN, _TEXT_SIZE, _LETTERS = 110, 13, 14


def sheet(rows: Mapping[str, Sequence[Tile]], columns: Sequence[str]) -> np.ndarray:
    """Shows rows of tiles with a label before each row and a heading over each column.

    Args:
        rows: dict from a row's label to its tiles, see `image_grid.grid`. Tiles are enlarged to 128 pixels or more.
        columns: the heading of each column.

    Returns:
        uint8 [height, width, rgb].
    """
    first = next(iter(rows.values()))[0]
    tile = np.asarray(first[0] if isinstance(first, tuple) else first)
    scale = enlargement(tile[None])
    body = grid(list(rows.values()), scale=scale, headings=list(columns))
    height = scale * tile.shape[0] + SEPARATOR
    top = body.shape[0] - len(rows) * height + SEPARATOR
    margin = Image.new("RGB", (_MARGIN, body.shape[0]), "white")
    draw, font = ImageDraw.Draw(margin), ImageFont.load_default(_TEXT_SIZE)
    for i, label in enumerate(rows):
        place = (_MARGIN // 2, top + i * height + height // 2)
        draw.multiline_text(place, textwrap.fill(label, _LETTERS), "black", font, anchor="mm", align="center")
    return np.concatenate([np.asarray(margin), body], axis=1)


def to_pixels(images: np.ndarray) -> np.ndarray:
    """Returns images, float32 [..., rgb] in [-1, 1], as uint8 [..., rgb]."""
    return np.clip(np.rint((images + 1) * 127.5), 0, 255).astype(np.uint8)


def blend(image: np.ndarray, mask: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Puts the object of an image on another background.

    Args:
        image, background: uint8 [height, width, rgb].
        mask: float32 [height, width] in [0, 1].

    Returns:
        uint8 [height, width, rgb].
    """
    return np.rint(mask[..., None] * image + (1 - mask[..., None]) * background).astype(np.uint8)
