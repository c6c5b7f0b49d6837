"""TensorFlow functions as StableHLO text."""

import re
from typing import Any
from unittest import mock

import keras
import tensorflow as tf

from benchmarks.gpu.programs import Function, Models

_ALIAS = re.compile(r"parameter_number = (\d+) : i64}, output_index = array<i64: (\d+)>")


def lower(function: Function, arguments: dict[str, tf.Tensor], models: Models) -> tuple[str, dict[str, Any]]:
    """Lowers a program to StableHLO.

    A compiled function is pure. Its parameters are the arguments, then every variable that it reads. Its results are
    the function's results, then the new value of every variable that it writes.

    Args:
        function: see `programs.build_program`.
        arguments: an example of its arguments.
        models: the models whose variables the function uses.

    Returns:
        (text, signature). The signature is a dict. "arguments" has the [dtype, shape] of each argument by name. "reads"
        has the names of the variables that the program reads, in the order of its parameters. "results" has the names
        of the function's results. "writes" has the names of the variables that the program writes, in the order of
        their new values.

    Raises:
        ValueError: if the function reads anything but its arguments and the models' variables.
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

    TensorFlow's own lowering gathers nine copies of the enlarged map, hundreds of megabytes on a GPU.
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
