"""How far colour alone would go on the embedded pictures, if masks had chosen the colours.

    python -m benchmarks.hue_threshold

An object's hues lie around red. The threshold on the distance from red is the one that is best on the validation
pictures with their true masks, so this is no baseline: it knows what the segmenter has to find out.
"""

import cv2
import numpy as np
from absl import app

from tf_layered_gan.data import shapes
from tf_layered_gan.evaluation.baselines import largest_thing
from tf_layered_gan.evaluation.metrics.segmentation import segmentation_metrics

_THRESHOLDS = np.arange(0.05, 0.31, 0.01)


def warm_things(images, threshold):
    """Takes each image's largest thing, see `baselines.largest_thing`, of hues near red.

    Args:
        images: uint8 [image, height, width, rgb].
        threshold: the largest distance from red, in turns of the circle of hues.

    Returns:
        bool [image, height, width].
    """
    hues = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)[..., 0] for image in images]) / 256
    return np.stack([largest_thing(warm) for warm in np.minimum(hues, 1 - hues) < threshold])


def best_threshold(photos):
    """Returns which of 0.05, 0.06, ..., 0.3 has the highest IoU on `Photos` with masks."""
    return max(_THRESHOLDS, key=lambda t: segmentation_metrics(warm_things(photos.images, t), photos.masks)["iou"])


def main(argv):
    """Prints the threshold and what it reaches on the test pictures."""
    del argv
    splits = shapes.load(train=1, held_out=300, resolution=32, storage_size=32)
    threshold = best_threshold(splits.validation)
    metrics = segmentation_metrics(warm_things(splits.test.images, threshold), splits.test.masks)
    print(f"hues within {threshold:.2f} turns of red: IoU {metrics['iou']:.3f} / {metrics['iou_per_image']:.3f}")


if __name__ == "__main__":
    app.run(main)
