"""The paper's tables at a size that a CPU can finish: a folder of photos at 32x32, one round of 16,000 images.

    python -m tf_layered_gan.experiments 1 --scale=small --data=DIR --masks=MASKS --workdir=runs/tables

configs/folder.py at half its resolution, with narrower networks and less training. It is there to compare settings with
one another, not to find objects. Some three minutes a run on one core.
"""

from configs import folder


def get_config():
    config = folder.get_config()
    config.resolution = 32
    config.networks.generator_width = 8
    config.networks.least_width = 8
    config.networks.background_width = 5
    config.networks.unet_depth = 3
    config.schedule.rounds = 1
    config.monitoring.scalars_every = 250
    return config
