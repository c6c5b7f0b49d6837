"""The exported .tflite files, and the conversion of each. `serving/savedmodel.py` writes the SavedModel."""

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np

from .quantization.centring import centre_threshold
from .quantization.quantization_aware import fine_tune
from .tflite.convert import to_tflite_dynamic, to_tflite_float16, to_tflite_float32, to_tflite_int8

FLOAT32, FLOAT16 = "segmenter_float32.tflite", "segmenter_float16.tflite"
DYNAMIC, INT8 = "segmenter_dynamic.tflite", "segmenter_int8.tflite"
FILES = (FLOAT32, FLOAT16, DYNAMIC, INT8)
# More photos are not needed. For one network, the int8 files that were calibrated on 5 and on 423 photos had the same
# IoU to three digits.
CALIBRATION_PHOTOS = 100
TUNING_PHOTOS = 2_000  # fine-tuning uses at most 1,600 photos (100 steps of 16)


class Conversion(NamedTuple):
    """One way to make a .tflite file.

    Attributes:
        convert: function that returns the bytes of a .tflite model with one signature.
        tuning_photos: number of photos on which the conversion fine-tunes the network.
    """

    convert: Callable[[], bytes]
    tuning_photos: int = 0


def conversions(network: keras.Model, calibration: np.ndarray, tuning: np.ndarray) -> dict[str, list[Conversion]]:
    """Lists the conversions of a network.

    Args:
        network: F, which maps float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.
        calibration: uint8 [photo, resolution, resolution, rgb], photos that set the ranges of the int8 model.
        tuning: uint8 [photo, side, side, rgb], photos to fine-tune on. If there are many photos, only some are used,
            evenly spaced.

    Returns:
        dict from the name of a file to its conversions. If the file of one conversion is refused, the next conversion
        is used.
    """
    calibration, tuning = _thin_out(calibration, CALIBRATION_PHOTOS), _thin_out(tuning, TUNING_PHOTOS)

    def to_int8(network: keras.Model) -> bytes:
        return to_tflite_int8(centre_threshold(network, calibration), calibration)

    def to_tuned_int8() -> bytes:
        print(f"{INT8:24}  too far from the Keras model: fine-tuning on {len(tuning)} photos", flush=True)
        return to_int8(fine_tune(network, tuning))

    return {
        FLOAT32: [Conversion(lambda: to_tflite_float32(network))],
        FLOAT16: [Conversion(lambda: to_tflite_float16(network))],
        DYNAMIC: [Conversion(lambda: to_tflite_dynamic(network))],
        INT8: [Conversion(lambda: to_int8(network)), Conversion(to_tuned_int8, len(tuning))],
    }


def _thin_out(images: np.ndarray, most: int) -> np.ndarray:
    return images[:: max(1, -(-len(images) // most))]
