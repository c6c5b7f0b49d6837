"""Conversion of TensorFlow functions to StableHLO text."""

import re
from typing import Any
from unittest import mock

import keras
import tensorflow as tf

from benchmarks.gpu.programs import Function, Models

_ALIAS = re.compile(r"parameter_number = (\d+) : i64}, output_index = array<i64: (\d+)>")


def lower(function: Function, arguments: dict[str, tf.Tensor], models: Models) -> tuple[str, dict[str, Any]]:
    """Lowers a program to StableHLO.

    The lowered program has no side effects. Its parameters are the function's arguments, followed by all variables that
    the function reads. Its results are the function's results, followed by the new values of all variables that the
    function writes.

    Args:
        function: see `programs.build_programs`.
        arguments: an example of the function's arguments.
        models: the models whose variables the function uses.

    Returns:
        (text, signature). The signature is a dict:

        - "arguments": the [dtype, shape] of each argument by name.
        - "reads": the names of the variables that the program reads, in the order of the parameters.
        - "results": the names of the function's results.
        - "writes": the names of the variables that the program writes, in the order of the new values.

    Raises:
        ValueError: if the function reads a variable that is not a variable of the models, or if the upsampling of a
            layer is not bilinear by 2.
    """
    compiled = tf.function(function, jit_compile=True, autograph=False)
    values = list(arguments.values())
    with mock.patch.object(keras.layers.UpSampling2D, "call", _upsample):
        concrete = compiled.get_concrete_function(*values)
        text = compiled.experimental_get_compiler_ir(*values)(stage="stablehlo")
    reads = [models.name_of(handle) for handle in concrete.captured_inputs]
    written = {int(result): reads[int(parameter) - len(values)] for parameter, result in _ALIAS.findall(text)}
    return text, {
        "arguments": {name: [value.dtype.name, value.shape.as_list()] for name, value in arguments.items()},
        "reads": reads,
        "results": sorted(concrete.structured_outputs),
        "writes": [written[result] for result in sorted(written)],
    }


def _upsample(layer: keras.layers.UpSampling2D, inputs: tf.Tensor) -> tf.Tensor:
    """Computes bilinear upsampling by 2 as sums of slices.

    TensorFlow's own lowering gathers nine copies of the enlarged map, which take hundreds of megabytes on a GPU.
    """
    if layer.interpolation != "bilinear" or tuple(layer.size) != (2, 2):
        raise ValueError(f"{layer.name} upsamples {layer.interpolation} by {layer.size}, allowed: bilinear by 2")
    return _double(_double(inputs, axis=1), axis=2)


def _double(x: tf.Tensor, axis: int) -> tf.Tensor:
    size = x.shape[axis]
    first, rest = tf.split(x, [1, size - 1], axis)
    most, last = tf.split(x, [size - 1, 1], axis)
    before, after = tf.concat([first, most], axis), tf.concat([rest, last], axis)
    both = tf.stack([0.25 * before + 0.75 * x, 0.75 * x + 0.25 * after], axis + 1)
    return tf.reshape(both, [*x.shape[:axis], 2 * size, *x.shape[axis + 1 :]])
