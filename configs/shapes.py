"""The config of `make demo`: images of shapes that the program draws itself, at 32x32.

    python -m tf_layered_gan.main --config=configs/shapes.py --workdir=runs/shapes

Time: 64,000 images and the pass over photos in 10 minutes on two cores.
IoU to expect: 0.78 to 0.82 on the test images (three seeds); GrabCut has 0.45. See benchmarks/README.md.

In these images an object may lie anywhere, at any angle. Therefore the perturbation in this config may move an object
much further than the paper's perturbation moves a bird.
"""

from tf_layered_gan.config import default_config


def get_config():
    config = default_config()
    config.resolution = 32
    config.batch_size = 16
    config.data.source = "shapes"
    config.data.crop_scale = (1.0, 1.0)  # no random crops, because the program draws only complete objects
    config.data.held_out_pictures = 300
    config.codes.z_dim = 64
    config.codes.public_z = False
    config.codes.num_categories = 40
    config.codes.group_size = 4
    config.networks.generator_width = 8
    config.networks.least_width = 8
    config.networks.background_width = 8
    config.networks.background_canvas = 2
    config.networks.residual_blocks = 1
    config.networks.mask_stage = "half"  # faster; the IoU is the same within the spread of the seeds
    config.networks.initial_mask = 0.7
    config.networks.mask_centring = 5.0
    config.networks.discriminator_width = 32
    config.networks.unet_width = 8
    config.networks.unet_depth = 3
    config.perturbation.scale_exponent = (-0.7, 0.0)
    config.perturbation.shift = 0.25
    config.perturbation.rotation = 180.0
    config.gan.generator_learning_rate = 4e-4
    config.gan.discriminator_learning_rate = 4e-4
    config.gan.gamma_mi = 0.2
    config.gan.gamma_size = 5.0
    # Without these bounds, masks were empty in a quarter of the categories, and full in another quarter.
    config.gan.mask_size = (0.12, 0.45)
    config.gan.ema_decay = 0.995
    config.segmenter.mask_size = (0.05, 0.8)
    config.segmenter.gamma_consistency = 1.0  # without this loss, the segmenter overfits to synthetic images
    config.segmenter.ema_decay = 0.98  # averages the weights of the last steps, because they vary too much
    config.refine.passes = 1
    config.refine.steps = 1_200  # with 4,400 steps, the IoU was the same within 0.005
    config.schedule.rounds = 4
    config.schedule.annealed_rounds = 2
    config.schedule.gan_images_per_round = 16_000
    config.schedule.segmenter_steps_per_round = 400
    config.schedule.final_segmenter_steps = 2_800
    config.monitoring.scalars_every = 50
    config.monitoring.grid_every = 500
    config.monitoring.checkpoint_every = 1_000  # about every minute
    return config
