"""Evaluation of the segmenter and the baselines on the same held-out photos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tf_layered_gan.data.labels import odd_masks
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.evaluation.baselines import BASELINES
from tf_layered_gan.evaluation.metrics.segmentation import segmentation_metrics
from tf_layered_gan.labelling import labels

if TYPE_CHECKING:
    import keras

THRESHOLD = 0.5
_COLUMNS = {
    "IoU": "iou",
    "mIoU": "miou",
    "ACC": "accuracy",
    "IoU/image": "iou_per_image",
    "mIoU/image": "miou_per_image",
    "ACC/image": "accuracy_per_image",
    "ARI": "ari",
    "MSC": "msc",
    "boundary": "boundary_iou",
    "predicted": "predicted_fraction",
    "true": "true_fraction",
}


def to_model_range(images: np.ndarray) -> np.ndarray:
    """Maps pixels, uint8 [..., rgb], to float32 [..., rgb] in [-1, 1], the input range of the networks."""
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def predict_probabilities(network: keras.Model, images: np.ndarray, batch_size: int = 64) -> np.ndarray:
    """Computes the foreground probability of each pixel. The probability is the sigmoid of the network's logit.

    The network runs in inference mode. The last batch is filled up with copies of the last image, so that the network
    is traced for one batch size only.

    Args:
        network: model that maps float32 [batch, height, width, rgb] in [-1, 1] to logits float32 [batch, height, width,
            1].
        images: uint8 [image, height, width, rgb].
        batch_size: images per batch. A batch size above the number of images is reduced to the number of images.

    Returns:
        float32 [image, height, width] in [0, 1].

    Raises:
        ValueError: if there is no image, the images have another type or shape, or the logits have another shape.
    """
    from keras import ops  # imported here, because the evaluation of a .tflite file does not need Keras

    if images.dtype != np.uint8 or images.ndim != 4 or len(images) == 0:
        raise ValueError(f"images must be uint8 [image, height, width, 3], got {images.dtype} {images.shape}")
    batch_size = min(batch_size, len(images))
    batches = [_predict(network, images[i : i + batch_size], batch_size) for i in range(0, len(images), batch_size)]
    logits = np.concatenate(batches)
    if logits.shape != (*images.shape[:3], 1):
        raise ValueError(f"the network must return logits {(*images.shape[:3], 1)}, got {logits.shape}")
    return ops.convert_to_numpy(ops.sigmoid(logits[..., 0]))


def evaluate(
    network: keras.Model,
    photos: Photos,
    *,
    baselines: bool = True,
    others: Mapping[str, keras.Model] | None = None,
) -> dict[str, dict[str, float]]:
    """Compares the masks of the network (probability above 0.5) and of the baselines with the true masks.

    Args:
        network: see `predict_probabilities`.
        photos: photos with masks.
        baselines: whether to also evaluate the baselines, and the network's masks after `edge_segmenter.sharpening`.
        others: more networks to evaluate, by name.

    Returns:
        dict from a name to its `segmentation_metrics`. The names are "segmenter" and the names in `others`. If
        `baselines` is True, the dict also has "sharpened" and the names of the baselines.

    Raises:
        ValueError: if the photos have no masks, or no pixel is labelled.
    """
    if photos.masks is None:
        raise ValueError("photos.masks is None, but evaluation needs true masks")
    networks = {"segmenter": network, **(others or {})}
    probabilities = {name: predict_probabilities(one, photos.images) for name, one in networks.items()}
    masks = {name: found > THRESHOLD for name, found in probabilities.items()}
    if baselines:
        masks["sharpened"] = labels.sharpen_each(photos.images, probabilities["segmenter"]) > 127
        masks |= {name: baseline(photos.images) for name, baseline in BASELINES.items()}
    return {name: segmentation_metrics(predicted, photos.masks) for name, predicted in masks.items()}


def format_table(results: dict[str, dict[str, float]]) -> str:
    """Formats results as an aligned plain-text table in per cent.

    Args:
        results: dict that `evaluate` returned, with at least one method.

    Returns:
        A title with the number of images, a header, one line per method, and a warning if the true masks look wrong.
    """
    first = next(iter(results.values()))
    images, doubt = first["images"], odd_masks(first["true_fraction"])
    rows = [["", *_COLUMNS]]
    rows += [[name, *(f"{100 * metrics[key]:.1f}" for key in _COLUMNS.values())] for name, metrics in results.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    title = (
        f"{images} images; all figures are in per cent. IoU, mIoU, ACC and boundary (boundary IoU) are computed "
        "over all pixels. The columns with /image and the columns ARI and MSC are means over the images. The columns "
        "predicted and true are the shares of foreground in the predicted and in the true masks."
    )
    return "\n".join([title, *(_align(row, widths) for row in rows), *([f"warning: {doubt}"] if doubt else [])])


def _align(row: list[str], widths: list[int]) -> str:
    cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join([row[0].ljust(widths[0]), *cells])


def _predict(network: keras.Model, images: np.ndarray, batch_size: int) -> np.ndarray:
    missing = batch_size - len(images)
    batch = np.concatenate([images, images[-1:].repeat(missing, 0)])
    return network.predict_on_batch(to_model_range(batch))[: len(images)]
