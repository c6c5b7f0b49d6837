"""A config with the smallest networks and every loss term, for the bundle that checks a device.

python -m benchmarks.gpu.export --config=benchmarks/gpu/configs/tiny.py --output=raw/tiny --reference_steps=3
"""

from ml_collections import ConfigDict

from configs import shapes


def get_config() -> ConfigDict:
    """Returns `configs/shapes.py` at 16x16 pixels, with networks of two channels and every loss term."""
    config = shapes.get_config()
    config.resolution = 16
    config.batch_size = 4
    config.data.train_pictures = 32
    config.data.held_out_pictures = 8
    config.data.crop_scale = (0.8, 1.0)
    config.codes.z_dim = 3
    config.codes.num_categories = 6
    config.codes.group_size = 2
    config.networks.residual_blocks = 0
    config.networks.generator_width = 2
    config.networks.least_width = 2
    config.networks.background_width = 2
    config.networks.discriminator_width = 2
    config.networks.mask_encoder_width = 2
    config.networks.unet_width = 2
    config.networks.unet_depth = 1
    config.gan.gamma_independence = (0.2, 1.0)
    config.gan.gamma_variety = 1.0
    config.schedule.rounds = 2
    config.schedule.annealed_rounds = 1
    config.schedule.gan_images_per_round = 16
    config.schedule.segmenter_steps_per_round = 4
    config.schedule.final_segmenter_steps = 4
    return config
