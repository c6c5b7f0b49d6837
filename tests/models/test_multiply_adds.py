import keras
import pytest
from keras import layers

from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.models.networks.unet import unet


def cost(*stack):
    return multiply_adds(keras.Sequential([keras.Input((8, 8, 3)), *stack]))


def test_convolution():
    # 3x3 weights from 3 to 5 channels are 135, used at 8x8 pixels.
    assert cost(layers.Conv2D(5, 3, padding="same")) == 135 * 64


def test_the_output_resolution_counts():
    assert cost(layers.Conv2D(5, 3, strides=2, padding="same")) == 135 * 16
    assert cost(layers.Conv2D(5, 3)) == 135 * 36


def test_separable_convolution():
    # 9 weights for each of 3 channels, then 3 to 5.
    assert cost(layers.SeparableConv2D(5, 3, padding="same")) == (27 + 15) * 64
    assert cost(layers.DepthwiseConv2D(3, padding="same"), layers.Conv2D(5, 1)) == (27 + 15) * 64


def test_other_layers_are_free():
    rest = [layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(), layers.UpSampling2D()]
    assert cost(*rest) == 0


def test_unet():
    # Channels 3-2-2 at 8x8, 2-4-4 at 4x4; at 8x8 again 4-2, 4-2-2 and 2-1 for the logits.
    full, half = 9 * (6 + 4) + 9 * 8 + 9 * (8 + 4) + 2, 9 * (8 + 16)
    assert multiply_adds(unet(8, 2, 1)) == full * 64 + half * 16


def test_refuses_a_layer_of_unknown_cost():
    with pytest.raises(ValueError, match="layer flat is a Dense, allowed with a kernel: Conv2D"):
        cost(layers.Flatten(), layers.Dense(2, name="flat"))
