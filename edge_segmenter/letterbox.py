"""Fits a whole image into the model's square, and the result back to the image's size.

The longer side is resized to the model's resolution. The rest of the square is filled by repeating the edge pixels.
Training used centre crops of undistorted photos. Here objects keep their shape as well, but nothing is cut off, and the
filling adds no edge.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image


def foreground_probability(
    image: Image.Image, resolution: int, predict: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Segments one image.

    Args:
        image: PIL.Image in mode RGB.
        resolution: width and height of the model's input, pixels.
        predict: function that takes uint8 [resolution, resolution, rgb] and returns float32 [resolution, resolution].

    Returns:
        The probability at the image's own size, float32 [height, width] in [0, 1].
    """
    pixels, filled = letterbox(image, resolution)
    return to_own_size(predict(pixels)[filled], image)


def letterbox(image: Image.Image, resolution: int) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Returns the image in a square, uint8 [resolution, resolution, rgb], and the slices [y, x] that it fills."""
    longest = max(image.size)
    width, height = (max(1, round(side * resolution / longest)) for side in image.size)
    top, left = (resolution - height) // 2, (resolution - width) // 2
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    padding = ((top, resolution - height - top), (left, resolution - width - left), (0, 0))
    return np.pad(pixels, padding, mode="edge"), (slice(top, top + height), slice(left, left + width))


def to_own_size(probability: np.ndarray, image: Image.Image) -> np.ndarray:
    """Resizes the probability in the slices that an image fills, float32 [y, x], to the size of the image."""
    small = Image.fromarray(np.ascontiguousarray(probability))
    resized = np.array(small.resize(image.size, Image.Resampling.BILINEAR))
    return resized.clip(0, 1, out=resized)
