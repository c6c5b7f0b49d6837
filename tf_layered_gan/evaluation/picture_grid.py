"""Pictures side by side, to look at in TensorBoard and in files."""

import numpy as np
from PIL import Image

from edge_segmenter import atomic
from tf_layered_gan.data.photos import FOREGROUND, UNLABELLED

SEPARATOR = 2
_SEPARATOR_COLOUR = (255, 170, 0)  # neither a mask's black or white nor the grey of what is cut away
_CHECKS = (255, 204)


def grid(rows, *, scale=1):
    """Lays out pictures in rows, with 2 pixels between neighbours and none around.

    Args:
        rows: list of rows of tiles, equally many in each and all of one height and width. A tile is
            an image, uint8 [height, width, rgb] in [0, 255] or float [height, width, rgb] in [-1, 1];
            or a mask, [height, width] or [height, width, 1], shown in grey: bool, float in [0, 1], or true
            labels, uint8: 0 background, 1 foreground, 255 unlabelled (middle grey).
        scale: int, how many pixels wide a pixel becomes.

    Returns:
        uint8 [grid height, grid width, rgb].

    Raises:
        ValueError: for no tile, rows of different lengths, a tile of another size, type or shape.
    """
    tiles = [[_to_pixels(tile) for tile in row] for row in rows]
    if not tiles or not tiles[0] or len({len(row) for row in tiles}) > 1:
        raise ValueError(f"rows must be equally long and not empty, got lengths {[len(row) for row in tiles]}")
    sizes = {tile.shape for row in tiles for tile in row}
    if len(sizes) > 1:
        raise ValueError(f"tiles must be of one size, got {sorted(size[:2] for size in sizes)}")
    return _join([_join([_enlarge(tile, scale) for tile in row], axis=1) for row in tiles], axis=0)


def layer_grid(background, foreground, mask, composed, real, real_mask, *, scale=1):
    """Shows generated layers, and the segmenter on real images, one sample a row.

    The columns, left to right: background, foreground (where the mask is 0 it fades to grey), mask, composed
    image, real image, and the mask predicted for the real image.

    Args:
        background, foreground, composed: float32 [sample, height, width, rgb] in [-1, 1].
        mask: float32 [sample, height, width, 1] in [0, 1].
        real: the same as composed, or uint8.
        real_mask: the same as mask, or without its last axis.
        scale: as for `grid`.

    Returns:
        uint8 [grid height, grid width, rgb].

    Raises:
        ValueError: if the numbers of samples differ, or as for `grid`.
    """
    return _grid_of_columns([*_layers(background, foreground, mask, composed), real, real_mask], scale)


def synthetic_grid(background, foreground, mask, composed, *, scale=1):
    """Shows generated layers alone, the first four columns of `layer_grid`: a picture that holds no photo.

    Args:
        background, foreground, mask, composed: as for `layer_grid`.
        scale: as for `grid`.

    Returns:
        uint8 [grid height, grid width, rgb].

    Raises:
        ValueError: as for `layer_grid`.
    """
    return _grid_of_columns(_layers(background, foreground, mask, composed), scale)


def _layers(background, foreground, mask, composed):
    faded = np.asarray(foreground) * np.asarray(mask)  # in [-1, 1] middle grey is 0
    return [background, faded, mask, composed]


def segmentation_sheet(images, truth, predictions, *, scale=1):
    """Shows predicted masks beside photos, one photo a row.

    The columns, left to right: photo, true mask, the first prediction, what it cuts out, on a checkerboard,
    and the other predictions in their order.

    Args:
        images: uint8 [image, height, width, rgb].
        truth: uint8 [image, height, width]: 0 background, 1 foreground, 255 unlabelled.
        predictions: dict from a method's name to its masks, ours first: [image, height, width], bool or float
            in [0, 1].
        scale: as for `grid`.

    Returns:
        uint8 [sheet height, sheet width, rgb].

    Raises:
        ValueError: if there is no prediction, the numbers of images differ, or as for `grid`.
    """
    if not predictions:
        raise ValueError("predictions must hold one method or more, got none")
    ours, *others = predictions.values()
    return _grid_of_columns([images, truth, ours, _cut_out(images, ours), *others], scale)


def save_png(array, path):
    """Writes uint8 [height, width, rgb] to a PNG file, whole or not at all; makes the folders on the way."""
    atomic.save_png(Image.fromarray(array), path)


def _grid_of_columns(columns, scale):
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(f"every column must have one tile a sample, got {lengths}")
    return grid(list(zip(*columns, strict=True)), scale=scale)


def _to_pixels(tile):
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


def _round(values):
    values = np.nan_to_num(values)  # a run that has become not finite says so when it is saved, right after its grid
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _enlarge(tile, scale):
    return tile.repeat(scale, 0).repeat(scale, 1)


def _join(parts, axis):
    shape = list(parts[0].shape)
    shape[axis] = SEPARATOR
    separator = np.broadcast_to(np.uint8(_SEPARATOR_COLOUR), shape)
    return np.concatenate([parts[0], *(part for rest in parts[1:] for part in (separator, rest))], axis)


def _cut_out(images, masks):
    y, x = np.indices(images.shape[1:3]) * 16 // images.shape[2]
    checks = np.where((x + y) % 2, *_CHECKS)[..., None]
    alpha = np.asarray(masks)[..., None].astype(np.float32)
    return _round(alpha * images + (1 - alpha) * checks)
