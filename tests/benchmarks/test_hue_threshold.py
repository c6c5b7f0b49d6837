import numpy as np

from benchmarks.hue_threshold import best_threshold, warm_things
from tf_layered_gan.data.photos import Photos


def square(colour):
    """Returns a coloured square on blue, uint8 [1, 32, 32, rgb], and its mask."""
    mask = np.zeros((1, 32, 32), bool)
    mask[:, 8:24, 8:24] = True
    return np.where(mask[..., None], colour, [0, 0, 255]).astype(np.uint8), mask


def test_hues_within_the_threshold_are_warm():
    image, mask = square([255, 255, 0])  # yellow, 1/6 of a turn from red; blue is 1/3
    assert not warm_things(image, 0.15).any()
    assert (warm_things(image, 0.2) == mask).all()
    assert warm_things(image, 0.35).all()


def test_hues_on_the_other_side_of_red_are_warm_too():
    image, mask = square([255, 0, 128])  # 1/12 of a turn from red
    assert (warm_things(image, 0.1) == mask).all()


def test_the_best_threshold_finds_the_object():
    image, mask = square([255, 255, 0])
    threshold = best_threshold(Photos(image, mask.astype(np.uint8), ("yellow",)))
    assert 1 / 6 < threshold < 1 / 3
