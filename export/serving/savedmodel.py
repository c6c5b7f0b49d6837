"""Export to TensorFlow's SavedModel, for servers."""

import tensorflow as tf

from ..serving.probabilities import serving_model
from ..tflite.resampling import letterbox, to_own_size
from ..tflite.signatures import ANY_SIZE, FIXED_SIZE


def write_savedmodel(network, directory):
    """Writes F as a SavedModel with the two signatures of the .tflite files.

    Args:
        network: F, from float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.
        directory: where to. "serving_default" maps `pixels`, uint8 [batch, resolution, resolution, rgb], to
            `probability`, the foreground's, float32 [batch, resolution, resolution, 1] in [0, 1], for any number of
            pictures a call; "any_size" maps `picture`, uint8 [1, height, width, rgb], to `mask`, uint8 [1, height,
            width, 1], see `resampling`.

    Raises:
        OSError: if it cannot be written, as on a full disk.
    """
    model = serving_model(network)
    pixels = tf.TensorSpec(model.input_shape, tf.uint8, "pixels")
    picture = tf.TensorSpec((1, None, None, 3), tf.uint8, "picture")

    @tf.function(autograph=False, input_signature=[pixels])
    def fixed_size(pixels):
        return {"probability": model(pixels, training=False)}

    @tf.function(autograph=False, input_signature=[picture])
    def any_size(picture):
        return {"mask": to_own_size(model(letterbox(picture, pixels.shape[1]), training=False), picture)}

    try:  # not by Keras's own export, which stores each weight twice
        tf.saved_model.save(model, str(directory), signatures={FIXED_SIZE: fixed_size, ANY_SIZE: any_size})
    except tf.errors.OpError as error:  # a full disk is no OSError to TensorFlow
        raise OSError(f"no SavedModel could be written to {directory}: {error.message}") from error
