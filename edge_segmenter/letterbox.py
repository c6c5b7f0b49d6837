"""The way into a model's square and back: the whole picture, its aspect kept.

The longer side is resized to the model's resolution and the rest of the square filled by repeating the edge pixels.
Training saw centre crops of undistorted photos; so objects keep their shape, nothing is cut off, and the filling has no
edge of its own.
"""

import numpy as np
from PIL import Image


def foreground_probability(picture, resolution, predict):
    """Segments one picture.

    Args:
        picture: PIL.Image of mode RGB.
        resolution: of the model, pixels.
        predict: function from uint8 [resolution, resolution, rgb] to float32 [resolution, resolution].

    Returns:
        The probability at the picture's own size, float32 [height, width] in [0, 1].
    """
    pixels, filled = letterbox(picture, resolution)
    return to_own_size(predict(pixels)[filled], picture)


def letterbox(picture, resolution):
    """Returns the picture in a square, uint8 [resolution, resolution, rgb], and the slices it fills."""
    longest = max(picture.size)
    width, height = (max(1, round(side * resolution / longest)) for side in picture.size)
    top, left = (resolution - height) // 2, (resolution - width) // 2
    pixels = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
    padding = ((top, resolution - height - top), (left, resolution - width - left), (0, 0))
    return np.pad(pixels, padding, mode="edge"), (slice(top, top + height), slice(left, left + width))


def to_own_size(probability, picture):
    """Resizes what was found in the slices that a picture fills, float32 [y, x], to its size, see above."""
    small = Image.fromarray(np.ascontiguousarray(probability))
    probability = np.array(small.resize(picture.size, Image.Resampling.BILINEAR))
    return probability.clip(0, 1, out=probability)
