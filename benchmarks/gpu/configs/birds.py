"""A config for birds: `configs/folder.py` at the paper's width, with the settings for birds in `benchmarks/README.md`.

    python -m benchmarks.gpu.export --config=benchmarks/gpu/configs/birds.py --output=raw/birds \
        --config.data.path=BIRDS --config.data.masks=MASKS

`benchmarks/gpu/README.md` has the time and the result of this config on an H100.
"""

from ml_collections import ConfigDict

from configs import folder


def get_config() -> ConfigDict:
    """Returns the config. Its rounds are too long for any device, so the time budget sets their length."""
    config = folder.get_config()
    config.data.fit = "crop"
    config.refine.bootstrap = False  # the device only runs Algorithm 1, without passes over photos
    config.refine.passes = 0
    config.batch_size = 32
    config.precision = "float32"
    config.networks.generator_width = 64
    config.networks.least_width = 16
    config.networks.background_width = 64
    config.networks.residual_blocks = 2
    config.networks.discriminator_width = 64
    config.networks.mask_centring = 10.0
    config.networks.unet_width = 16
    config.gan.generator_learning_rate = 2e-4
    config.gan.discriminator_learning_rate = 2e-4
    config.gan.ema_decay = 0.999
    config.gan.gamma_size = 5.0
    config.gan.mask_size = (0.1, 0.45)
    config.segmenter.ema_decay = 0.98
    config.segmenter.mask_size = (0.05, 0.8)
    config.schedule.gan = "always"
    config.schedule.rounds = 4
    config.schedule.annealed_rounds = 1
    config.schedule.gan_images_per_round = 2_000_000
    config.schedule.segmenter_steps_per_round = 1_500
    config.schedule.final_segmenter_steps = 3_000
    return config
