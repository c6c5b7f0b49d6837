"""Photos of discs, and networks that tell something about them, for the tests of the export."""

import keras
import numpy as np
import pytest

from export.facts import run_facts
from tf_layered_gan.models.networks.unet import unet

RESOLUTION = 32
TFLITE = ("segmenter_float32.tflite", "segmenter_float16.tflite", "segmenter_dynamic.tflite", "segmenter_int8.tflite")
FILES = {"lock", "saved_model", *TFLITE, "export.json", "model_card.md"}
TRAINING = run_facts(
    "folder",
    photos={"train": 514, "validation": 16, "test": 16},
    supervised=False,
    rounds=1,
    images_seen=16000,
    segmenter_steps=600,
    test_masks=None,
)


def disc_photos(count, seed):
    """Bright discs on dark ramps, uint8 in [20, 220] (neither black nor white), and their masks."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:RESOLUTION, :RESOLUTION]
    centres, radii = rng.uniform(8, 24, (count, 2, 1, 1)), rng.uniform(4, 10, (count, 1, 1))
    masks = (np.hypot(y - centres[:, 0], x - centres[:, 1]) < radii)[..., None]
    ramps = 20 + (x * rng.uniform(0, 2, (count, 1, 1)))[..., None] * rng.uniform(0.5, 1, (count, 1, 1, 3))
    discs = rng.uniform(140, 220, (count, 1, 1, 3))
    return np.where(masks, discs, ramps).astype("uint8"), masks.astype("float32")


@pytest.fixture(scope="module")
def photos():
    return disc_photos(32, seed=1)[0]


@pytest.fixture(scope="module")
def network():
    """An untrained U-Net with moving statistics of its own, its bias such that it tells discs from ramps."""
    keras.utils.set_random_seed(0)
    model, rng = unet(RESOLUTION, 4, 1), np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(rng.uniform(-0.1, 0.1, layer.moving_mean.shape))
            layer.moving_variance.assign(rng.uniform(0.2, 0.5, layer.moving_variance.shape))
    pixels, masks = disc_photos(16, seed=0)
    logits = keras.ops.convert_to_numpy(model(pixels / np.float32(127.5) - 1))
    midway = (logits[masks == 1].mean() + logits[masks == 0].mean()) / 2
    model.get_layer("logits").bias.assign_sub([midway])
    return model


def pixel_network(weights, bias=0.0):
    """Logits that are a weighted sum of the pixel's own three channels."""
    image = keras.Input((RESOLUTION, RESOLUTION, 3))
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(image))
    model.set_weights([np.reshape(weights, (1, 1, 3, 1)), np.array([bias])])
    return model


def grey(*values):
    """One picture of each value, uint8."""
    return np.ones((1, RESOLUTION, RESOLUTION, 3), "uint8") * np.reshape(values, (-1, 1, 1, 1)).astype("uint8")
