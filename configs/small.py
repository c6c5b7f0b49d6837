"""The config for the paper's tables on a CPU: a folder of photos at 32x32, and one round of 16,000 images.

    python -m tf_layered_gan.paper.experiments 1 --scale=small --data=DIR --masks=MASKS --workdir=runs/tables

Time: about four minutes per run on one core.
IoU to expect: 0.17 to 0.35 on birds, which is less than the IoU of a disc in the middle of each photo (0.43); see
benchmarks/tables/README.md. These runs are meant for comparisons of settings, not for good masks.

The method is exactly the paper's. Only these settings differ from the paper's: the resolution, the widths and depths of
the networks, the batch size, the learning rates, the decay of the averaged weights (`gan.ema_decay`), and the length of
the training.
"""

from tf_layered_gan.config import default_config


def get_config():
    config = default_config()
    config.resolution = 32
    config.batch_size = 16
    config.networks.generator_width = 8
    config.networks.least_width = 8
    config.networks.background_width = 8
    config.networks.residual_blocks = 1
    config.networks.discriminator_width = 24
    config.networks.unet_width = 8
    config.networks.unet_depth = 3
    config.gan.generator_learning_rate = 4e-4
    config.gan.discriminator_learning_rate = 4e-4
    config.gan.ema_decay = 0.995
    config.schedule.rounds = 1
    config.schedule.gan_images_per_round = 16_000
    config.schedule.segmenter_steps_per_round = 300
    config.schedule.final_segmenter_steps = 0
    config.monitoring.scalars_every = 250
    config.monitoring.grid_every = 1_000
    config.monitoring.checkpoint_every = 500
    return config
