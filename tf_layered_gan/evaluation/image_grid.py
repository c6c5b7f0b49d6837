"""Grids of images and masks, for TensorBoard and for PNG files."""

import os
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edge_segmenter.files import atomic
from tf_layered_gan.data.photos import FOREGROUND, UNLABELLED
from tf_layered_gan.evaluation.overlay import mask_over_image

SEPARATOR = 2  # pixels between neighbouring tiles
_SEPARATOR_COLOUR = (255, 170, 0)  # a colour that does not appear in masks or behind cut-outs
_CHECKS = (255, 204)
_LEAST_WIDTH = 128  # least width of an enlarged tile, in pixels
_TEXT_SIZE, _LINE_HEIGHT, _LETTER_WIDTH = 13, 16, 7.5  # pixels

Tile = np.ndarray | tuple[np.ndarray, np.ndarray]
Column = np.ndarray | list[Tile]


def layer_grid(
    background: np.ndarray,
    foreground: np.ndarray,
    mask: np.ndarray,
    composed: np.ndarray,
    real: np.ndarray,
    real_mask: np.ndarray,
) -> np.ndarray:
    """Shows synthetic layers and the segmenter's masks of photos. The grid has headings and one sample per row.

    The columns are: background, object (grey where the mask is 0), mask, composed image, photo, and the photo with its
    predicted mask. Images are enlarged to 128 pixels or more.

    Args:
        background, foreground, composed: float32 [sample, height, width, rgb] in [-1, 1].
        mask: float32 [sample, height, width, 1] in [0, 1].
        real: photos with the shape of `composed`, float32 in [-1, 1] or uint8.
        real_mask: predicted masks of `real`, with the shape and the range of `mask`. The last axis may be missing.

    Returns:
        uint8 [grid height, grid width, rgb].

    Raises:
        ValueError: if the numbers of samples differ; see also `grid`.
    """
    columns = _layers(background, foreground, mask, composed)
    columns |= {"photo": real, "segmenter's mask": _over(real, real_mask)}
    return _sheet(columns)


def synthetic_grid(
    background: np.ndarray, foreground: np.ndarray, mask: np.ndarray, composed: np.ndarray
) -> np.ndarray:
    """Shows synthetic layers without photos. The columns are the first four columns of `layer_grid`."""
    return _sheet(_layers(background, foreground, mask, composed))


def segmentation_sheet(images: np.ndarray, truth: np.ndarray, predictions: dict[str, np.ndarray]) -> np.ndarray:
    """Shows masks over photos. The sheet has headings and one photo per row.

    The columns are: the photo; the photo with its true mask; the photo with the first prediction; the object cut
    out with the first prediction, on a checkerboard; and then the photo with each of the remaining predictions. Images
    are enlarged to 128 pixels or more.

    Args:
        images: uint8 [image, height, width, rgb].
        truth: uint8 [image, height, width]: 0 background, 1 foreground, 255 unlabelled.
        predictions: dict from the name of a method to its masks, [image, height, width], bool or float in [0, 1]. The
            dict has at least one method. The first method is the run's segmenter.

    Returns:
        uint8 [sheet height, sheet width, rgb].

    Raises:
        ValueError: if the numbers of images differ; see also `grid`.
    """
    (name, ours), *others = predictions.items()
    columns: dict[str, Column] = {
        "photo": images,
        "true mask": _over(images, truth),
        name: _over(images, ours),
        "cut-out": cut_out(images, ours),
    }
    columns |= {other.replace("_", " "): _over(images, masks) for other, masks in others}
    return _sheet(columns)


def save_png(array: np.ndarray, path: str | os.PathLike) -> None:
    """Writes an image to a PNG file atomically. Creates missing folders.

    The image is uint8 [height, width, rgb] or [height, width].
    """
    atomic.save_png(Image.fromarray(array), path)


def grid(rows: Sequence[Sequence[Tile]], *, scale: int = 1, headings: Sequence[str] = ()) -> np.ndarray:
    """Arranges tiles in rows. Neighbouring tiles are 2 pixels apart, and the grid has no outer margin.

    Args:
        rows: rows of tiles, with the same number of tiles in each row. All tiles have the same height and width. A tile
            is an image, a mask, or a pair (image, mask), see `mask_over_image`. An image is uint8 [height, width, rgb]
            in [0, 255] or float [height, width, rgb] in [-1, 1]. A mask is [height, width] or [height, width, 1] and is
            shown in grey. The values of a mask are bool, float in [0, 1], or uint8 labels: 0 background, 1 foreground,
            255 unlabelled. Label 255 is shown in middle grey.
        scale: each pixel of a tile becomes scale x scale pixels.
        headings: the texts above the columns. If the list is empty, there are no headings.

    Returns:
        uint8 [grid height, grid width, rgb].

    Raises:
        ValueError: if there is no tile, if rows or headings differ in length, if the tiles differ in size, or if a tile
            has a type or shape that is not allowed.
    """
    tiles = [[_enlarged(tile, scale) for tile in row] for row in rows]
    lengths = [len(row) for row in tiles]
    if not tiles or not tiles[0] or len({*lengths, len(headings) or lengths[0]}) > 1:
        raise ValueError(
            "rows and headings must have the same length, and rows must not be empty, got rows of the lengths "
            f"{lengths} and {len(headings)} headings"
        )
    sizes = {tile.shape for row in tiles for tile in row}
    if len(sizes) > 1:
        raise ValueError(f"all tiles must have the same size, got {sorted(size[:2] for size in sizes)}")
    image = _join([_join(row, axis=1) for row in tiles], axis=0)
    return np.concatenate([_heading_row(headings, tiles[0][0].shape[1]), image]) if headings else image


def enlargement(images: np.ndarray) -> int:
    """Returns the smallest whole factor that makes images, [image, height, width, ...], 128 pixels wide or wider."""
    return -(-_LEAST_WIDTH // images.shape[2])


def cut_out(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Cuts objects out of photos and puts them on a checkerboard.

    Args:
        images: uint8 [image, height, width, rgb].
        masks: [image, height, width], bool or float in [0, 1].

    Returns:
        uint8 [image, height, width, rgb].
    """
    y, x = np.indices(images.shape[1:3]) * 16 // images.shape[2]
    checks = np.where((x + y) % 2, *_CHECKS)[..., None]
    alpha = np.asarray(masks)[..., None].astype(np.float32)
    return _round(alpha * images + (1 - alpha) * checks)


def _sheet(columns: Mapping[str, Column]) -> np.ndarray:
    """Enlarges the tiles of each column, and shows them under the heading of the column."""
    lengths = [len(column) for column in columns.values()]
    if len(set(lengths)) > 1:
        raise ValueError(f"every column must have one tile for each sample, got {lengths}")
    rows = list(zip(*columns.values(), strict=True))
    scale = enlargement(np.asarray(next(iter(columns.values()))))
    return grid(rows, scale=scale, headings=list(columns))


def _layers(
    background: np.ndarray, foreground: np.ndarray, mask: np.ndarray, composed: np.ndarray
) -> dict[str, Column]:
    faded = np.asarray(foreground) * np.asarray(mask)  # in these layers, the value 0 is middle grey
    return {"background": background, "object": faded, "mask": mask, "composed image": composed}


def _over(images: np.ndarray, masks: np.ndarray) -> list[Tile]:
    if len(images) != len(masks):
        raise ValueError(f"every photo must have one mask, got {len(images)} photos and {len(masks)} masks")
    return list(zip(images, masks, strict=True))


def _enlarged(tile: Tile, scale: int) -> np.ndarray:
    if isinstance(tile, tuple):
        return mask_over_image(_to_pixels(tile[0]), _mask_values(np.asarray(tile[1])), scale)
    return _to_pixels(tile).repeat(scale, 0).repeat(scale, 1)


def _to_pixels(tile: np.ndarray) -> np.ndarray:
    tile = np.asarray(tile)
    is_image = tile.ndim == 3 and tile.shape[2] == 3
    if is_image and tile.dtype == np.uint8:
        return tile
    if is_image and tile.dtype.kind == "f":
        return _round((tile + 1) * 127.5)
    return _round(_mask_values(tile)[..., None] * np.full(3, 255.0))


def _mask_values(tile: np.ndarray) -> np.ndarray:
    """Converts a mask of any allowed type to values in [0, 1], [height, width]."""
    mask = tile[..., 0] if tile.shape[2:] == (1,) else tile
    if mask.ndim != 2 or not (mask.dtype == np.uint8 or mask.dtype.kind in "fb"):
        raise ValueError(f"a tile must be an image or a mask, got {tile.dtype} {tile.shape}")
    if mask.dtype == np.uint8:
        return np.where(mask == UNLABELLED, 0.5, mask == FOREGROUND)
    return np.nan_to_num(mask.astype(np.float32))


def _heading_row(headings: Sequence[str], width: int) -> np.ndarray:
    """Draws the headings of equally wide columns in black on white. Returns uint8 [height, grid width, rgb]."""
    lines = [textwrap.wrap(heading, max(1, int(width / _LETTER_WIDTH))) for heading in headings]
    size = (len(headings) * (width + SEPARATOR) - SEPARATOR, _LINE_HEIGHT * max(map(len, lines)) + SEPARATOR)
    image = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(_TEXT_SIZE)
    for column, words in enumerate(lines):
        place = (column * (width + SEPARATOR) + width // 2, 0)
        draw.multiline_text(place, "\n".join(words), "black", font, anchor="ma", align="center", spacing=2)
    return np.asarray(image)


def _round(values: np.ndarray) -> np.ndarray:
    # In training, a grid may hold non-finite values, because the grid is written before such values are reported.
    values = np.nan_to_num(values)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _join(parts: Sequence[np.ndarray], axis: int) -> np.ndarray:
    shape = list(parts[0].shape)
    shape[axis] = SEPARATOR
    separator = np.broadcast_to(np.array(_SEPARATOR_COLOUR, np.uint8), shape)
    return np.concatenate([parts[0], *(part for rest in parts[1:] for part in (separator, rest))], axis)
