"""Square photos with a label for each pixel, made from photos and their masks."""

import os

import numpy as np
from PIL import Image

from edge_segmenter.fit import padded, to_square, visible_part
from tf_layered_gan.data.photos import FOREGROUND, UNLABELLED

_ASPECTS = 0.01  # the aspect ratios of a mask and its photo may differ by this fraction


def labelled_square(
    photo: Image.Image,
    mask: Image.Image | None,
    *,
    size: int,
    fit: str,
    unlabelled: int | None = None,
    mask_name: str | os.PathLike = "the mask",
) -> np.ndarray:
    """Fits a photo and its mask into the same square.

    The photo is resized bilinearly with antialiasing. The paper does not say how it resizes photos. Each pixel of the
    resized mask gets the label of the nearest pixel in the original mask.

    Args:
        photo: PIL.Image in mode RGB.
        mask: None, or PIL.Image of any size. Its aspect ratio may differ from the photo's by up to 1 %. A grey value
            of 128 or more means foreground.
        size: side of the square, pixels.
        fit: "crop", "squeeze" or "pad", see `edge_segmenter.fit`. The paper crops (appendix C.3).
        unlabelled: None, or the grey value of mask pixels that have no label.
        mask_name: name of the mask in error messages.

    Returns:
        uint8 [size, size, rgb]. If there is a mask, a fourth channel holds the labels 0, 1 and 255. With "pad", the
        pixels of the padding have the label 255.

    Raises:
        ValueError: if the aspect ratios of the mask and the photo differ by more than 1 %. A difference of one pixel is
            always allowed.
    """
    square, _ = to_square(photo, size, fit)
    if mask is None:
        return square
    _check_aspect(photo, mask, mask_name)
    part, filled = visible_part(mask, size, fit, Image.Resampling.NEAREST)
    labels = padded(_labels(part, unlabelled), size, filled, constant_values=UNLABELLED)
    return np.dstack([square, labels])


def full_labels(
    photo: Image.Image,
    mask: Image.Image,
    *,
    unlabelled: int | None = None,
    mask_name: str | os.PathLike = "the mask",
) -> np.ndarray:
    """Resizes a mask to the size of its photo. Each pixel gets the label of the nearest pixel in the original mask.

    Args:
        photo, mask, unlabelled, mask_name: as for `labelled_square`.

    Returns:
        uint8 [height, width] of the labels 0, 1 and 255.

    Raises:
        ValueError: if the aspect ratios of the mask and the photo differ by more than 1 %. A difference of one pixel is
            always allowed.
    """
    _check_aspect(photo, mask, mask_name)
    return _labels(mask.resize(photo.size, Image.Resampling.NEAREST), unlabelled)


def _check_aspect(photo: Image.Image, mask: Image.Image, mask_name: str | os.PathLike) -> None:
    (width, height), (mask_width, mask_height) = photo.size, mask.size
    # A difference of one pixel is allowed, because sides are rounded. A difference of 1 % is allowed, because tools cut
    # or add some pixels. In a square of 100 x 100 pixels, a difference of 1 % is one pixel.
    if abs(width * mask_height - height * mask_width) > max(*photo.size, *mask.size, _ASPECTS * width * mask_height):
        words = f"{mask_name} has another aspect ratio than its photo: mask {mask.size}, photo {photo.size}"
        if abs(width * mask_width - height * mask_height) <= max(photo.size + mask.size):
            words += "; the mask lies on its side: EXIF turns the photo, but the mask was drawn on the unturned photo"
        raise ValueError(words)


def _labels(mask: Image.Image, unlabelled: int | None) -> np.ndarray:
    grey = np.asarray(mask.convert("L"))
    labels = np.where(grey >= 128, FOREGROUND, 0).astype(np.uint8)
    if unlabelled is not None:
        labels[grey == unlabelled] = UNLABELLED
    return labels
