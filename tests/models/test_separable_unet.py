import keras
import pytest
import tensorflow as tf

from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.models.networks.separable_unet import separable_unet
from tf_layered_gan.models.networks.unet import unet


def test_channels_double_on_the_way_down_and_halve_on_the_way_up():
    network = separable_unet(32, 3, 3)
    # Maps of 16x16 pixels have 3 channels, maps of 8x8 pixels have 6, and maps of 4x4 pixels have 12. This holds on the
    # way down and on the way up.
    maps = [layer.output.shape[1:] for layer in network.layers if isinstance(layer, keras.layers.ReLU)]
    assert maps[0] == (16, 16, 3) and (4, 4, 12) in maps and maps[-1] == (16, 16, 3)
    added = [layer.output.shape[1:] for layer in network.layers if isinstance(layer, keras.layers.Add)]
    assert added == [(8, 8, 6), (16, 16, 3)]


def test_depthwise_convolution_keeps_the_variance():
    keras.utils.set_random_seed(0)
    network = separable_unet(64, 64, 1)
    depthwise = next(layer for layer in network.layers if isinstance(layer, keras.layers.DepthwiseConv2D))
    noise = tf.random.stateless_normal([1, 32, 32, 64], (0, 1))
    assert float(tf.math.reduce_std(depthwise(noise)[:, 1:-1, 1:-1])) == pytest.approx(1.0, abs=0.1)


def test_multiply_adds_at_64_pixels():
    ours, unets = multiply_adds(separable_unet(16, 16, 4)), multiply_adds(unet(16, 8, 4))
    # An image of 64x64 has 16 times as many pixels as an image of 16x16.
    assert (round(16 * ours / 1e6, 1), round(16 * unets / 1e6, 1)) == (3.7, 64.6)
