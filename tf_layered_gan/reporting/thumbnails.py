"""Images inside the page: JPEG files in data URIs, with a limit on their size."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from tf_layered_gan.reporting.markup import Markup

_QUALITIES = (88, 75, 60, 40)
_SMALLEST = 8  # pixels


def data_uris(images: Sequence[np.ndarray | Image.Image], most_bytes: int) -> list[Markup]:
    """Encodes images so that all of them together take at most `most_bytes` in the page.

    If the images take more bytes, first their quality is reduced, and then their size. If they take more bytes even at
    the smallest size, the last images are left out.

    Args:
        images: uint8 arrays [height, width, rgb], or Pillow images.
        most_bytes: the limit for all data URIs together.

    Returns:
        the data URIs, in the order of the images.
    """
    pictures = [image if isinstance(image, Image.Image) else Image.fromarray(image) for image in images]
    while True:
        for quality in _QUALITIES:
            uris = [_data_uri(image, quality) for image in pictures]
            if sum(map(len, uris)) <= most_bytes:
                return uris
        if max(max(image.size) for image in pictures) <= _SMALLEST:
            pictures = pictures[: len(pictures) // 2]
        pictures = [image.resize(_halved(image)) for image in pictures]


def _halved(image: Image.Image) -> tuple[int, int]:
    return max(1, image.width // 2), max(1, image.height // 2)


def _data_uri(image: Image.Image, quality: int) -> Markup:
    content = io.BytesIO()
    image.convert("RGB").save(content, "JPEG", quality=quality, optimize=True)
    return Markup(f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}")
