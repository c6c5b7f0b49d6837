"""A folder of one's own photos, one object in each, at 64x64 with networks narrow enough for a CPU.

    python -m tf_layered_gan.main --config=configs/folder.py --config.data.path=DIR --workdir=runs/mine

Some 10 to 45 images a second on one core, by what else it does. IoU to expect: 0.65 to 0.76 (three seeds) on 514 photos
of flowers after two rounds, 0.45 on birds after two, their masks kept to a size and to the middle, 0.49 on cars after
three; benchmarks/README.md has the runs. More rounds can be added to a finished run (`--config.schedule.rounds=12`, the
same workdir).

With a GPU take the paper's widths: 64 for the generators and the discriminator, and schedule.gan_images_per_round
of 1_000_000 and more.
"""

from tf_layered_gan.config import default_config


def get_config():
    config = default_config()
    config.resolution = 64
    config.batch_size = 16
    config.codes.public_z = False
    config.codes.num_categories = 100
    config.networks.generator_width = 12
    config.networks.least_width = 12
    config.networks.background_width = 6
    config.networks.background_canvas = 2
    config.networks.residual_blocks = 1
    config.networks.initial_mask = 0.7
    config.networks.mask_centring = 5.0
    config.networks.discriminator_width = 24
    config.networks.unet_width = 8
    config.perturbation.scale_exponent = (-0.5, 0.0)
    config.perturbation.shift = 0.2
    config.gan.generator_learning_rate = 4e-4
    config.gan.discriminator_learning_rate = 4e-4
    config.gan.gamma_mi = 0.2  # with 1, so short a training gave flat objects whose colour names their category
    config.gan.ema_decay = 0.995
    config.segmenter.gamma_consistency = 1.0  # without photos, final steps teach what sets painted pictures apart
    config.schedule.rounds = 3
    config.schedule.gan_images_per_round = 16_000
    config.schedule.segmenter_steps_per_round = 300
    config.schedule.final_segmenter_steps = 300
    config.monitoring.grid_every = 1_000
    config.monitoring.checkpoint_every = 250
    return config
