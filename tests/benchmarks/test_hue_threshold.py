import numpy as np
import pytest

from benchmarks.hue_threshold import best_threshold, warm_things
from tf_layered_gan.data.photos import Photos


def square(colour):
    """Returns an image of a coloured square on blue, uint8 [1, 32, 32, rgb], and the mask of the square."""
    mask = np.zeros((1, 32, 32), bool)
    mask[:, 8:24, 8:24] = True
    return np.where(mask[..., None], colour, [0, 0, 255]).astype(np.uint8), mask


@pytest.mark.parametrize(
    "colour, below, above",
    # The hues of yellow and pink are 1/6 and 1/12 of a turn from red.
    [([255, 255, 0], 0.15, 0.2), ([255, 0, 128], 0.08, 0.1)],
)
def test_hues_within_the_threshold_on_either_side_of_red_are_warm(colour, below, above):
    image, mask = square(colour)
    assert not warm_things(image, below).any()
    assert (warm_things(image, above) == mask).all()
    assert warm_things(image, 0.35).all()  # the hue of the blue around the square is 1/3 of a turn from red


def test_the_best_threshold_finds_the_object():
    image, mask = square([255, 255, 0])
    threshold = best_threshold(Photos(image, mask.astype(np.uint8), ("yellow",)))
    assert 1 / 6 < threshold < 1 / 3
