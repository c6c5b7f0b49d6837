import numpy as np
from discs import grey, pixel_network
from discs import network as network  # a fixture, as are the photos
from discs import photos as photos

from export.serving.probabilities import serving_model


def test_serving_model_normalises_and_returns_probabilities():
    # Pixel 0 is -1 and pixel 255 is 1: sigmoid(-1) = 0.268941, sigmoid(1) = 0.731059.
    probability = serving_model(pixel_network([1.0, 0.0, 0.0]))(grey(0, 255))
    np.testing.assert_allclose(probability[:, 0, 0, 0], [0.268941, 0.731059], atol=1e-6)


def test_serving_model_stays_in_inference_mode(network, photos):
    model = serving_model(network)
    np.testing.assert_array_equal(model(photos[:4], training=True), model(photos[:4], training=False))
