"""The kinds of results: mask, cut-out, and the image with a blurred background."""

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageChops, ImageFilter

THRESHOLD, RADIUS = 0.5, 15

Makers = Mapping[str, Callable[[Image.Image, np.ndarray, Image.Image | None], Image.Image]]


def mask(probability: np.ndarray, threshold: float = THRESHOLD) -> Image.Image:
    """Returns a grey image: 255 where the probability is above the threshold, else 0.

    Args:
        probability: float32 [height, width] in [0, 1].
        threshold: in [0, 1].

    Raises:
        ValueError: if the threshold is outside [0, 1].
    """
    check_threshold(threshold)
    return Image.fromarray((probability > threshold) * np.uint8(255))


def cutout(image: Image.Image, probability: np.ndarray, alpha: Image.Image | None = None) -> Image.Image:
    """Returns the image as RGBA, with its probability as alpha. Pixels with alpha 0 become black.

    Args:
        image: PIL.Image in mode RGB, with white behind its transparent pixels.
        probability: float32 [height, width] in [0, 1]. If the image has an alpha, the probability must be
            the result of `visible`.
        alpha: None, or the image's own alpha, PIL.Image in mode L. With an alpha, the white behind the image is
            removed.
    """
    result = image.copy() if alpha is None else _without_white(image, alpha)
    shown = _alpha(probability)
    result.putalpha(shown)
    # Without this line, the file would still contain the colours of the background.
    result.paste((0, 0, 0, 0), mask=shown.point([255] + [0] * 255))
    return result


def visible(probability: np.ndarray, alpha: Image.Image | None) -> np.ndarray:
    """Multiplies a probability, float32 [height, width], by the alpha of its image, mode L, in place."""
    if alpha is not None:
        probability *= np.asarray(alpha)
        probability /= 255
    return probability


def blurred(image: Image.Image, probability: np.ndarray, radius: float = RADIUS) -> Image.Image:
    """Returns the image with a blurred background.

    Args:
        image: PIL.Image in mode RGB.
        probability: float32 [height, width] in [0, 1].
        radius: standard deviation of the Gaussian, in pixels of the image, 0 or more.

    Raises:
        ValueError: if the radius is negative or not finite.
    """
    check_radius(radius)
    alpha = _alpha(probability)
    background = image.copy()
    background.putalpha(ImageChops.invert(alpha))
    # The colours are weighted by alpha, so that the colour of the foreground does not bleed into the background.
    background = background.convert("RGBa")
    background = background.filter(ImageFilter.GaussianBlur(radius))
    background = background.convert("RGBA")
    background = background.convert("RGB")
    background.paste(image, mask=alpha)
    return background


def check_threshold(threshold: float) -> None:
    """Raises ValueError if the threshold is outside [0, 1]."""
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}, allowed: 0 to 1")


def check_radius(radius: float) -> None:
    """Raises ValueError if the radius is negative or not finite."""
    if not 0 <= radius < float("inf"):
        raise ValueError(f"radius is {radius}, allowed: 0 or more pixels")


def makers(threshold: float = THRESHOLD, radius: float = RADIUS) -> Makers:
    """Returns a dict from a kind of result to the function that makes it from an image and its probability.

    Raises:
        ValueError: see `check_threshold` and `check_radius`.
    """
    check_threshold(threshold)
    check_radius(radius)
    return {
        "mask": lambda image, probability, alpha: mask(probability, threshold),
        "cutout": cutout,
        "blurred": lambda image, probability, alpha: blurred(image, probability, radius),
    }


def _alpha(probability: np.ndarray) -> Image.Image:
    scaled = probability * 255
    return Image.fromarray(np.rint(scaled, out=scaled).astype("uint8"))


def _without_white(image: Image.Image, alpha: Image.Image) -> Image.Image:
    """Returns the colours that an image had before it was laid over white, in mode RGB."""
    white = ImageChops.invert(alpha)
    weighted = ImageChops.subtract(image, Image.merge("RGB", (white, white, white)))  # colours times alpha
    result = Image.merge("RGBa", (*weighted.split(), alpha)).convert("RGBA").convert("RGB")
    result.info = image.info
    return result
