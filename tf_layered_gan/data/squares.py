"""Squares of labelled pixels, cut from photos and their masks."""

import os

import numpy as np
from PIL import Image, ImageOps

from tf_layered_gan.data.photos import FOREGROUND, UNLABELLED


def to_square(image: Image.Image, size: int) -> Image.Image:
    """Rescales the short side to `size` pixels and cuts out the centre (the paper's appendix C.3).

    Only the central square is read, so a very long image costs no more than a square one.

    Args:
        image: PIL.Image of a mode that can be interpolated (RGB, L), not a palette.
        size: side of the result, pixels.

    Returns:
        PIL.Image of the same mode, [size, size], bilinear with antialiasing. The paper does not say how it resizes.
    """
    return ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)


def mask_to_square(mask: Image.Image, size: int) -> Image.Image:
    """Cuts the same square as `to_square` out of a mask; each pixel takes the label nearest to its centre."""
    return ImageOps.fit(mask, (size, size), Image.Resampling.NEAREST)


def labelled_square(
    photo: Image.Image,
    mask: Image.Image | None,
    *,
    size: int,
    unlabelled: int | None = None,
    mask_name: str | os.PathLike = "the mask",
) -> np.ndarray:
    """Crops a photo and its mask to the same square, see `to_square`.

    Args:
        photo: PIL.Image in mode RGB.
        mask: None, or PIL.Image of any size with the photo's aspect ratio; grey 128 and above is foreground.
        size: side of the square, pixels.
        unlabelled: None, or the grey of mask pixels that have no label.
        mask_name: name of the mask in errors.

    Returns:
        uint8 [size, size, rgb]. If there is a mask, a fourth channel holds the labels 0, 1 and 255.

    Raises:
        ValueError: if the mask has another aspect ratio than the photo.
    """
    square = np.asarray(to_square(photo, size))
    if mask is None:
        return square
    _check_aspect(photo, mask, mask_name)
    return np.dstack([square, _labels(mask_to_square(mask, size), unlabelled)])


def full_labels(
    photo: Image.Image,
    mask: Image.Image,
    *,
    unlabelled: int | None = None,
    mask_name: str | os.PathLike = "the mask",
) -> np.ndarray:
    """Resizes a mask to the size of its photo; each pixel takes the label nearest to its centre.

    Args:
        photo, mask, unlabelled, mask_name: as for `labelled_square`.

    Returns:
        uint8 [height, width] of the labels 0, 1 and 255.

    Raises:
        ValueError: if the mask has another aspect ratio than the photo.
    """
    _check_aspect(photo, mask, mask_name)
    return _labels(mask.resize(photo.size, Image.Resampling.NEAREST), unlabelled)


def _check_aspect(photo: Image.Image, mask: Image.Image, mask_name: str | os.PathLike) -> None:
    (width, height), (mask_width, mask_height) = photo.size, mask.size
    if abs(width * mask_height - height * mask_width) > max(photo.size + mask.size):  # one pixel, for rounding
        raise ValueError(f"{mask_name} has another aspect ratio than its photo: mask {mask.size}, photo {photo.size}")


def _labels(mask: Image.Image, unlabelled: int | None) -> np.ndarray:
    grey = np.asarray(mask.convert("L"))
    labels = np.where(grey >= 128, FOREGROUND, 0).astype(np.uint8)
    if unlabelled is not None:
        labels[grey == unlabelled] = UNLABELLED
    return labels
