"""A folder of your own photos, with one object in each, at 64x64 and with networks small enough for a CPU.

    python -m tf_layered_gan.main --config=configs/folder.py --config.data.path=DIR --workdir=runs/mine

First, a segmenter learns GrabCut's masks (the bootstrap). Then, in a pass over the photos, the program sharpens the
segmenter's masks, and the segmenter learns these sharpened masks. If the program does not trust the bootstrap (see
docs/training.md), it trains a GAN before the passes. With --config.schedule.gan=always, it trains a GAN in every run.

Time: 25 to 40 minutes on one core for 500 to 8,000 photos, if no GAN is needed.
IoU to expect: 0.91 on flowers (two seeds), 0.72 on birds (three seeds) and 0.74 on cars (one seed).
With --config.refine.bootstrap=False --config.refine.passes=0, the segmenter learns from the GAN alone. The GAN trains
on 10 to 45 images per second on one core. The GAN needed 22 to 47 minutes for 32,000 to 48,000 images. With the GAN
alone, the IoU was 0.65 to 0.76 on 514 photos of flowers (three seeds, two rounds), and 0.49 on cars (three rounds,
cropped). On birds, the IoU was 0.45 in a run with two rounds, bounds on the size of masks, and masks that start in the
middle of the image. See benchmarks/README.md.

More rounds of the GAN can be added to a finished run. Use the same command and workdir and add, for example,
--config.schedule.gan=always --config.schedule.rounds=12. A run that version 0.1.0 began also needs
--config.data.fit=crop --config.refine.bootstrap=False --config.refine.passes=0 --config.networks.unet_width=8
--config.precision=float32. With a GPU, use the paper's widths (64 for the generators and the discriminator), and
1_000_000 or more for schedule.gan_images_per_round.
"""

from tf_layered_gan.config import default_config


def get_config():
    config = default_config()
    config.resolution = 64
    config.data.fit = "squeeze"  # so that objects at the left and right end of a photo are not cut off
    config.batch_size = 16
    config.precision = "auto"
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
    config.networks.unet_width = 16
    config.perturbation.scale_exponent = (-0.5, 0.0)
    config.perturbation.shift = 0.2
    config.gan.generator_learning_rate = 4e-4
    config.gan.discriminator_learning_rate = 4e-4
    config.gan.gamma_mi = 0.2  # with 1, the objects had only one colour per category after this short training
    config.gan.ema_decay = 0.995
    config.segmenter.gamma_consistency = 1.0  # without this loss, the segmenter overfits to synthetic images
    config.refine.bootstrap = True
    config.refine.passes = 1
    config.refine.steps = 3_600
    # On flowers and birds, a GAN of this size had a much lower IoU than the bootstrap.
    config.schedule.gan = "if_needed"
    config.schedule.rounds = 3
    config.schedule.gan_images_per_round = 16_000
    config.schedule.segmenter_steps_per_round = 300
    config.schedule.final_segmenter_steps = 300
    config.monitoring.grid_every = 1_000
    config.monitoring.checkpoint_every = 250
    return config
