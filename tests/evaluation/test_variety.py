"""Tests of the variety of masks."""

import numpy as np
import pytest

from tf_layered_gan.evaluation.metrics.variety import mask_variety, variance_shares


def bars(*widths):
    """Returns a mask of 4x20 pixels for each width, with a bar of this width at the left edge."""
    return np.stack([np.broadcast_to(np.arange(20) < width, (4, 20)) for width in widths]).astype(np.float32)


def test_counts_silhouettes_and_pairs_that_are_alike():
    # Bars of the widths 10 and 11 have the IoU 0.91. The IoU is 0.77 for the widths 10 and 13, and 0.85 for 11 and 13.
    # For all other pairs of bars, the IoU is at most 0.2.
    assert mask_variety(bars(10, 11, 13, 2, 0)) == {"silhouettes": 3, "pairs_alike": pytest.approx(2 / 10)}


def test_empty_masks_are_one_silhouette():
    assert mask_variety(bars(0, 0, 0)) == {"silhouettes": 1, "pairs_alike": 1.0}


def test_one_mask_has_no_variety():
    with pytest.raises(ValueError, match="got 1 masks, allowed: 2 or more"):
        mask_variety(bars(3))


def test_splits_the_variance():
    code, z = np.array([0.0, 0.6]), np.array([0.0, 0.0, 0.3])
    masks = (code[:, None] + z)[None, :, :, None, None]
    by_code, by_z = code.var(), z.var()
    expected = {"variance_code": by_code / (by_code + by_z), "variance_z": by_z / (by_code + by_z)}
    assert variance_shares(masks) == pytest.approx(expected)


def test_joint_effect_of_code_and_z_is_left_out():
    masks = np.array([[1.0, 0.0], [0.0, 1.0]])[None, :, :, None, None]
    assert variance_shares(masks) == {"variance_code": 0.0, "variance_z": 0.0}


def test_groups_differ_without_effect():
    masks = np.broadcast_to(np.array([0.2, 0.9])[:, None, None, None, None], (2, 3, 3, 4, 4))
    assert variance_shares(masks) == {"variance_code": 0.0, "variance_z": 0.0}
