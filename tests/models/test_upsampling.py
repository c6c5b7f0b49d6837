import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_layered_gan.models.networks.upsampling import UpsampleConv2D


@pytest.fixture
def layer():
    layer = UpsampleConv2D(5)
    layer.build((None, None, None, 3))
    layer.kernel.assign(np.random.default_rng(0).standard_normal(layer.kernel.shape))
    return layer


def upsampled_then_convolved(kernel, images):
    return tf.nn.conv2d(tf.repeat(tf.repeat(images, 2, axis=1), 2, axis=2), kernel, 1, "SAME")


def test_values_and_gradients_equal_upsampling_and_convolution(layer):
    images = tf.constant(np.random.default_rng(1).standard_normal((2, 4, 6, 3)), tf.float32)
    upstream = np.random.default_rng(2).standard_normal((2, 8, 12, 5)).astype(np.float32)
    results = []
    for function in (layer, lambda x: upsampled_then_convolved(layer.kernel, x)):
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = function(images)
        gradients = tape.gradient(outputs, [images, layer.kernel.value], upstream)
        results.append([outputs, *gradients])
    for ours, expected in zip(*results, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_a_copy_has_the_same_config(layer):
    image = keras.Input((4, 4, 3))
    model = keras.Model(image, layer(image))
    assert model.output_shape == keras.models.clone_model(model).output_shape == (None, 8, 8, 5)
