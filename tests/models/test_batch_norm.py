import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_layered_gan.models.networks.batch_norm import BatchNormalization


@pytest.fixture
def layers():
    """Our layer and Keras's layer, with the same weights."""
    pair = [kind(momentum=0.9, epsilon=1e-5) for kind in (BatchNormalization, keras.layers.BatchNormalization)]
    for layer in pair:
        layer.build((None, 4, 5, 2))
        layer.set_weights([np.array(values, np.float32) for values in ([2, 3], [1, -1], [0.5, 0], [4, 1])])
    return pair


def normalized(layer, images, **options):
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = layer(images, **options)
        loss = tf.reduce_sum(outputs * tf.sin(images))
    return outputs, tape.gradient(loss, [images, layer.gamma, layer.beta])


@pytest.mark.parametrize("training", [True, False])
def test_outputs_gradients_and_averages_are_those_of_keras(layers, training):
    images = 5 + 3 * tf.random.stateless_normal((3, 4, 5, 2), (1, 2))
    (ours, our_gradients), (theirs, their_gradients) = (
        normalized(layer, images, training=training) for layer in layers
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    for our_gradient, their_gradient in zip(our_gradients, their_gradients, strict=True):
        np.testing.assert_allclose(our_gradient, their_gradient, rtol=1e-4, atol=1e-4)
    for our_weight, their_weight in zip(*(layer.get_weights() for layer in layers), strict=True):
        np.testing.assert_allclose(our_weight, their_weight, rtol=1e-6)


def test_a_layer_that_is_not_trainable_keeps_its_averages(layers):
    layers[0].trainable = False
    before = layers[0].get_weights()
    layers[0](tf.random.stateless_normal((3, 4, 5, 2), (1, 2)), training=True)
    np.testing.assert_array_equal(layers[0].get_weights()[2:], before[2:])
