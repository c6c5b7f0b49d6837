"""Segmentation of the demo's images by hue alone, with a threshold that is chosen with true masks.

    python -m benchmarks.hue_threshold

The hues of objects are near red. Pixels within a certain distance from red count as object pixels. The chosen distance
has the highest IoU on the validation images. The method is not a baseline, because it uses true masks.
"""

import cv2
import numpy as np

from tf_layered_gan.command_line import run_command
from tf_layered_gan.data import shapes
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.evaluation.baselines import largest_thing
from tf_layered_gan.evaluation.metrics.segmentation import segmentation_metrics

_THRESHOLDS = np.arange(0.05, 0.31, 0.01)


def warm_things(images: np.ndarray, threshold: float) -> np.ndarray:
    """Finds the largest region with hues near red in each image, see `baselines.largest_thing`.

    Args:
        images: uint8 [image, height, width, rgb].
        threshold: the largest distance from red, as a fraction of the circle of hues.

    Returns:
        bool [image, height, width].
    """
    hues = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)[..., 0] for image in images]) / 256
    return np.stack([largest_thing(warm) for warm in np.minimum(hues, 1 - hues) < threshold])


def best_threshold(photos: Photos) -> float:
    """Returns the threshold from 0.05 to 0.3, in steps of 0.01, that has the highest IoU on photos with masks."""
    return max(_THRESHOLDS, key=lambda threshold: _metrics(photos, threshold)["iou"])


def _metrics(photos: Photos, threshold: float) -> dict[str, float]:
    assert photos.masks is not None
    return segmentation_metrics(warm_things(photos.images, threshold), photos.masks)


def main() -> None:
    """Prints the threshold and its IoU on the test images."""
    splits = shapes.load(train=1, held_out=300, resolution=32, storage_size=32)
    threshold = best_threshold(splits.validation)
    metrics = _metrics(splits.test, threshold)
    print(f"hues within {threshold:.2f} of red: IoU {metrics['iou']:.3f} / {metrics['iou_per_image']:.3f}")


if __name__ == "__main__":
    run_command(main)
