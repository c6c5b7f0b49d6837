import keras
import pytest
from keras import layers

from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.models.networks.upsampling import UpsampleConv2D


def cost(*stack):
    return multiply_adds(keras.Sequential([keras.Input((8, 8, 3)), *stack]))


def test_convolution():
    # A 3x3 kernel from 3 to 5 channels has 135 weights. Each weight is used once for each pixel of the output.
    assert cost(layers.Conv2D(5, 3, padding="same")) == 135 * 64
    assert cost(layers.Conv2D(5, 3, strides=2, padding="same")) == 135 * 16
    assert cost(layers.Conv2D(5, 3)) == 135 * 36


def test_separable_convolution():
    # The depthwise part has 9 weights for each of 3 channels. The pointwise part has 3 * 5 weights.
    assert cost(layers.SeparableConv2D(5, 3, padding="same")) == (27 + 15) * 64
    assert cost(layers.DepthwiseConv2D(3, padding="same"), layers.Conv2D(5, 1)) == (27 + 15) * 64


def test_upsampling_convolution():
    # A 4x4 kernel with stride 2 contributes 2 * 2 weights to each of the 16 * 16 output pixels.
    assert cost(UpsampleConv2D(5)) == 16 * 16 * 4 * 3 * 5


def test_dense_layer():
    assert cost(layers.Flatten(), layers.Dense(2)) == 8 * 8 * 3 * 2


def test_other_layers_are_free():
    rest = [layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(), layers.UpSampling2D()]
    assert cost(*rest) == 0


def test_refuses_a_layer_of_unknown_cost():
    with pytest.raises(ValueError, match="layer long is a Conv1D; allowed layers with a kernel: Conv2D"):
        cost(layers.Reshape((64, 3)), layers.Conv1D(2, 3, name="long"))
