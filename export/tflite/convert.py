"""Conversion to TFLite, for phones and boards: fixed shape, one picture a call. `signatures` adds that for any size."""

import warnings

import numpy as np
import tensorflow as tf
from absl import logging

from ..serving.probabilities import serving_model
from ..tflite.depthwise import float_depthwise_kernels


def to_tflite_float32(network):
    """Converts F, keeping float32 arithmetic.

    Args:
        network: F, from float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.

    Returns:
        bytes of a model from uint8 [1, resolution, resolution, rgb] to the foreground probability, float32
        [1, resolution, resolution, 1] in [0, 1].

    Raises:
        ValueError: TensorFlow cannot convert it.
    """
    return _convert(_converter(serving_model(network, batch_size=1)))


def to_tflite_float16(network):
    """Converts F with weights in float16, half the size; the arithmetic stays float32 where the device has no other.

    Args, returns and raises as `to_tflite_float32`.
    """
    converter = _converter(serving_model(network, batch_size=1))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return _convert(converter)


def to_tflite_dynamic(network):
    """Converts F with int8 weights, a quarter of the size; activations are quantised as they come, picture by picture.

    Args, returns and raises as `to_tflite_float32`. Kernels of fewer than 1,024 weights stay float32, and those of
    depthwise convolutions.
    """
    converter = _converter(serving_model(network, batch_size=1))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return float_depthwise_kernels(_convert(converter))


def to_tflite_int8(network, calibration_images):
    """Converts F to 8-bit integer arithmetic throughout; an operation without an int8 kernel is an error.

    Args:
        network: F, from float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.
        calibration_images: uint8 [picture, resolution, resolution, rgb], which set the range of every
            activation: held-out photos. Calibrated on noise instead, one network's probabilities were off by
            up to 0.35 on photos, in place of 0.10.

    Returns:
        bytes of a model from uint8 [1, resolution, resolution, rgb], the raw pixels (scale 1, zero point 0),
        to the foreground probability, uint8 [1, resolution, resolution, 1] in steps of 1/256 (zero point 0).

    Raises:
        ValueError: the calibration images are not uint8, of another shape, or none; or TensorFlow cannot convert F.
    """
    _check_pictures(calibration_images, network.input_shape[1:])
    # A uint8 graph input would keep one float operation, the cast; a float32 input that takes the pixels' own
    # numbers becomes uint8 by quantisation instead.
    converter = _converter(serving_model(network, batch_size=1, pixel_dtype="float32"))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    images = _span_all_values(calibration_images)
    converter.representative_dataset = lambda: ([image[None]] for image in images)
    return _convert(converter)


def function_converter(function, *inputs):
    """Makes the converter of a function.

    Args:
        function: of tensors, to one tensor.
        *inputs: tf.TensorSpec of each.

    Returns:
        tf.lite.TFLiteConverter.
    """
    function = tf.function(function, autograph=False).get_concrete_function(*inputs)
    verbosity = logging.get_verbosity()
    logging.set_verbosity(
        logging.ERROR
    )  # TensorFlow would warn that the other way is by a SavedModel: ten times as slow
    try:
        return tf.lite.TFLiteConverter.from_concrete_functions([function])
    finally:
        logging.set_verbosity(verbosity)


def _converter(model):
    # Unless told, Keras leaves the batch open whatever the model says, and LiteRT.js runs no open shape.
    (pixels,) = model.inputs
    pixels = tf.TensorSpec(pixels.shape, pixels.dtype, "pixels")
    return function_converter(lambda pixels: model(pixels, training=False), pixels)


def _convert(converter):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs were expected")
        try:
            return converter.convert()
        except Exception as error:  # TensorFlow exports none of the classes of its converter's errors
            raise ValueError(f"TensorFlow cannot convert it: {str(error).strip().splitlines()[0]}") from error


def _span_all_values(images):
    """Makes the pixels' range [0, 255], for which the input's scale is exactly 1 and its zero point 0.

    Two corner pixels of one photo, a black and a white one, do that without a picture that is no photo.
    """
    images = images.astype("float32")
    images[0, 0, 0], images[0, -1, -1] = 0.0, 255.0
    return images


def _check_pictures(images, shape):
    if images.dtype != np.uint8 or images.shape[1:] != shape or not len(images):
        raise ValueError(
            f"calibration_images must be uint8 [at least 1, {', '.join(map(str, shape))}], "
            f"got {images.dtype} {list(images.shape)}"
        )
