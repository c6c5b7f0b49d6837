import base64
import io

import numpy as np
import pytest
from PIL import Image

from tf_layered_gan.reporting.thumbnails import data_uris


def noise(count, size):
    return list(np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8))


def opened(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))))


def test_images_keep_their_size_if_they_fit():
    assert [opened(uri).size for uri in data_uris(noise(2, 32), 100_000)] == [(32, 32)] * 2


@pytest.mark.parametrize("count, size, most", [(4, 64, 20_000), (4, 64, 4_000), (50, 16, 3_000)])
def test_images_take_no_more_bytes_than_allowed(count, size, most):
    uris = data_uris(noise(count, size), most)
    assert 0 < sum(map(len, uris)) <= most


def test_no_image_takes_no_byte():
    assert data_uris([], 10) == []
