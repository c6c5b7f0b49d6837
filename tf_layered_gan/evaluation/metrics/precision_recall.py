"""The precision-recall curve of probabilities, in TensorBoard's format."""

import numpy as np

from tf_layered_gan.data.photos import FOREGROUND, UNLABELLED

THRESHOLDS = 101


def precision_recall(probabilities: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Counts correct and wrong pixels at 101 thresholds from 0 to 1.

    Args:
        probabilities: probabilities of the foreground, float32 [photo, height, width] in [0, 1].
        masks: uint8 [photo, height, width]: 0 background, 1 foreground, 255 unlabelled. Unlabelled pixels are ignored.

    Returns:
        float64 [row, threshold]. The rows are: true positives, false positives, true negatives, false negatives,
        precision and recall. A pixel is positive if its probability is at least the threshold. Where precision or
        recall is undefined, the value is 0.
    """
    labelled = masks != UNLABELLED
    bins = np.minimum(probabilities[labelled] * (THRESHOLDS - 1), THRESHOLDS - 1).astype(int)
    is_object = masks[labelled] == FOREGROUND
    true_positives, false_positives = (
        np.bincount(bins[chosen], minlength=THRESHOLDS)[::-1].cumsum()[::-1].astype(float)
        for chosen in (is_object, ~is_object)
    )
    positives = true_positives + false_positives
    false_negatives, true_negatives = true_positives[0] - true_positives, false_positives[0] - false_positives
    precision = true_positives / np.maximum(positives, 1)
    recall = true_positives / max(true_positives[0], 1)
    return np.stack([true_positives, false_positives, true_negatives, false_negatives, precision, recall])
