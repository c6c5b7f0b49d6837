"""The segmenter and the baselines, measured on the same held-out photos; and E_x as a clustering of all photos."""

import keras
import numpy as np

from tf_layered_gan.evaluation.baselines import BASELINES
from tf_layered_gan.evaluation.metrics.segmentation import segmentation_metrics

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
    "predicted": "predicted_fraction",
    "true": "true_fraction",
}


def to_model_range(images):
    """Maps pixels to the networks' range, x / 127.5 - 1.

    Args:
        images: uint8 [..., rgb].

    Returns:
        float32 [..., rgb] in [-1, 1].
    """
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def predict_probabilities(network, images, batch_size=64):
    """Computes each pixel's foreground probability, the sigmoid of the network's logits at inference.

    The last batch is filled up with copies of the last image, so that the network is traced for one size.

    Args:
        network: keras.Model from float32 [batch, height, width, rgb] in [-1, 1] to logits float32 [batch,
            height, width, 1].
        images: uint8 [image, height, width, rgb].
        batch_size: images at a time; at most as many as there are.

    Returns:
        float32 [image, height, width] in [0, 1].

    Raises:
        ValueError: for another type or shape of images, no image, or logits of another shape.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or len(images) == 0:
        raise ValueError(f"images must be uint8 [image, height, width, 3], got {images.dtype} {images.shape}")
    batch_size = min(batch_size, len(images))
    logits = [_predict(network, images[i : i + batch_size], batch_size) for i in range(0, len(images), batch_size)]
    logits = np.concatenate(logits)
    if logits.shape != (*images.shape[:3], 1):
        raise ValueError(f"network must give logits {(*images.shape[:3], 1)}, got {logits.shape}")
    return keras.ops.convert_to_numpy(keras.ops.sigmoid(logits[..., 0]))


def evaluate(network, photos, *, baselines=True):
    """Measures the network's masks, probability above 0.5, and those of the baselines against the true masks.

    Args:
        network: as for `predict_probabilities`.
        photos: `Photos` with masks.
        baselines: whether to measure the baselines as well.

    Returns:
        dict from "segmenter", and then the baselines' names, to the dict of `segmentation_metrics`.

    Raises:
        ValueError: if the photos have no masks, or no labelled pixel.
        ImportError: without OpenCV, which the baselines need.
    """
    if photos.masks is None:
        raise ValueError("photos.masks is None: photos can be evaluated only where their true masks are given")
    masks = {"segmenter": predict_probabilities(network, photos.images) > THRESHOLD}
    if baselines:
        masks |= {name: baseline(photos.images) for name, baseline in BASELINES.items()}
    return {name: segmentation_metrics(predicted, photos.masks) for name, predicted in masks.items()}


def format_table(results):
    """Writes results as aligned plain text, in per cent, both protocols side by side.

    Args:
        results: what `evaluate` returns; one method or more.

    Returns:
        str: a line on the images and the protocols, a header, and a line a method.
    """
    images = next(iter(results.values()))["images"]
    rows = [["", *_COLUMNS]]
    rows += [[name, *(f"{100 * metrics[key]:.1f}" for key in _COLUMNS.values())] for name, metrics in results.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    title = (
        f"{images} images; per cent, over all pixels or, /image and ARI and MSC, averaged over the images; "
        "predicted and true are the foreground's share"
    )
    return "\n".join([title, *(_align(row, widths) for row in rows)])


def _align(row, widths):
    cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join([row[0].ljust(widths[0]), *cells])


def _predict(network, images, batch_size):
    missing = batch_size - len(images)
    batch = np.concatenate([images, images[-1:].repeat(missing, 0)])
    return network.predict_on_batch(to_model_range(batch))[: len(images)]
