import numpy as np

from tf_layered_gan.evaluation.metrics.precision_recall import THRESHOLDS, precision_recall


def test_counts_of_three_pixels():
    probabilities = np.float32([[[0.9, 0.4, 0.6, 1.0]]])
    masks = np.uint8([[[1, 0, 0, 255]]])
    rows = precision_recall(probabilities, masks)
    assert rows.shape == (6, THRESHOLDS)
    # At the threshold 0, all three labelled pixels are positive. At 0.5, the pixels with the probabilities 0.9 and 0.6
    # are positive. At 0.7, one pixel is positive. At 1, no pixel is positive.
    assert rows[:, 0].tolist() == [1, 2, 0, 0, 1 / 3, 1]
    assert rows[:, 50].tolist() == [1, 1, 1, 0, 1 / 2, 1]
    assert rows[:, 70].tolist() == [1, 0, 2, 0, 1, 1]
    assert rows[:, 100].tolist() == [0, 0, 2, 1, 0, 0]


def test_no_object_has_no_recall():
    rows = precision_recall(np.ones((1, 2, 2), np.float32), np.zeros((1, 2, 2), np.uint8))
    assert rows[4:].max() == 0 and rows[1].tolist() == [4] * THRESHOLDS
