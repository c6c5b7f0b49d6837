"""A network and a run for all tests of the export."""

import types

import keras
import numpy as np
import pytest
from discs import RESOLUTION, disc_photos
from PIL import Image

from configs import default
from export import export_run as exporting
from tf_layered_gan.models.networks.unet import unet
from tf_layered_gan.runs.config_record import record_config


@pytest.fixture(scope="session")
def photos():
    return disc_photos(32, seed=1)[0]


@pytest.fixture(scope="session")
def network():
    """An untrained U-Net with random moving statistics.

    Its bias is set so that discs are foreground and the dark gradients around them are background.
    """
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


@pytest.fixture(scope="session")
def workdir(photos, tmp_path_factory):
    """A run without a checkpoint. Photos with even numbers are for validation, the others for the test."""
    folder, masks, workdir = (tmp_path_factory.mktemp(name) for name in ("photos", "masks", "run"))
    for number, (photo, mask) in enumerate(zip(*disc_photos(32, seed=1), strict=True)):
        Image.fromarray(photo).save(folder / f"{number:02}.png")
        Image.fromarray((mask[..., 0] * 255).astype("uint8")).save(masks / f"{number:02}.png")
    Image.fromarray(photos[0]).save(folder / "to_train_on.png")
    record_config(_small_config(folder, masks), workdir)
    return workdir


@pytest.fixture(scope="session")
def restored(network):
    """Makes `export_run` use the fixture `network` for any workdir, without building the GAN of a run."""
    segmenter = types.SimpleNamespace(
        average_network=network, optimizer=types.SimpleNamespace(iterations=keras.Variable(1))
    )
    state = types.SimpleNamespace(gan_step=0, segmenter_step=0, final_step=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "restore_segmenter", lambda config, workdir: (segmenter, state))
        yield


@pytest.fixture(scope="session")
def exported(workdir, restored):
    """The export of the network."""
    exporting.export_run(workdir, workdir / "export", licence="CC0-1.0", masks_made="by hand", max_iou_loss=0.05)
    return workdir / "export"


def _small_config(folder, masks):
    config = default.get_config()
    config.resolution = RESOLUTION
    config.data.path, config.data.masks = str(folder), str(masks)
    config.codes.z_dim, config.codes.num_categories, config.codes.group_size = 2, 4, 2
    config.networks.generator_width = config.networks.background_width = 2
    config.networks.discriminator_width = config.networks.mask_encoder_width = 2
    config.networks.residual_blocks = 1
    config.networks.unet_width, config.networks.unet_depth = 4, 1
    return config
