"""Functions that write models with any inputs and outputs, in the formats that the program reads."""

import tensorflow as tf


def write_model(path, function, shape=(1, 8, 8, 3), dtype=tf.float32):
    """Writes a function of pixels as a model: as TFLite if the path ends in .tflite, otherwise as a SavedModel."""
    module = tf.Module()
    module.f = tf.function(function, input_signature=[tf.TensorSpec(shape, dtype)])
    concrete = module.f.get_concrete_function()
    if path.suffix != ".tflite":
        tf.saved_model.save(module, str(path), signatures=concrete)
    else:
        path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete], module).convert())
    return path
