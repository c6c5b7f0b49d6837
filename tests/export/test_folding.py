import keras
import numpy as np
import pytest
from keras import layers

from export.quantization.folding import fold_batch_norm
from tf_layered_gan.models.networks.lite0_unet import lite0_unet
from tf_layered_gan.models.networks.unet import unet


def randomize(network):
    """Replaces every weight by a random value from 0.5 to 1.5."""
    rng = np.random.default_rng(0)
    network.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in network.get_weights()])
    return network


def chain(*operations):
    """Returns a functional model that applies the layers in order. Its input is [batch, 4, 4, 2]."""
    image = x = keras.Input((4, 4, 2))
    for layer in operations:
        x = layer(x)
    return keras.Model(image, x)


@pytest.mark.parametrize(
    "network",
    [
        unet(8, 2, 1),
        lite0_unet(8, 2, 1),
        chain(layers.DepthwiseConv2D(3, depth_multiplier=3), layers.BatchNormalization(), layers.Conv2D(1, 1)),
        chain(layers.Conv2D(3, 3), layers.BatchNormalization(scale=False, center=False), layers.ReLU()),
    ],
)
def test_output_is_the_same_without_batch_norm(network):
    randomize(network).trainable = False
    folded = fold_batch_norm(network)
    x = np.random.default_rng(1).uniform(-1, 1, (2, *network.input_shape[1:]))
    np.testing.assert_allclose(folded(x), network(x, training=False), rtol=1e-4)
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in folded.layers)
    assert len(folded.trainable_variables) == len(folded.weights)


@pytest.mark.parametrize(
    "operations, message",
    [
        ([layers.Conv2D(2, 1), layers.ReLU(), layers.BatchNormalization(name="norm")], "layer norm must"),
        ([layers.Conv2D(2, 1, activation="relu"), layers.BatchNormalization(name="norm")], "layer norm must"),
        ([layers.Dense(1, name="dense")], "layer dense is a Dense with weights, allowed: Conv2D, Dep"),
    ],
)
def test_other_networks_are_refused(operations, message):
    with pytest.raises(ValueError, match=message):
        fold_batch_norm(chain(*operations))


def test_convolution_with_two_consumers_is_refused():
    image = keras.Input((4, 4, 2))
    x = layers.Conv2D(2, 1)(image)
    network = keras.Model(image, layers.Add()([x, layers.BatchNormalization(name="norm")(x)]))
    with pytest.raises(ValueError, match="layer norm must normalise .* no other layer may use"):
        fold_batch_norm(network)
