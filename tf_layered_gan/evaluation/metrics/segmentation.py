"""Agreement of predicted masks with true masks, averaged in both ways that papers use."""

import numpy as np

from tf_layered_gan.data.photos import BACKGROUND, FOREGROUND, UNLABELLED

_BAND = 0.02  # width of a mask's boundary band, share of the image's diagonal (Cheng et al. 2021)


def segmentation_metrics(predicted: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Computes accuracy, foreground IoU and mIoU (paper, Sec. 4), over all pixels and as means over the images.

    Figures over all pixels add up the pixels of all images first. Figures with "_per_image" are means of the images'
    own figures. The paper does not say which of the two it uses. A mask is never replaced by its inverse.

    Args:
        predicted: bool [image, height, width], True = foreground.
        truth: uint8 [image, height, width]: 0 background, 1 foreground, 255 unlabelled. Unlabelled pixels are ignored,
            and so are images without a labelled pixel.

    Returns:
        dict: "iou", "accuracy", "miou", "boundary_iou" (see `boundary_bands`), and each with "_per_image", floats in
        [0, 1]; "ari" in [-1, 1] and "msc" in [0,
        1], means over the images (the paper's table on APC); "predicted_fraction" and "true_fraction", the share of
        foreground among labelled pixels; "images", the number of images with a labelled pixel, an int.

    Raises:
        ValueError: for another type, shape or label, or if no pixel is labelled.
    """
    return summarize(confusion_matrices(predicted, truth), boundary_matrices(predicted, truth))


def summarize(confusions: np.ndarray, boundaries: np.ndarray) -> dict[str, float]:
    """Computes the dict of `segmentation_metrics` from confusion matrices, so that images may differ in size.

    Args:
        confusions: int [image, true, predicted], see `confusion_matrices`.
        boundaries: int [image, true, predicted], see `boundary_matrices`.

    Raises:
        ValueError: if no pixel is labelled.
    """
    labelled = confusions.any((1, 2))
    per_image, bands = confusions[labelled], boundaries[labelled]
    if len(per_image) == 0:
        raise ValueError(f"truth must have a labelled pixel (0 or 1), got none in {len(confusions)} images")
    whole = per_image.sum(0)
    metrics = {}
    for name, metric in {"iou": foreground_iou, "accuracy": accuracy, "miou": mean_iou}.items():
        metrics[name] = float(metric(whole))
        metrics[f"{name}_per_image"] = float(metric(per_image).mean())
    metrics["boundary_iou"] = float(foreground_iou(bands.sum(0)))
    metrics["boundary_iou_per_image"] = float(foreground_iou(bands).mean())
    metrics |= {"ari": float(adjusted_rand_index(per_image).mean()), "msc": float(segment_covering(per_image).mean())}
    metrics["predicted_fraction"] = float(whole[:, FOREGROUND].sum() / whole.sum())
    metrics["true_fraction"] = float(whole[FOREGROUND].sum() / whole.sum())
    return metrics | {"images": len(per_image)}


def confusion_matrices(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Counts the labelled pixels of each image by true and predicted label.

    Args:
        predicted, truth: see `segmentation_metrics`.

    Returns:
        int64 [image, true label, predicted label], with label 0 for background and 1 for foreground.

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


def boundary_matrices(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Counts the labelled pixels of each image by whether they are in the true and in the predicted boundary band.

    Args:
        predicted, truth: see `segmentation_metrics`.

    Returns:
        int64 [image, in the true band, in the predicted band]. The foreground's IoU of such a matrix is the boundary
        IoU (Cheng et al. 2021).
    """
    inner = (truth == FOREGROUND) & ~boundary_bands(truth == FOREGROUND)
    return confusion_matrices(boundary_bands(predicted), np.where(inner, np.uint8(BACKGROUND), truth))


def boundary_bands(masks: np.ndarray) -> np.ndarray:
    """Returns the pixels of each mask that are near its boundary, bool [image, height, width].

    A pixel is near if a pixel outside the mask, or outside the image, is at most 2 % of the diagonal away (at least 1
    pixel), in rows and in columns.

    Args:
        masks: bool [image, height, width].
    """
    width = max(1, round(_BAND * float(np.hypot(*masks.shape[1:]))))
    return masks & ~_eroded(_eroded(masks, width, axis=1), width, axis=2)


def _eroded(masks: np.ndarray, width: int, axis: int) -> np.ndarray:
    """Keeps the pixels whose neighbours up to `width` pixels away along an axis are all in the mask."""
    padding = [(width, width) if axis == i else (0, 0) for i in range(3)]
    kept, joined = np.moveaxis(np.pad(masks, padding), axis, 0), 1
    while joined < 2 * width + 1:  # each turn joins windows of `joined` pixels to larger ones
        step = min(joined, 2 * width + 1 - joined)
        kept, joined = kept[:-step] & kept[step:], joined + step
    return np.moveaxis(kept, 0, axis)


def accuracy(confusion: np.ndarray) -> np.ndarray:
    """Computes the share of correct pixels, float [...], of matrices [..., true, predicted]; NaN for 0 / 0."""
    return np.trace(confusion, axis1=-2, axis2=-1) / confusion.sum((-2, -1))


def foreground_iou(confusion: np.ndarray) -> np.ndarray:
    """Computes the intersection over union of the foreground, float [...], of matrices [..., true, predicted].

    It is 1 if there is neither true nor predicted foreground (0 / 0), and 0 if there is only one of them.
    """
    return _iou(confusion, FOREGROUND)


def mean_iou(confusion: np.ndarray) -> np.ndarray:
    """Computes the mean of the foreground's and the background's IoU, float [...]. 0 / 0 counts as 1."""
    return (_iou(confusion, FOREGROUND) + _iou(confusion, BACKGROUND)) / 2


def adjusted_rand_index(confusion: np.ndarray) -> np.ndarray:
    """Computes the adjusted Rand index of each image's two segments, background included (Hubert and Arabie 1985).

    The index tells how well two partitions agree on which pairs of pixels belong together. Chance gives 0. The index
    does not depend on which segment is called foreground.

    Args:
        confusion: int [..., true, predicted].

    Returns:
        float [...] in [-1, 1]; 1 if both partitions have all pixels in one segment (0 / 0).
    """
    together = _pairs(confusion).sum((-2, -1))
    true, predicted = _pairs(confusion.sum(-1)).sum(-1), _pairs(confusion.sum(-2)).sum(-1)
    by_chance = true * predicted / np.maximum(_pairs(confusion.sum((-2, -1))), 1)
    most = (true + predicted) / 2
    return np.where(most == by_chance, 1.0, (together - by_chance) / np.where(most == by_chance, 1.0, most - by_chance))


def segment_covering(confusion: np.ndarray) -> np.ndarray:
    """Computes the mean segmentation covering: the mean, over the true segments, of the best IoU with a predicted one.

    Background is a segment too. All segments weigh the same, whatever their size; a true segment without a pixel is
    left out.

    Args:
        confusion: int [..., true, predicted].

    Returns:
        float [...] in [0, 1]; NaN if there is no pixel (0 / 0).
    """
    true = confusion.sum(-1, keepdims=True)
    union = true + confusion.sum(-2, keepdims=True) - confusion
    best = (confusion / np.maximum(union, 1)).max(-1)
    present = true[..., 0] > 0
    return np.where(present, best, 0).sum(-1) / present.sum(-1)


def _pairs(count: np.ndarray) -> np.ndarray:
    return count * (count - 1) / 2


def _iou(confusion: np.ndarray, label: int) -> np.ndarray:
    intersection = confusion[..., label, label]
    union = confusion[..., label, :].sum(-1) + confusion[..., :, label].sum(-1) - intersection
    return np.where(union == 0, 1.0, intersection / np.maximum(union, 1))


def _check(predicted: np.ndarray, truth: np.ndarray) -> None:
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
