"""Conversion to TFLite, with a fixed shape and one image per call. `signatures` adds the signature for any size."""

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
    """Converts F with float16 weights, which halves the size of the file. The arithmetic is float32 if the device has
    no float16.

    The arguments, the result and the errors are the same as for `to_tflite_float32`.
    """
    converter = _network_converter(serving_model(network, batch_size=1))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return _convert(converter)


def to_tflite_dynamic(network: keras.Model) -> bytes:
    """Converts F with int8 weights, which reduces the size of the file to a quarter. Activations are quantised at run
    time.

    Kernels of fewer than 1,024 weights and kernels of depthwise convolutions stay float32.

    The arguments, the result and the errors are the same as for `to_tflite_float32`.
    """
    converter = _network_converter(serving_model(network, batch_size=1))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return float_depthwise_kernels(_convert(converter))


def to_tflite_int8(network: keras.Model, calibration_images: np.ndarray) -> bytes:
    """Converts F to 8-bit integer arithmetic. Raises an error if an operation has no int8 kernel.

    Args:
        network: F, which maps float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.
        calibration_images: uint8 [image, resolution, resolution, rgb], held-out photos. They set the range of every
            activation. For one network, the error of the probabilities was up to 0.10 with photos, but up to 0.35 with
            noise instead of photos.

    Returns:
        bytes of a .tflite model that maps uint8 [1, resolution, resolution, rgb], the raw pixels (scale 1, zero point
        0), to the foreground probability, uint8 [1, resolution, resolution, 1] in steps of 1/256 (zero point 0).

    Raises:
        ValueError: there are no calibration images, they are not uint8 or have another shape, or TensorFlow cannot
            convert F.
    """
    _check_images(calibration_images, network.input_shape[1:])
    # With a uint8 input, the graph would keep one float operation, the cast. So the input is float32 with the values of
    # the pixels. Quantisation turns this input into uint8.
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
    # Otherwise TensorFlow prints the advice to write a SavedModel first. Conversion through a SavedModel takes ten
    # times as long as this conversion.
    logging.set_verbosity(logging.ERROR)
    try:
        return tf.lite.TFLiteConverter.from_concrete_functions([function])
    finally:
        logging.set_verbosity(verbosity)


def _network_converter(model: keras.Model) -> tf.lite.TFLiteConverter:
    # Without this spec, the batch size would be undefined, and LiteRT.js cannot run a model with an undefined shape.
    (pixels,) = model.inputs
    pixels = tf.TensorSpec(pixels.shape, pixels.dtype, "pixels")
    return function_converter(lambda pixels: model(pixels, training=False), pixels)


def _convert(converter: tf.lite.TFLiteConverter) -> bytes:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs were expected")
        try:
            return converter.convert()
        except Exception as error:  # the converter's error classes are not public in TensorFlow
            raise ValueError(f"TensorFlow cannot convert the model: {str(error).strip().splitlines()[0]}") from error


def _span_all_values(images: np.ndarray) -> np.ndarray:
    """Makes the images use the whole range [0, 255], so that the input has the scale 1 and the zero point 0.

    One photo gets a black pixel and a white pixel in two corners. So no artificial image has to be added to the photos.
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
