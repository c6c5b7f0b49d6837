"""What is made of a picture and its foreground probability."""

import numpy as np
from PIL import Image, ImageChops, ImageFilter

THRESHOLD, RADIUS = 0.5, 15


def mask(probability, threshold=THRESHOLD):
    """Returns the foreground, a grey picture: 255 where the probability is above the threshold, else 0.

    Args:
        probability: float32 [height, width] in [0, 1].
        threshold: in [0, 1]; ValueError for another.
    """
    check_threshold(threshold)
    return Image.fromarray((probability > threshold) * np.uint8(255))


def cutout(picture, probability):
    """Returns the picture, RGBA, with its probability, float32 [height, width] in [0, 1], as alpha."""
    picture = picture.copy()
    picture.putalpha(_alpha(probability))
    return picture


def blurred(picture, probability, radius=RADIUS):
    """Returns the picture, RGB, with a blurred background.

    Args:
        picture: PIL.Image of mode RGB.
        probability: float32 [height, width] in [0, 1].
        radius: the standard deviation of the Gaussian, in pixels of the picture; ValueError below 0.
    """
    check_radius(radius)
    alpha = _alpha(probability)
    background = picture.copy()
    background.putalpha(ImageChops.invert(alpha))
    # Colours weighted by alpha: what belongs to the foreground leaves no halo around it.
    background = background.convert("RGBa")
    background = background.filter(ImageFilter.GaussianBlur(radius))
    background = background.convert("RGBA")
    background = background.convert("RGB")
    background.paste(picture, mask=alpha)
    return background


def check_threshold(threshold):
    """Raises ValueError for what is no probability."""
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must lie in [0, 1], got {threshold}")


def check_radius(radius):
    """Raises ValueError for what is no radius."""
    if not 0 <= radius < float("inf"):
        raise ValueError(f"radius must be 0 or more pixels, got {radius}")


def makers(threshold=THRESHOLD, radius=RADIUS):
    """Returns a dict from kind of result to the function that makes it of picture and probability.

    ValueError for a threshold or a radius that cannot be.
    """
    check_threshold(threshold)
    check_radius(radius)
    return {
        "mask": lambda picture, probability: mask(probability, threshold),
        "cutout": cutout,
        "blurred": lambda picture, probability: blurred(picture, probability, radius),
    }


def _alpha(probability):
    """Returns a probability as a grey picture, 255 for 1."""
    scaled = probability * 255
    return Image.fromarray(np.rint(scaled, out=scaled).astype("uint8"))
