"""Comparison of exported files with the Keras model. This comparison decides which files are good enough."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from edge_segmenter.model import open_model
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.evaluation.baselines import centred_disc
from tf_layered_gan.evaluation.metrics.segmentation import segmentation_metrics
from tf_layered_gan.evaluation.segmentation import THRESHOLD, predict_probabilities
from tf_layered_gan.labelling.any_segmenter import load_savedmodel, load_segmenter

from .tflite.signatures import ANY_SIZE, FIXED_SIZE

MIN_AGREEMENT = 0.9
_CHECKED_PHOTOS = 4  # few photos are enough, because both signatures have the same weights
_ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True, eq=False)
class Reference:
    """The Keras model's results on the test photos. Exported models are compared with these results.

    Attributes:
        photos: `Photos` at the model's resolution.
        probabilities: the Keras model's foreground probabilities, float32 [photo, resolution, resolution] in [0, 1].
    """

    photos: Photos
    probabilities: np.ndarray

    @functools.cached_property
    def figures(self) -> dict:
        """The metrics of the Keras model on the photos, a dict.

        "pictures": the number of photos
        "foreground": the fraction of all pixels inside the Keras model's masks
        "true_iou": the IoU of these masks with the test masks
        "centred_disc_true_iou": the IoU of a disc in the middle of each photo with the test masks

        If "foreground" is 0, the Keras model's masks are empty, and an agreement with them proves nothing. Without test
        masks, "true_iou" and "centred_disc_true_iou" are None.
        """
        return {
            "pictures": len(self.photos),
            "foreground": float(np.mean(self.probabilities > THRESHOLD)),
            "true_iou": _true_iou(self.probabilities > THRESHOLD, self.photos),
            "centred_disc_true_iou": _true_iou(centred_disc(self.photos.images), self.photos),
        }

    def compare(self, probabilities: np.ndarray) -> dict:
        """Measures an exported model by its probabilities on the same photos.

        Returns:
            dict with these entries:
                "iou": the IoU of the exported model's masks with the Keras model's masks, over all photos together
                "max_difference": the largest difference between the probabilities of the two models
                "true_iou": the IoU of the exported model's masks with the test masks
                "true_iou_loss": the Keras model's "true_iou" minus the exported model's "true_iou"

            Without test masks, "true_iou" and "true_iou_loss" are None.
        """
        masks, keras_masks = probabilities > THRESHOLD, self.probabilities > THRESHOLD
        true_iou, keras_true_iou = _true_iou(masks, self.photos), self.figures["true_iou"]
        return {
            "iou": segmentation_metrics(masks, keras_masks.astype(np.uint8))["iou"],
            "max_difference": float(np.max(np.abs(self.probabilities - probabilities))),
            "true_iou": true_iou,
            "true_iou_loss": None if true_iou is None else keras_true_iou - true_iou,
        }


def reference(network: keras.Model, photos: Photos) -> Reference:
    """Runs the Keras model on the test photos.

    Args:
        network: F, which maps float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.
        photos: held-out `Photos` at the network's resolution.
    """
    return Reference(photos, predict_probabilities(network, photos.images))


def verify(path: pathlib.Path, keras_model: Reference, max_iou_loss: float) -> dict:
    """Verifies both signatures of an exported file. The file runs on one photo at a time, as on a device.

    Args:
        path: path of a .tflite file or a SavedModel that this program wrote.
        keras_model: the Keras model's results on the test photos.
        max_iou_loss: largest drop in IoU that is allowed for the file.

    Returns:
        dict: the metrics of `Reference.compare`, and "refused", which is None or a str with the reason to refuse the
            file.

    Raises:
        ValueError: the file does not load or does not return probabilities.
    """
    images = keras_model.photos.images
    _, predict = load_segmenter(path)
    probabilities = np.stack([predict(image) for image in images])
    figures = keras_model.compare(probabilities)
    masks = np.stack(list(map(load_any_size(path), images[:_CHECKED_PHOTOS])))
    refused = signature_refusal(masks, probabilities[:_CHECKED_PHOTOS])
    return figures | {"refused": refused or loss_refusal(figures, keras_model.figures["true_iou"], max_iou_loss)}


def load_any_size(path: pathlib.Path) -> Callable[[np.ndarray], np.ndarray]:
    """Loads the signature for images of any size from a .tflite file or a SavedModel that this program wrote.

    Returns:
        A function that takes uint8 [height, width, rgb] and returns 255 times the foreground probability, uint8
        [height, width].
    """
    if path.is_dir():
        model = load_savedmodel(path)
        return lambda image: model.signatures[ANY_SIZE](picture=tf.constant(image[None]))["mask"].numpy()[0, :, :, 0]
    run = open_model(path).get_signature_runner(ANY_SIZE)
    return lambda image: run(picture=image[None])["mask"][0, :, :, 0]


def signature_refusal(masks: np.ndarray, probabilities: np.ndarray) -> str | None:
    """Returns the reason to refuse a file if its two signatures differ for photos of the model's size, otherwise None.

    Args:
        masks: uint8 [photo, resolution, resolution], 255 times the probability, from the signature for any size.
        probabilities: float32 [photo, resolution, resolution] in [0, 1], from the signature for the model's size.
    """
    difference = np.max(np.abs(masks - 255 * probabilities))
    if difference <= 1:
        return None
    return f"its signatures {FIXED_SIZE} and {ANY_SIZE} differ by {difference:.0f} of 255 steps, allowed: 1"


def loss_refusal(figures: dict, keras_true_iou: float | None, max_iou_loss: float) -> str | None:
    """Returns the reason to refuse a file if its IoU is too low, otherwise None.

    The IoU is measured with the test masks and with the Keras model's masks.

    Args:
        figures: see `Reference.compare`.
        keras_true_iou: IoU of the Keras model's masks with the test masks, None without test masks.
        max_iou_loss: largest drop in IoU that is allowed for the file.
    """
    loss = 0.0 if keras_true_iou is None else keras_true_iou - figures["true_iou"]
    if loss > max_iou_loss + _ROUNDING:
        found = f"its IoU with the test masks is {figures['true_iou']:.4f}"
        return f"{found}, {loss:.5g} below the IoU of the Keras model, allowed: {max_iou_loss:g}"
    least = least_agreement(keras_true_iou, max_iou_loss)
    if figures["iou"] < least - _ROUNDING:
        return f"its IoU with the Keras model's masks is {figures['iou']:.5g}, allowed: {least:g} or more"
    return None


def least_agreement(keras_true_iou: float | None, max_iou_loss: float) -> float:
    """Returns the least IoU that the masks of a file must have with the Keras model's masks.

    Without test masks, this IoU is 1 - `max_iou_loss`. With test masks, this IoU is at most `MIN_AGREEMENT`, because
    the IoU with the test masks is then the main check. The main check alone is not enough, because two different masks
    can have the same IoU with the test mask, for example a full mask and an almost empty mask.

    Args:
        keras_true_iou: IoU of the Keras model's masks with the test masks, None without test masks.
        max_iou_loss: largest drop in IoU that is allowed for the file.
    """
    least = round(1 - max_iou_loss, 9)
    return least if keras_true_iou is None else min(MIN_AGREEMENT, least)


def _true_iou(masks: np.ndarray, photos: Photos) -> float | None:
    return None if photos.masks is None else segmentation_metrics(masks, photos.masks)["iou"]
