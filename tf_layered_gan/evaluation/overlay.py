"""Drawings of a mask over its image: a line surrounds the object, and everything else is darker."""

import numpy as np

_OBJECT, _LINE, _EDGE = 0.5, (255, 225, 0), (0, 0, 0)
_DARK = 0.4  # the background keeps this share of its brightness


def mask_over_image(image: np.ndarray, mask: np.ndarray, scale: int = 1) -> np.ndarray:
    """Draws the outline of a mask over its image, and darkens the image where the mask is 0.

    The outline is a yellow line inside the object and a black line outside it. So the outline is visible on every
    colour. The outline runs between the pixels where the mask is above 0.5 and the other pixels.

    Args:
        image: uint8 [height, width, rgb].
        mask: [height, width], bool or float in [0, 1].
        scale: each pixel of the image becomes scale x scale pixels; the lines stay thin.

    Returns:
        uint8 [scale * height, scale * width, rgb].

    Raises:
        ValueError: if image and mask differ in height or width.
    """
    if image.shape[:2] != mask.shape:
        raise ValueError(f"an image and its mask must have the same size, got {image.shape[:2]} and {mask.shape}")
    large, soft = (array.repeat(scale, 0).repeat(scale, 1) for array in (image, mask.astype(np.float32)))
    inside, width = soft > _OBJECT, max(1, large.shape[1] // 100)
    shown = np.rint(large * (_DARK + (1 - _DARK) * np.clip(soft, 0, 1))[..., None]).astype(np.uint8)
    shown[_grown(inside, 1) & ~inside] = _EDGE
    shown[inside & _grown(~inside, width, beyond=True)] = _LINE
    return shown


def _grown(mask: np.ndarray, pixels: int, beyond: bool = False) -> np.ndarray:
    """Grows a mask, bool [height, width], by `pixels` pixels in eight directions.

    `beyond` is the value of the mask outside the image.
    """
    padded = np.pad(mask, pixels, constant_values=beyond)
    height, width = mask.shape
    tall = np.any([padded[i : i + height] for i in range(2 * pixels + 1)], axis=0)
    return np.any([tall[:, i : i + width] for i in range(2 * pixels + 1)], axis=0)
