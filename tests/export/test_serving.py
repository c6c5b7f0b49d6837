import numpy as np
import pytest
import tiny
from discs import grey, pixel_network

from export.serving.probabilities import serving_model
from export.serving.savedmodel import write_savedmodel


def test_serving_model_normalises_and_returns_probabilities():
    # The pixel values 0 and 255 become -1 and 1. sigmoid(-1) is 0.268941, and sigmoid(1) is 0.731059.
    probability = serving_model(pixel_network([1.0, 0.0, 0.0]))(grey(0, 255))
    np.testing.assert_allclose(probability[:, 0, 0, 0], [0.268941, 0.731059], atol=1e-6)


def test_serving_model_stays_in_inference_mode(network, photos):
    model = serving_model(network)
    np.testing.assert_array_equal(model(photos[:4], training=True), model(photos[:4], training=False))


def test_full_disk_is_an_os_error(tmp_path):
    message = f"no SavedModel could be written to {tmp_path}/saved_model: "
    with tiny.full_disk(2_000), pytest.raises(OSError, match=message):
        write_savedmodel(pixel_network([1.0, 0.0, 0.0]), tmp_path / "saved_model", "pad")
