"""The guides' code, and a model with the two signatures that they use."""

import re

import tensorflow as tf
from tiny import ROOT

RESOLUTION = 8


def code(page, language):
    """The one block of a language in a page of docs/."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / "docs" / page).read_text(), re.S | re.M)
    return block


class _Bright(tf.Module):
    """The object is what is bright, its probability a pixel's mean."""

    @tf.function(input_signature=[tf.TensorSpec([1, RESOLUTION, RESOLUTION, 3], tf.uint8)])
    def fixed_size(self, pixels):
        return {"probability": tf.reduce_mean(tf.cast(pixels, tf.float32), 3, keepdims=True) / 255}

    @tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8)])
    def any_size(self, picture):
        pixels = tf.image.resize(tf.cast(picture, tf.float32), (RESOLUTION, RESOLUTION))
        mask = tf.image.resize(tf.reduce_mean(pixels, 3, keepdims=True), tf.shape(picture)[1:3])
        return {"mask": tf.cast(tf.round(mask), tf.uint8)}


def write_model(path, folder):
    """Writes a .tflite file like those of the export; `folder` is for what lies between."""
    module = _Bright()
    signatures = {"serving_default": module.fixed_size, "any_size": module.any_size}
    tf.saved_model.save(module, folder, signatures=signatures)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=list(signatures))
    path.write_bytes(converter.convert())
