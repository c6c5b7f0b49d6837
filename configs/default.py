"""Every field, its unit and its place in the paper; the values are the paper's for CUB at 128x128.

Not a run of its own: it has no data. The other files here change what differs.
"""

from ml_collections import ConfigDict, config_dict


def get_config():
    config = ConfigDict()
    config.seed = 0
    config.resolution = 128  # pixels, 4 times a power of two
    config.batch_size = 32  # pictures, over all replicas (C.1)
    config.jit = False  # whether XLA compiles the training steps
    config.distribution = "one_device"  # or "mirrored": all this machine's; "multi_worker": all of several; "tpu"

    config.data = ConfigDict()
    config.data.source = "folder"  # or "shapes", or the paper's "cub", "dogs", "cars", "apc"
    config.data.path = config_dict.placeholder(str)  # folder: of photos; the paper's: of TensorFlow Datasets
    config.data.masks = config_dict.placeholder(str)  # folder, dogs, cars: where masks are, which a GAN never sees
    config.data.unlabelled = config_dict.placeholder(int)  # folder: the grey value of unlabelled mask pixels
    config.data.classes = config_dict.placeholder(str)  # regex of the class in a photo's name, for NMI only
    config.data.holdout = 64  # photos kept from training; folder without masks: at most a tenth; dogs, cars: validation
    config.data.train_pictures = 10_000  # shapes
    config.data.held_out_pictures = 500  # shapes: for validation, and again for the test
    config.data.crop_scale = (0.8, 1.0)  # fraction of the width; random resized crop (C.1)
    config.data.flip = True  # horizontally, with probability 1/2 (C.1)

    config.codes = ConfigDict()
    config.codes.z_dim = 100  # d_z; not in the paper, FineGAN's
    config.codes.public_z = True  # shared by both generators; if not, beyond the paper: each draws its own
    config.codes.prior = "categorical"  # of the private code c, or "normal" (Table 2: d_c 4 to 10); no NMI then
    config.codes.num_categories = 200  # d_c (Table C.1); the dimension of a normal c
    config.codes.group_size = 10  # categories in a super-category (Table C.1); a normal c has none, and c_sup = c

    config.networks = ConfigDict()
    config.networks.generator_width = 64  # channels at full resolution, foreground
    config.networks.least_width = 16  # channels that each of its stages leaves at least; the paper has 32 and 16
    config.networks.background_width = 64  # likewise, background
    config.networks.background_canvas = 1  # side of the painted background, in pictures; beyond 1 not in the paper
    config.networks.residual_blocks = 2  # in each of the foreground generator's two stages
    config.networks.initial_mask = 0.5  # about what a mask's pixels are before training; not in the paper
    config.networks.mask_centring = 0.0  # lowers a mask's logit by this times r^2; beyond 0 not in the paper
    config.networks.discriminator_width = 64  # channels after the first convolution
    config.networks.mask_encoder_width = 16  # likewise
    config.networks.unet_width = 64  # channels at full resolution
    config.networks.unet_depth = 4  # halvings of the resolution

    config.perturbation = ConfigDict()  # Eqs. 9 and 10, Table C.1; each uniform
    config.perturbation.scale_exponent = (-0.2, 0.0)  # s: the object becomes 2^s times as large
    config.perturbation.shift = 0.125  # fraction of the width, both ways: 16 of 128 pixels
    config.perturbation.rotation = 15.0  # degrees, both ways
    config.perturbation.background_contrast = (1.0, 1.0)  # factor

    config.gan = ConfigDict()
    config.gan.generator_learning_rate = 2e-4  # Adam (C.1)
    config.gan.discriminator_learning_rate = 2e-4
    config.gan.beta_1 = 0.5
    config.gan.beta_2 = 0.999
    config.gan.gamma_mi = 1.0  # weight of the mutual-information loss (Table C.1)
    config.gan.gamma_b = 2.0  # weight of the binarisation loss; not in the paper, PerturbGAN's and ILSGAN's
    config.gan.gamma_bg = 2.0  # weight of the background loss, from round 2 on (Table C.1)
    config.gan.gamma_size = 0.0  # weight of the mask-size loss; Table 1 has it in place of gamma_mi, PerturbGAN: 2
    config.gan.mask_size = (0.25, 1.0)  # share of the picture to which it keeps a mask; PerturbGAN's
    config.gan.gamma_independence = (0.0, 0.0)  # weight of ILSGAN's loss in round 1, and later; there 0.2, 1
    config.gan.ema_decay = 0.999  # a step, of the generators that synthesise; not in the paper

    config.segmenter = ConfigDict()
    config.segmenter.learning_rate = 1e-3  # Adam (C.2)
    config.segmenter.supervised = False  # learns from true masks alone (Table 5), final_segmenter_steps long
    config.segmenter.mask_size = (0.0, 1.0)  # share of the picture; others teach nothing. Not in the paper, Voynov's
    config.segmenter.ema_decay = 0.0  # a step, of the weights that segment; beyond 0 not in the paper
    config.segmenter.gamma_consistency = 0.0  # weight of the loss on photos in the final steps; not in the paper
    config.segmenter.brightness = 0.2  # colour augmentation; the paper gives no ranges
    config.segmenter.contrast = 0.2
    config.segmenter.saturation = 0.2
    config.segmenter.hue = 0.05

    config.schedule = ConfigDict()  # Algorithm 1 and C.2, C.3
    config.schedule.rounds = 5  # K
    config.schedule.annealed_rounds = 0  # the last ones, in which G's and D's learning rates fall; not in the paper
    config.schedule.gan_images_per_round = 2_000_000  # real pictures seen by D; N_gan = this / batch_size
    config.schedule.segmenter_steps_per_round = 2_000  # N_seg
    config.schedule.final_segmenter_steps = 12_000  # after the last round

    config.monitoring = ConfigDict()  # the first three: steps between two of each
    config.monitoring.scalars_every = 100
    config.monitoring.grid_every = 2_000
    config.monitoring.checkpoint_every = 2_000
    config.monitoring.restarts = 0  # how often a run begins again that has collapsed at the end of a round

    config.metrics = ConfigDict()  # of the evaluation only
    config.metrics.inception = config_dict.placeholder(str)  # the weights for FID, see README.md; without, none
    config.metrics.fid_samples = 10_000  # synthetic pictures for FID (Sec. 4.1), and backgrounds for bg-FID
    return config
