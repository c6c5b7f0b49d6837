"""How well predicted masks agree with true ones, by both protocols that papers use."""

import numpy as np

from tf_layered_gan.data.photos import BACKGROUND, FOREGROUND, UNLABELLED


def segmentation_metrics(predicted, truth):
    """Computes accuracy, foreground IoU and mIoU over the whole test set and as means over the images.

    The whole-test-set figures add up the pixels of all images first; the names in `_per_image` average the
    images' own figures. Neither takes the better of a mask and its inverse. ACC, IoU and mIoU are those of
    the paper's Sec. 4, which does not say how it averages.

    Args:
        predicted: bool [image, height, width], True = foreground.
        truth: uint8 [image, height, width]: 0 background, 1 foreground, 255 unlabelled. Unlabelled pixels
            count nowhere, and an image without a labelled pixel is left out.

    Returns:
        dict of floats in [0, 1]: "iou", "accuracy", "miou" and the same with "_per_image"; "ari", in [-1, 1], and
        "msc", means over the images (the paper's table on APC);
        "predicted_fraction" and "true_fraction", the foreground's share of all labelled pixels;
        and "images", an int, how many images had a labelled pixel.

    Raises:
        ValueError: for another type, shape or label, and where no pixel is labelled.
    """
    return summarize(confusion_matrices(predicted, truth))


def summarize(confusions):
    """Computes `segmentation_metrics` of images that may have different sizes.

    Args:
        confusions: int [image, true, predicted], see `confusion_matrices`.

    Returns:
        dict, see `segmentation_metrics`.

    Raises:
        ValueError: where no pixel is labelled.
    """
    per_image = confusions[confusions.any((1, 2))]
    if len(per_image) == 0:
        raise ValueError(f"truth must have a labelled pixel (0 or 1), got none in {len(confusions)} images")
    whole = per_image.sum(0)
    metrics = {}
    for name, metric in {"iou": foreground_iou, "accuracy": accuracy, "miou": mean_iou}.items():
        metrics[name] = float(metric(whole))
        metrics[f"{name}_per_image"] = float(metric(per_image).mean())
    metrics |= {"ari": float(adjusted_rand_index(per_image).mean()), "msc": float(segment_covering(per_image).mean())}
    metrics["predicted_fraction"] = float(whole[:, FOREGROUND].sum() / whole.sum())
    metrics["true_fraction"] = float(whole[FOREGROUND].sum() / whole.sum())
    return metrics | {"images": len(per_image)}


def confusion_matrices(predicted, truth):
    """Counts each image's labelled pixels by their true and their predicted label.

    Args:
        predicted, truth: as for `segmentation_metrics`.

    Returns:
        int64 [image, true label, predicted label] with labels 0 background, 1 foreground.

    Raises:
        ValueError: for another type, shape or label.
    """
    _check(predicted, truth)
    cells = [
        ((truth == true) & (predicted == label)).sum((1, 2))
        for true in (BACKGROUND, FOREGROUND)
        for label in (BACKGROUND, FOREGROUND)
    ]
    return np.stack(cells, -1).reshape(-1, 2, 2)


def accuracy(confusion):
    """Share of labelled pixels that are right, float [...], of confusion matrices [..., true, predicted].

    Each of a pixel or more: of none, 0 / 0 is not a number.
    """
    return np.trace(confusion, axis1=-2, axis2=-1) / confusion.sum((-2, -1))


def foreground_iou(confusion):
    """Intersection over union of the foreground, float [...], of confusion matrices [..., true, predicted].

    Where there is no foreground, neither true nor predicted (0 / 0), it is 1: the prediction is right. Where
    there is only a predicted or only a true foreground it is 0, by the formula.
    """
    return _iou(confusion, FOREGROUND)


def mean_iou(confusion):
    """Mean of the foreground's and the background's IoU, float [...]; 0 / 0 counts as 1 for either."""
    return (_iou(confusion, FOREGROUND) + _iou(confusion, BACKGROUND)) / 2


def adjusted_rand_index(confusion):
    """Adjusted Rand index of each image's two segments, background included (Hubert and Arabie 1985).

    The agreement of two partitions on which pairs of pixels belong together, 0 where it is as by chance: which of the
    segments is called foreground does not matter.

    Args:
        confusion: int [..., true, predicted].

    Returns:
        float [...] in [-1, 1]; 1 where all pixels are in one segment in both (0 / 0).
    """
    together = _pairs(confusion).sum((-2, -1))
    true, predicted = _pairs(confusion.sum(-1)).sum(-1), _pairs(confusion.sum(-2)).sum(-1)
    by_chance = true * predicted / np.maximum(_pairs(confusion.sum((-2, -1))), 1)
    most = (true + predicted) / 2
    return np.where(most == by_chance, 1.0, (together - by_chance) / np.where(most == by_chance, 1.0, most - by_chance))


def segment_covering(confusion):
    """Mean segmentation covering: each true segment's best IoU with a predicted one, averaged over the segments.

    Background is a segment too, and segments weigh alike, whatever their size. A true
    segment without a pixel is left out.

    Args:
        confusion: int [..., true, predicted].

    Returns:
        float [...] in [0, 1]; of no pixel at all, 0 / 0 is not a number.
    """
    true = confusion.sum(-1, keepdims=True)
    union = true + confusion.sum(-2, keepdims=True) - confusion
    best = (confusion / np.maximum(union, 1)).max(-1)
    present = true[..., 0] > 0
    return np.where(present, best, 0).sum(-1) / present.sum(-1)


def _pairs(count):
    return count * (count - 1) / 2


def _iou(confusion, label):
    intersection = confusion[..., label, label]
    union = confusion[..., label, :].sum(-1) + confusion[..., :, label].sum(-1) - intersection
    return np.where(union == 0, 1.0, intersection / np.maximum(union, 1))


def _check(predicted, truth):
    for name, array, dtype in (("predicted", predicted, bool), ("truth", truth, np.uint8)):
        if array.dtype != dtype or array.ndim != 3:
            raise ValueError(
                f"{name} must be {np.dtype(dtype)} [image, height, width], got {array.dtype} {array.shape}"
            )
    if predicted.shape != truth.shape:
        raise ValueError(f"predicted and truth must have one shape, got {predicted.shape} and {truth.shape}")
    others = set(np.unique(truth).tolist()) - {BACKGROUND, FOREGROUND, UNLABELLED}
    if others:
        raise ValueError(f"truth must hold 0, 1 and 255 only, got {sorted(others)} as well")
