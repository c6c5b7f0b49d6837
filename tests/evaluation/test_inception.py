import numpy as np
import pytest
from keras import layers


def test_input_and_output_shapes(network):
    assert network.input_shape == (None, 299, 299, 3) and network.output_shape == (None, 2048)


def test_number_of_parameters(network):
    # keras.applications' Inception-v3 has 23,851,784 parameters, 1000 * 2048 + 1000 of them for its classes.
    assert network.count_params() == 23_851_784 - 2_049_000
    assert sum(isinstance(layer, layers.Conv2D) for layer in network.layers) == 94


@pytest.mark.parametrize(
    "name, shape",
    [
        ("mixed", (35, 35, 256)),
        ("mixed_2", (35, 35, 288)),
        ("mixed_3", (17, 17, 768)),
        ("mixed_7", (17, 17, 768)),
        ("mixed_8", (8, 8, 1280)),
        ("mixed_10", (8, 8, 2048)),
    ],
)
def test_shapes_of_feature_maps(network, name, shape):
    assert network.get_layer(name).output.shape == (None, *shape)


def test_average_pooling_ignores_the_padding(network):
    pools = [layer for layer in network.layers if isinstance(layer, layers.AveragePooling2D)]
    assert len(pools) == 8  # three blocks at 35 pixels, four at 17, one at 8
    np.testing.assert_allclose(pools[0](np.ones((1, 4, 4, 1), np.float32)), 1)
