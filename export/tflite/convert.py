"""Conversion to TFLite: fixed shape, one image per call. `signatures` adds the signature for images of any size."""

import warnings
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from ..serving.probabilities import serving_model
from .depthwise import float_depthwise_kernels


def to_tflite_float32(network: keras.Model) -> bytes:
    """Converts F with float32 arithmetic.

    Args:
        network: F, which maps float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.

    Returns:
        bytes of a .tflite model that maps uint8 [1, resolution, resolution, rgb] to the foreground probability, float32
        [1, resolution, resolution, 1] in [0, 1].

    Raises:
        ValueError: TensorFlow cannot convert F.
    """
    return _convert(_network_converter(serving_model(network, batch_size=1)))


def to_tflite_float16(network: keras.Model) -> bytes:
    """Converts F with float16 weights, which halves the file's size. The arithmetic stays float32 if the device has no
    float16.

    Args, returns and raises as `to_tflite_float32`.
    """
    converter = _network_converter(serving_model(network, batch_size=1))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return _convert(converter)


def to_tflite_dynamic(network: keras.Model) -> bytes:
    """Converts F with int8 weights, which reduces the file's size to a quarter. Activations are quantised at run time,
    for each image.

    Kernels of fewer than 1,024 weights and kernels of depthwise convolutions stay float32.

    Args, returns and raises as `to_tflite_float32`.
    """
    converter = _network_converter(serving_model(network, batch_size=1))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return float_depthwise_kernels(_convert(converter))


def to_tflite_int8(network: keras.Model, calibration_images: np.ndarray) -> bytes:
    """Converts F to 8-bit integer arithmetic. An operation without an int8 kernel is an error.

    Args:
        network: F, which maps float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.
        calibration_images: uint8 [image, resolution, resolution, rgb], held-out photos that set the range of every
            activation. With noise instead of photos, the probabilities of one network were off by up to 0.35 instead
            of 0.10.

    Returns:
        bytes of a .tflite model that maps uint8 [1, resolution, resolution, rgb], the raw pixels (scale 1, zero point
        0), to the foreground probability, uint8 [1, resolution, resolution, 1] in steps of 1/256 (zero point 0).

    Raises:
        ValueError: there are no calibration images, they are not uint8 or have another shape, or TensorFlow cannot
            convert F.
    """
    _check_images(calibration_images, network.input_shape[1:])
    # With a uint8 input, the graph would keep one float operation, the cast. So the input is float32 with the values of
    # the pixels; quantisation makes it uint8.
    converter = _network_converter(serving_model(network, batch_size=1, pixel_dtype="float32"))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    images = _span_all_values(calibration_images)
    converter.representative_dataset = lambda: ([image[None]] for image in images)
    return _convert(converter)


def function_converter(function: Callable[..., tf.Tensor], *inputs: tf.TensorSpec) -> tf.lite.TFLiteConverter:
    """Returns the converter of a function that takes tensors of the given shapes and dtypes and returns one tensor."""
    function = tf.function(function, autograph=False).get_concrete_function(*inputs)
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)  # TensorFlow would recommend a SavedModel, but that is ten times slower
    try:
        return tf.lite.TFLiteConverter.from_concrete_functions([function])
    finally:
        logging.set_verbosity(verbosity)


def _network_converter(model: keras.Model) -> tf.lite.TFLiteConverter:
    # Without this spec Keras leaves the batch size open, and LiteRT.js cannot run an open shape.
    (pixels,) = model.inputs
    pixels = tf.TensorSpec(pixels.shape, pixels.dtype, "pixels")
    return function_converter(lambda pixels: model(pixels, training=False), pixels)


def _convert(converter: tf.lite.TFLiteConverter) -> bytes:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs were expected")
        try:
            return converter.convert()
        except Exception as error:  # TensorFlow does not export the classes of its converter's errors
            raise ValueError(f"TensorFlow cannot convert it: {str(error).strip().splitlines()[0]}") from error


def _span_all_values(images: np.ndarray) -> np.ndarray:
    """Sets the range of the pixels to [0, 255], so that the input has a scale of exactly 1 and a zero point of 0.

    One photo gets a black and a white pixel in two corners. This way all calibration images remain photos.
    """
    images = images.astype("float32")
    images[0, 0, 0], images[0, -1, -1] = 0.0, 255.0
    return images


def _check_images(images: np.ndarray, shape: tuple[int, ...]) -> None:
    if images.dtype != np.uint8 or images.shape[1:] != shape or not len(images):
        raise ValueError(
            f"calibration_images must be uint8 [at least 1, {', '.join(map(str, shape))}], "
            f"got {images.dtype} {list(images.shape)}"
        )
