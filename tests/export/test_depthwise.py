"""Tests that dynamic-range files have no int8 kernels in depthwise convolutions."""

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from discs import run_tflite

from export.tflite.convert import to_tflite_dynamic, to_tflite_float32
from export.tflite.depthwise import float_depthwise_kernels
from export.tflite.flatbuffer import parse

DEPTHWISE, CONV = schema.BuiltinOperator.DEPTHWISE_CONV_2D, schema.BuiltinOperator.CONV_2D


@pytest.fixture(scope="module")
def network():
    """A depthwise convolution and two plain convolutions.

    Their kernels are so large that the converter alone would quantise all of them.
    """
    image = keras.Input((8, 8, 3))
    first, second, third = (keras.initializers.RandomNormal(stddev=0.1, seed=seed) for seed in range(3))
    features = keras.layers.Conv2D(128, 3, padding="same", activation="relu", kernel_initializer=first)(image)
    features = keras.layers.DepthwiseConv2D(3, padding="same", depthwise_initializer=second)(features)
    return keras.Model(image, keras.layers.Conv2D(1, 3, padding="same", kernel_initializer=third)(features))


@pytest.fixture(scope="module")
def content(network):
    return to_tflite_dynamic(network)


def kernel_types(content, kind):
    """Returns the types of the kernels of all operators of the given kind.

    Kernels with 1,000 weights or fewer are left out.
    """
    model = parse(content)
    (graph,) = model.subgraphs
    of_kind = [o for o in graph.operators if model.operatorCodes[o.opcodeIndex].builtinCode == kind]
    tensors = [graph.tensors[operator.inputs[1]] for operator in of_kind]
    return {tensor.type for tensor in tensors if np.prod(tensor.shape) > 1000}


def test_depthwise_kernels_are_float_and_the_others_int8(content):
    assert kernel_types(content, DEPTHWISE) == {schema.TensorType.FLOAT32}
    assert kernel_types(content, CONV) == {schema.TensorType.INT8}


def test_output_is_that_of_the_float_model(network, content):
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    expected, actual = (run_tflite(model, images) for model in (to_tflite_float32(network), content))
    assert expected.std() > 0.01
    np.testing.assert_allclose(actual, expected, atol=0.2 * expected.std())


def test_model_without_int8_kernels_stays_as_it_is(content):
    assert float_depthwise_kernels(content) == content
