"""Grids of images and masks, for TensorBoard and for PNG files."""

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from edge_segmenter.files import atomic
from tf_layered_gan.data.photos import FOREGROUND, UNLABELLED

SEPARATOR = 2  # pixels between neighbours
_SEPARATOR_COLOUR = (255, 170, 0)  # unlike the black and white of masks and the grey behind cut-outs
_CHECKS = (255, 204)


def layer_grid(
    background: np.ndarray,
    foreground: np.ndarray,
    mask: np.ndarray,
    composed: np.ndarray,
    real: np.ndarray,
    real_mask: np.ndarray,
) -> np.ndarray:
    """Shows synthetic layers, and the segmenter's masks of photos, one sample per row.

    The columns are: background, foreground (grey where the mask is 0), mask, composed image, photo, and the photo's
    predicted mask.

    Args:
        background, foreground, composed: float32 [sample, height, width, rgb] in [-1, 1].
        mask: float32 [sample, height, width, 1] in [0, 1].
        real: photos with the shape of `composed`, float32 in [-1, 1] or uint8.
        real_mask: predicted masks, like `mask`, with or without the last axis.

    Returns:
        uint8 [grid height, grid width, rgb].

    Raises:
        ValueError: if the numbers of samples differ; see also `grid`.
    """
    return _grid_of_columns([*_layers(background, foreground, mask, composed), real, real_mask])


def synthetic_grid(
    background: np.ndarray, foreground: np.ndarray, mask: np.ndarray, composed: np.ndarray, *, scale: int = 1
) -> np.ndarray:
    """Shows synthetic layers without photos: the first four columns of `layer_grid`, enlarged `scale` times."""
    return _grid_of_columns(_layers(background, foreground, mask, composed), scale)


def segmentation_sheet(
    images: np.ndarray, truth: np.ndarray, predictions: dict[str, np.ndarray], *, scale: int = 1
) -> np.ndarray:
    """Shows predicted masks next to photos, one photo per row.

    The columns are: photo, true mask, the first prediction, the photo cut out by the first prediction (on a
    checkerboard), and the other predictions in their order.

    Args:
        images: uint8 [image, height, width, rgb].
        truth: uint8 [image, height, width]: 0 background, 1 foreground, 255 unlabelled.
        predictions: dict of masks by the name of the method, [image, height, width], bool or float in [0, 1]. There is
            at least one method. The first is ours.
        scale: enlargement, see `grid`.

    Returns:
        uint8 [sheet height, sheet width, rgb].

    Raises:
        ValueError: if the numbers of images differ; see also `grid`.
    """
    ours, *others = predictions.values()
    return _grid_of_columns([images, truth, ours, _cut_out(images, ours), *others], scale)


def save_png(array: np.ndarray, path: str | os.PathLike) -> None:
    """Writes uint8 [height, width, rgb] or [height, width] to a PNG file atomically; creates missing folders."""
    atomic.save_png(Image.fromarray(array), path)


def grid(rows: Sequence[Sequence[np.ndarray]], *, scale: int = 1) -> np.ndarray:
    """Arranges tiles in rows, with 2 pixels between neighbours and none around the grid.

    Args:
        rows: rows of tiles, with the same number of tiles in each row. All tiles have one height and width. A tile is
            an image, uint8 [height, width, rgb] in [0, 255] or float [height, width, rgb] in [-1, 1]; or a mask,
            [height, width] or [height, width, 1], shown in grey: bool, float in [0, 1], or true labels, uint8: 0
            background, 1 foreground, 255 unlabelled (middle grey).
        scale: each pixel of a tile becomes scale x scale pixels.

    Returns:
        uint8 [grid height, grid width, rgb].

    Raises:
        ValueError: if there is no tile, rows differ in length, or a tile has another size, type or shape.
    """
    tiles = [[_to_pixels(tile) for tile in row] for row in rows]
    if not tiles or not tiles[0] or len({len(row) for row in tiles}) > 1:
        raise ValueError(f"rows must be equally long and not empty, got lengths {[len(row) for row in tiles]}")
    sizes = {tile.shape for row in tiles for tile in row}
    if len(sizes) > 1:
        raise ValueError(f"tiles must be of one size, got {sorted(size[:2] for size in sizes)}")
    return _join([_join([tile.repeat(scale, 0).repeat(scale, 1) for tile in row], axis=1) for row in tiles], axis=0)


def _grid_of_columns(columns: Sequence[np.ndarray], scale: int = 1) -> np.ndarray:
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(f"every column must have one tile a sample, got {lengths}")
    return grid(list(zip(*columns, strict=True)), scale=scale)


def _layers(background: np.ndarray, foreground: np.ndarray, mask: np.ndarray, composed: np.ndarray) -> list[np.ndarray]:
    faded = np.asarray(foreground) * np.asarray(mask)  # 0 is middle grey
    return [background, faded, mask, composed]


def _to_pixels(tile: np.ndarray) -> np.ndarray:
    tile = np.asarray(tile)
    is_image = tile.ndim == 3 and tile.shape[2] == 3
    if is_image and tile.dtype == np.uint8:
        return tile
    if is_image and tile.dtype.kind == "f":
        return _round((tile + 1) * 127.5)
    mask = tile[..., 0] if tile.shape[2:] == (1,) else tile
    if mask.ndim != 2 or not (mask.dtype == np.uint8 or mask.dtype.kind in "fb"):
        raise ValueError(f"a tile must be an image or a mask, got {tile.dtype} {tile.shape}")
    if mask.dtype == np.uint8:
        mask = np.where(mask == UNLABELLED, 0.5, mask == FOREGROUND)
    return _round(mask[..., None] * np.full(3, 255.0))


def _round(values: np.ndarray) -> np.ndarray:
    values = np.nan_to_num(values)  # training reports values that are not finite after it has written its grid
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _join(parts: Sequence[np.ndarray], axis: int) -> np.ndarray:
    shape = list(parts[0].shape)
    shape[axis] = SEPARATOR
    separator = np.broadcast_to(np.array(_SEPARATOR_COLOUR, np.uint8), shape)
    return np.concatenate([parts[0], *(part for rest in parts[1:] for part in (separator, rest))], axis)


def _cut_out(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    y, x = np.indices(images.shape[1:3]) * 16 // images.shape[2]
    checks = np.where((x + y) % 2, *_CHECKS)[..., None]
    alpha = np.asarray(masks)[..., None].astype(np.float32)
    return _round(alpha * images + (1 - alpha) * checks)
