"""Export as a SavedModel of TensorFlow, for servers."""

import pathlib

import keras
import tensorflow as tf

from tf_layered_gan.files.paths import for_tensorflow

from ..tflite.resampling import to_own_size, to_square
from ..tflite.signatures import ANY_SIZE, FIXED_SIZE
from .probabilities import serving_model


def write_savedmodel(network: keras.Model, directory: pathlib.Path, fit: str) -> None:
    """Writes F as a SavedModel with the two signatures of the .tflite files.

    "serving_default" maps `pixels`, uint8 [batch, resolution, resolution, rgb], to the foreground probability,
    `probability`, float32 [batch, resolution, resolution, 1] in [0, 1]. A batch may have any number of images.
    "any_size" maps `picture`, uint8 [1, height, width, rgb], to `mask`, uint8 [1, height, width, 1], see `resampling`.

    Args:
        network: F, which maps float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.
        directory: directory of the SavedModel.
        fit: how "any_size" fits an image into F's square, "squeeze" or "pad".

    Raises:
        OSError: the SavedModel cannot be written, for example because the disk is full.
    """
    model = serving_model(network)
    pixels = tf.TensorSpec(model.input_shape, tf.uint8, "pixels")
    image = tf.TensorSpec((1, None, None, 3), tf.uint8, "picture")  # the input has had this name since version 0.1.0

    @tf.function(autograph=False, input_signature=[pixels])
    def fixed_size(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probability": model(pixels, training=False)}

    @tf.function(autograph=False, input_signature=[image])
    def any_size(image: tf.Tensor) -> dict[str, tf.Tensor]:
        probability = model(to_square(image, pixels.shape[1], fit), training=False)
        return {"mask": to_own_size(probability, image, fit)}

    directory.mkdir(parents=True, exist_ok=True)
    try:  # the export function of Keras would store each weight twice
        with for_tensorflow(directory) as folder:
            tf.saved_model.save(model, folder, signatures={FIXED_SIZE: fixed_size, ANY_SIZE: any_size})
    except tf.errors.OpError as error:  # if the disk is full, TensorFlow raises this error, not an OSError
        raise OSError(f"no SavedModel could be written to {directory}: {error.message}") from error
