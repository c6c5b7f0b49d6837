"""Metrics of the agreement between predicted and true masks.

Some papers count the pixels of all images together, and others average over the images. This module does both.
"""

import numpy as np

from tf_layered_gan.data.photos import BACKGROUND, FOREGROUND, UNLABELLED

_BAND = 0.02  # width of the band along a mask's boundary, as a share of the image's diagonal (Cheng et al. 2021)


def segmentation_metrics(predicted: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Computes the metrics of segmentation, such as IoU (intersection over union), over all pixels and per image.

    The metrics of the paper (Sec. 4) are accuracy, the IoU of the foreground, and mIoU. mIoU is the mean of the
    foreground's and the background's IoU. A metric over all pixels counts the pixels of all images together. A metric
    with "_per_image" is computed for each image and then averaged. The paper does not say whether it averages over
    images. A predicted mask is never replaced by its inverse, even if the inverse agrees better with the true mask.

    Args:
        predicted: bool [image, height, width], True = foreground.
        truth: uint8 [image, height, width]: 0 background, 1 foreground, 255 unlabelled. Unlabelled pixels are ignored,
            and so are images without a labelled pixel.

    Returns:
        dict of metrics by name:

        - "iou", "accuracy", "miou" and "boundary_iou" (see `boundary_matrices`), and the same names with "_per_image":
          floats in [0, 1].
        - "ari" (see `adjusted_rand_index`), a float in [-1, 1], and "msc" (see `segment_covering`), a float in [0, 1].
          Both are means over the images. The paper's table on APC has ARI and MSC.
        - "predicted_fraction" and "true_fraction": the shares of the labelled pixels that are foreground in the
          predicted and in the true masks, floats in [0, 1].
        - "images": the number of images with a labelled pixel, an int.

    Raises:
        ValueError: if an array has another dtype, shape or label, or if no pixel is labelled.
    """
    return summarize(confusion_matrices(predicted, truth), boundary_matrices(predicted, truth))


def summarize(confusions: np.ndarray, boundaries: np.ndarray) -> dict[str, float]:
    """Computes the dict of `segmentation_metrics` from matrices. The matrices may come from images of different sizes.

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
        int64 [image, true label, predicted label]. Label 0 is background and label 1 is foreground.

    Raises:
        ValueError: if an array has another dtype, shape or label.
    """
    _check(predicted, truth)
    cells = [
        ((truth == true) & (predicted == label)).sum((1, 2))
        for true in (BACKGROUND, FOREGROUND)
        for label in (BACKGROUND, FOREGROUND)
    ]
    return np.stack(cells, -1).reshape(-1, 2, 2)


def boundary_matrices(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Counts each image's labelled pixels inside and outside the boundary bands of the true and the predicted mask.

    The boundary IoU (Cheng et al. 2021) is the IoU of the two bands. `foreground_iou` computes the boundary IoU from
    these matrices. The border of an unlabelled area must not count as a boundary of the object. So the unlabelled
    pixels of a true mask first get the predicted labels. Then the band of this mask is found.

    Args:
        predicted, truth: see `segmentation_metrics`.

    Returns:
        numbers of pixels, int64 [image, 2, 2]. The second axis tells whether a pixel is in the band of the true mask.
        The third axis tells whether the pixel is in the band of the predicted mask.
    """
    true = np.where(truth == UNLABELLED, predicted, truth == FOREGROUND)
    labels = np.where(truth == UNLABELLED, truth, boundary_bands(true).astype(np.uint8))
    return confusion_matrices(boundary_bands(predicted), labels)


def boundary_bands(masks: np.ndarray) -> np.ndarray:
    """Finds the pixels of each mask that are near its boundary.

    Let d be 2 % of the image's diagonal, but at least 1 pixel. A pixel of the mask is near the boundary if some pixel
    outside the mask, or outside the image, is at most d rows and at most d columns away.

    Args:
        masks: bool [image, height, width].

    Returns:
        bool [image, height, width].
    """
    width = max(1, round(_BAND * float(np.hypot(*masks.shape[1:]))))
    return masks & ~_eroded(_eroded(masks, width, axis=1), width, axis=2)


def _eroded(masks: np.ndarray, width: int, axis: int) -> np.ndarray:
    """Keeps a pixel of a mask if the next `width` pixels in both directions of an axis are in the mask too."""
    padding = [(width, width) if axis == i else (0, 0) for i in range(3)]
    kept, joined = np.moveaxis(np.pad(masks, padding), axis, 0), 1
    while joined < 2 * width + 1:  # each iteration joins windows of `joined` pixels into larger windows
        step = min(joined, 2 * width + 1 - joined)
        kept, joined = kept[:-step] & kept[step:], joined + step
    return np.moveaxis(kept, 0, axis)


def accuracy(confusion: np.ndarray) -> np.ndarray:
    """Computes the share of correct pixels, float [...], from matrices [..., true, predicted]. 0 / 0 gives NaN."""
    return np.trace(confusion, axis1=-2, axis2=-1) / confusion.sum((-2, -1))


def foreground_iou(confusion: np.ndarray) -> np.ndarray:
    """Computes the foreground's IoU (intersection over union), float [...], from matrices [..., true, predicted].

    The IoU is 1 if neither mask has foreground (0 / 0). It is 0 if only one of the two masks has foreground.
    """
    return _iou(confusion, FOREGROUND)


def mean_iou(confusion: np.ndarray) -> np.ndarray:
    """Computes the mean of the foreground's and the background's IoU, float [...]. An IoU of 0 / 0 counts as 1."""
    return (_iou(confusion, FOREGROUND) + _iou(confusion, BACKGROUND)) / 2


def adjusted_rand_index(confusion: np.ndarray) -> np.ndarray:
    """Computes the adjusted Rand index of each image (Hubert and Arabie 1985).

    A mask divides an image into two segments, foreground and background. The index measures how well the true and the
    predicted mask agree on which pairs of pixels belong to the same segment. Agreement by chance gives 0. The index
    does not depend on which segment is called foreground.

    Args:
        confusion: int [..., true, predicted].

    Returns:
        float [...] in [-1, 1]. The index is 1 if both masks have all pixels in one segment (0 / 0).
    """
    together = _pairs(confusion).sum((-2, -1))
    true, predicted = _pairs(confusion.sum(-1)).sum(-1), _pairs(confusion.sum(-2)).sum(-1)
    by_chance = true * predicted / np.maximum(_pairs(confusion.sum((-2, -1))), 1)
    most = (true + predicted) / 2
    return np.where(most == by_chance, 1.0, (together - by_chance) / np.where(most == by_chance, 1.0, most - by_chance))


def segment_covering(confusion: np.ndarray) -> np.ndarray:
    """Computes the mean segmentation covering of each image.

    For each true segment, the IoU with each predicted segment is computed, and the best IoU is kept. The covering is
    the mean of the best IoUs over the true segments. Background is a segment too. All segments have the same weight,
    whatever their size. A true segment without a pixel is left out.

    Args:
        confusion: int [..., true, predicted].

    Returns:
        float [...] in [0, 1]. The covering is NaN if there is no pixel (0 / 0).
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
        raise ValueError(f"predicted and truth must have the same shape, got {predicted.shape} and {truth.shape}")
    others = set(np.unique(truth).tolist()) - {BACKGROUND, FOREGROUND, UNLABELLED}
    if others:
        raise ValueError(f"truth must hold 0, 1 and 255 only, got {sorted(others)} as well")
