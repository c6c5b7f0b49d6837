"""Fitting of photos into the square input of a network, and resizing of the masks to the sizes of the photos.

There are three fits:
    "crop"     the central square of the photo. The network does not see the rest of the photo.
    "squeeze"  the whole photo, without its aspect ratio.
    "pad"      the whole photo, with its aspect ratio, in the middle. Repeated edge pixels fill the rest of the square.

Training can use any of the three fits. After training, the network always sees the whole photo. The photo is squeezed
if the network learned from squeezed photos, and padded otherwise. A network that learned from cropped photos gets
padded photos, because padding keeps the shape of objects as cropping does. Padding cuts nothing off, and repeated edge
pixels add no visible edge.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

FITS = ("crop", "squeeze", "pad")
Filled = tuple[slice, slice]  # the part [y, x] of the square that shows the photo


def fit_for_whole_photos(training_fit: str | None) -> str:
    """Returns how whole photos are fitted into a network's square, "squeeze" or "pad".

    Args:
        training_fit: how photos were fitted in training. None if this is not known, as in files of version 0.1.0.

    Raises:
        ValueError: if there is no such fit.
    """
    if training_fit not in (None, *FITS):
        raise ValueError(f"the fit is {training_fit!r}, allowed: {', '.join(FITS)}")
    return "squeeze" if training_fit == "squeeze" else "pad"


def foreground_probability(
    image: Image.Image, resolution: int, predict: Callable[[np.ndarray], np.ndarray], fit: str
) -> np.ndarray:
    """Segments one image.

    Args:
        image: PIL.Image in mode RGB.
        resolution: width and height of the model's input, pixels.
        predict: function that takes uint8 [resolution, resolution, rgb] and returns float32 [resolution, resolution].
        fit: "squeeze" or "pad", see `fit_for_whole_photos`.

    Returns:
        The probability at the image's own size, float32 [height, width] in [0, 1].
    """
    pixels, filled = to_square(image, resolution, fit)
    return to_own_size(predict(pixels)[filled], image)


def to_square(image: Image.Image, resolution: int, fit: str) -> tuple[np.ndarray, Filled]:
    """Fits an image into a square.

    Returns:
        uint8 [resolution, resolution, rgb], and the slices [y, x] that the image fills in the square.
    """
    resized, filled = visible_part(image, resolution, fit)
    return padded(np.array(resized), resolution, filled, mode="edge"), filled


def visible_part(
    image: Image.Image, resolution: int, fit: str, resample: Image.Resampling = Image.Resampling.BILINEAR
) -> tuple[Image.Image, Filled]:
    """Resizes the part of an image that is visible in the square. Reads only this part.

    Args:
        image: PIL.Image of a mode that `resample` can resize.
        resolution: width and height of the square, pixels.
        fit: one of `FITS`.
        resample: the resizing method of Pillow. Pillow's bilinear resizing is antialiased.

    Returns:
        PIL.Image of the same mode, and the slices [y, x] that this image fills in the square.
    """
    box, filled = _placement(image.size, resolution, fit)
    height, width = (part.stop - part.start for part in filled)
    return image.resize((width, height), resample, box=box), filled


def padded(values: np.ndarray, resolution: int, filled: Filled, **padding: Any) -> np.ndarray:
    """Puts values [y, x, ...] into the middle of a square. `np.pad` fills the rest, with the arguments `padding`."""
    if values.shape[:2] == (resolution, resolution):
        return values  # np.pad would add a tenth to the time that reading a small photo takes
    around = [(part.start, resolution - part.stop) for part in filled]
    return np.pad(values, around + [(0, 0)] * (values.ndim - 2), **padding)


def to_own_size(probability: np.ndarray, image: Image.Image) -> np.ndarray:
    """Resizes a probability, float32 [y, x], from the part of the square that shows the image to the image's size."""
    small = Image.fromarray(np.ascontiguousarray(probability))
    resized = np.array(small.resize(image.size, Image.Resampling.BILINEAR))
    return resized.clip(0, 1, out=resized)


def _placement(size: tuple[int, int], resolution: int, fit: str) -> tuple[tuple[float, float, float, float], Filled]:
    """Returns the box of an image that is visible in the square, and the slices [y, x] that it fills in the square.

    The box is (left, top, right, bottom), in pixels of the image.
    """
    width, height = size
    if fit == "crop":
        left, top = (0.5 * (side - min(size)) for side in size)
        return (left, top, left + min(size), top + min(size)), (slice(0, resolution),) * 2
    longest = {"squeeze": size, "pad": (max(size),) * 2}[fit]
    columns, rows = map(_middle, size, longest, (resolution,) * 2)
    return (0, 0, width, height), (rows, columns)


def _middle(side: int, longest: int, resolution: int) -> slice:
    length = max(1, round(side * resolution / longest))
    start = (resolution - length) // 2
    return slice(start, start + length)
