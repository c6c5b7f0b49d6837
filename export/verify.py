"""Whether an exported segmenter still says what the Keras model says."""

import dataclasses

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tf_layered_gan.data.photos import Photos
from tf_layered_gan.evaluation.baselines import centred_disc
from tf_layered_gan.evaluation.metrics.segmentation import segmentation_metrics
from tf_layered_gan.evaluation.segmentation import THRESHOLD, predict_probabilities

from .tflite.signatures import ANY_SIZE, FIXED_SIZE

BATCH = 32


@dataclasses.dataclass(frozen=True, eq=False)
class Reference:
    """What exported models are held against: the Keras model on held-out photos.

    Attributes:
        photos: `Photos` at the network's resolution.
        probabilities: the Keras model's, float32 [picture, resolution, resolution, 1] in [0, 1].
    """

    photos: Photos
    probabilities: np.ndarray

    def figures(self):
        """Returns what is to be known of the photos and the Keras model.

        Returns:
            dict: "pictures", their number; "foreground", the share of pixels in the Keras masks, which tells an
            agreement on something from one on nothing; "true_iou" of the Keras masks with the true ones, and
            "centred_disc_true_iou" of a disc in the middle, which looks at no picture: None without true masks.
        """
        return {
            "pictures": len(self.photos),
            "foreground": float(np.mean(self.probabilities > THRESHOLD)),
            "true_iou": true_iou(self.probabilities > THRESHOLD, self.photos.masks),
            "centred_disc_true_iou": true_iou(centred_disc(self.photos.images)[..., None], self.photos.masks),
        }

    def compare(self, predict):
        """Measures an exported model.

        Args:
            predict: the exported model, as `savedmodel_runner` and `tflite_runner` return it.

        Returns:
            dict: the figures of `agreement`; "true_iou" of its masks with the true ones, over all pictures together,
            and "true_iou_loss", by how much less that is than the Keras model's: None without true masks.

        Raises:
            ValueError: see `agreement`.
        """
        actual = predict(self.photos.images)
        figures = agreement(self.probabilities, actual)
        true, keras = (true_iou(p > THRESHOLD, self.photos.masks) for p in (actual, self.probabilities))
        return figures | {"true_iou": true, "true_iou_loss": None if true is None else keras - true}


def reference(network, photos):
    """Returns the `Reference` of F.

    Args:
        network: F, from float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.
        photos: `Photos`, held-out ones at the network's resolution.
    """
    return Reference(photos, predict_probabilities(network, photos.images)[..., None])


def savedmodel_runner(directory):
    """Loads a SavedModel.

    Args:
        directory: what `write_savedmodel` wrote.

    Returns:
        function from uint8 [picture, resolution, resolution, rgb] to the foreground probability, float32
        [picture, resolution, resolution, 1] in [0, 1].
    """
    model = tf.saved_model.load(str(directory))

    def predict(pixels):
        batches = [pixels[start : start + BATCH] for start in range(0, len(pixels), BATCH)]
        signature = model.signatures[FIXED_SIZE]  # by way of the model, which must live as long
        return np.concatenate([signature(pixels=tf.constant(batch))["probability"].numpy() for batch in batches])

    return predict


def tflite_runner(content):
    """Loads a TFLite model.

    Args:
        content: bytes of the model.

    Returns:
        function as `savedmodel_runner` returns it. The pixels go in as they are; a quantised output is scaled
        back by the model's own parameters.
    """
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = target["quantization"]

    def predict_one(picture):
        interpreter.set_tensor(source["index"], picture[None])
        interpreter.invoke()
        values = interpreter.get_tensor(target["index"])[0]
        return (values.astype("float32") - zero_point) * np.float32(scale) if scale else values

    return lambda pixels: np.stack([predict_one(picture) for picture in pixels])


def savedmodel_any_size(directory):
    """Loads a SavedModel's signature for pictures of any size.

    Args:
        directory: what `write_savedmodel` wrote.

    Returns:
        function from uint8 [height, width, rgb] to the foreground's probability times 255, uint8 [height, width].
    """
    model = tf.saved_model.load(str(directory))
    return lambda picture: model.signatures[ANY_SIZE](picture=tf.constant(picture[None]))["mask"].numpy()[0, :, :, 0]


def tflite_any_size(content):
    """Loads a TFLite model's signature for pictures of any size; returns what `savedmodel_any_size` does."""
    run = Interpreter(model_content=content).get_signature_runner(ANY_SIZE)
    return lambda picture: run(picture=picture[None])["mask"][0, :, :, 0]


def check_any_size(any_size, predict, images):
    """Checks that at the model's own size, where nothing is resized, its two signatures say the same.

    Args:
        any_size: see `savedmodel_any_size`.
        predict: see `savedmodel_runner`.
        images: uint8 [picture, resolution, resolution, rgb].

    Raises:
        ValueError: they differ by more than a step of 255.
    """
    masks = np.stack([any_size(image) for image in images])
    apart = np.max(np.abs(masks - 255 * predict(images)[..., 0]))
    if apart > 1:
        raise ValueError(
            f"its signatures {FIXED_SIZE} and {ANY_SIZE} are {apart:.0f} steps of 255 apart, at most 1 is right"
        )


def agreement(expected, actual):
    """Compares an exported model's probabilities with those of the Keras model that it was made from.

    Args:
        expected: the Keras model's, float32 [picture, resolution, resolution, 1].
        actual: the exported model's.

    Returns:
        dict: "iou" of the two models' masks, probability above 0.5, over all pictures together, 1 where both
        are empty; "max_difference" of the probabilities.

    Raises:
        ValueError: the exported model returned another shape, or numbers that are not finite.
    """
    if actual.shape != expected.shape or not np.isfinite(actual).all():
        raise ValueError(
            f"the exported model must return finite probabilities {list(expected.shape)}, "
            f"got {list(actual.shape)}, {np.isfinite(actual).mean():.1%} of them finite"
        )
    expected_mask, actual_mask = expected > THRESHOLD, actual > THRESHOLD
    union = np.sum(expected_mask | actual_mask)
    return {
        "iou": float(np.sum(expected_mask & actual_mask) / union) if union else 1.0,
        "max_difference": float(np.max(np.abs(expected - actual))),
    }


def true_iou(predicted, truth):
    """IoU with the true masks over all pictures together, or None where there are none.

    Args:
        predicted: bool [picture, resolution, resolution, 1].
        truth: None, or as `Photos.masks`.
    """
    return None if truth is None else segmentation_metrics(predicted[..., 0], truth)["iou"]
