import numpy as np

SPLITS = ("train", "validation", "test")


def assert_same_splits(one, other):
    for split in SPLITS:
        a, b = getattr(one, split), getattr(other, split)
        assert a.names == b.names
        np.testing.assert_array_equal(a.images, b.images)
        np.testing.assert_array_equal(a.masks, b.masks)
