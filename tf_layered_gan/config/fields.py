"""All fields of a config. A field has a name, a default, a check, a meaning and a place in the paper.

The defaults are the paper's values for CUB at 128x128. A field is declared here and nowhere else. Rules that involve
several fields are in `validation`.
"""

import dataclasses
from typing import Any

from ml_collections import ConfigDict, FieldReference

from edge_segmenter.fit import FITS
from tf_layered_gan.config import checks
from tf_layered_gan.config.checks import at_least, decay, more_than_0, ordered_pair, within
from tf_layered_gan.files.paths import resolved

_WIDTH = more_than_0(512)
_WEIGHT = at_least(0, 1_000_000)
_LEARNING_RATE = more_than_0(1)


@dataclasses.dataclass(frozen=True)
class Field:
    """One field.

    Attributes:
        name: the name with its section, as in "gan.gamma_mi".
        default: the value, unless a config changes it.
        check: the allowed values.
        about: the meaning, the unit and the place in the paper.
        kind: the type of the value if it is not the type of the default, otherwise None. If the default is None, the
            value may be None or of this type.
        added: True if earlier versions did not have the field. Runs of earlier versions trained with the default value.
        is_path: whether the value is a path, see `resolve_paths`.
    """

    name: str
    default: Any
    check: checks.Check
    about: str
    kind: type | None = None
    added: bool = False
    is_path: bool = False


FIELDS = (
    Field("seed", 0, checks.seed(), "seed of all random numbers"),
    Field("resolution", 128, checks.power_of_two(16, 1024), "pixels, width and height of an image"),
    Field("batch_size", 32, at_least(1, 65_536), "images in a step, counted over all devices (C.1)"),
    Field(
        "jit",
        False,
        checks.switch(),
        "whether XLA compiles the training steps; auto: only on one GPU or on TPUs",
        object,
    ),
    Field(
        "precision",
        "float32",
        checks.one_of("float32", "bfloat16", "auto"),
        "number type of convolutions and dense layers in training steps; weights are always float32; auto: bfloat16 "
        "only in passes over photos, on a CPU that has instructions for it",
        added=True,
    ),
    Field(
        "distribution",
        "one_device",
        checks.one_of("one_device", "mirrored", "multi_worker", "tpu"),
        "mirrored: all devices of this machine; multi_worker: all devices of several machines",
    ),
    # Photos. Text after a source and a colon, such as "shapes: ...", is about this source only.
    Field(
        "data.source",
        "folder",
        checks.one_of("cub", "dogs", "cars", "apc", "folder", "shapes"),
        "folder: a folder of photos; shapes: images that the program draws; the others: the paper's datasets",
    ),
    Field("data.path", None, checks.folder(), "folder of photos, or folder of TensorFlow Datasets", str, is_path=True),
    Field(
        "data.masks",
        None,
        checks.folder(),
        "folder, dogs, cars: folder of masks, for evaluation only",
        str,
        is_path=True,
    ),
    Field("data.unlabelled", None, checks.grey(), "folder: the grey value of unlabelled mask pixels", int),
    Field(
        "data.classes", None, checks.regular_expression(), "finds the class of a photo in its name; only for NMI", str
    ),
    Field(
        "data.fit",
        "crop",
        checks.one_of(*FITS),
        "how photos become square: crop their centre, squeeze them or pad them",
        added=True,
    ),
    Field(
        "data.holdout",
        64,
        checks.anything(),
        "number of photos that are not used for training; folder: at most a tenth of all photos",
    ),
    Field(
        "data.most_photos",
        50_000,
        at_least(3, 10_000_000),
        "folder: largest number of photos without masks to use; if there are more, they are sorted by name, and evenly "
        "spaced ones are used",
        added=True,
    ),
    Field("data.train_pictures", 10_000, at_least(1, 10_000_000), "shapes: number of images to train on"),
    Field(
        "data.held_out_pictures", 500, at_least(1, 1_000_000), "shapes: number of validation images, and of test images"
    ),
    Field(
        "data.crop_scale",
        (0.8, 1.0),
        ordered_pair(0.25, 1.0),
        "range of the width of a random crop, as a share of the photo's width (C.1)",
    ),
    Field("data.flip", True, checks.anything(), "mirrors photos with probability 1/2 (C.1)"),
    # Latent codes
    Field("codes.z_dim", 100, more_than_0(10_000), "d_z, the dimension of z; not in the paper; FineGAN: 100"),
    Field("codes.public_z", True, checks.anything(), "whether both generators share z; False is not in the paper"),
    Field("codes.prior", "categorical", checks.one_of("categorical", "normal"), "the private code's prior (Table 2)"),
    Field(
        "codes.num_categories",
        200,
        more_than_0(100_000),
        "d_c (Table C.1): number of categories, or dimension of a normal c",
    ),
    Field("codes.group_size", 10, checks.anything(), "number of categories in a super-category (Table C.1)"),
    # Networks
    Field("networks.generator_width", 64, _WIDTH, "channels of the foreground generator, G_f, at full resolution"),
    Field(
        "networks.least_width",
        16,
        _WIDTH,
        "least number of channels after a stage of G_f; in the paper, the two stages have 32 and 16",
    ),
    Field("networks.background_width", 64, _WIDTH, "channels of the background generator at full resolution"),
    Field(
        "networks.background_canvas",
        1,
        more_than_0(8),
        "side of the painted background, divided by the side of the image; paper: 1",
    ),
    Field("networks.residual_blocks", 2, at_least(0, 100), "residual blocks in each of the two stages of G_f"),
    Field("networks.initial_mask", 0.5, checks.probability(), "mean of a mask before training; not in the paper"),
    Field(
        "networks.mask_centring",
        0.0,
        at_least(0, 1_000),
        "k: k * r^2 is subtracted from mask logits, where r is 0 at the centre and 1 at the middle of a side; not in "
        "the paper",
    ),
    Field(
        "networks.mask_stage",
        "full",
        checks.one_of("full", "half"),
        "resolution of G_f's stage that paints the mask; half: faster, not in the paper",
        added=True,
    ),
    Field("networks.discriminator_width", 64, _WIDTH, "channels after the discriminator's first convolution"),
    Field(
        "networks.minibatch_groups",
        0,
        at_least(0, 65_536),
        "number of images that D compares with each other; 0: none; ILSGAN: 4",
        added=True,
    ),
    Field("networks.mask_encoder_width", 16, _WIDTH, "channels after the mask encoder's first convolution"),
    Field("networks.unet_width", 64, _WIDTH, "channels of the segmenter at full resolution"),
    Field("networks.unet_depth", 4, at_least(0, 8), "number of times that the segmenter halves the resolution"),
    Field(
        "networks.encoder",
        "none",
        checks.one_of("none", "efficientnet_lite0"),
        "the segmenter's encoder; none: the plain U-Net of the paper",
        added=True,
    ),
    Field(
        "networks.encoder_weights",
        None,
        checks.file(),
        "file that models.encoder_weights writes, with weights trained on ImageNet's labels; None: random weights",
        str,
        added=True,
        is_path=True,
    ),
    # Perturbation: Eqs. 9 and 10, Table C.1. Each value is drawn uniformly from its range.
    Field(
        "perturbation.scale_exponent",
        (-0.2, 0.0),
        ordered_pair(-2.0, 2.0),
        "range of s; objects become 2^s times as large",
    ),
    Field(
        "perturbation.shift", 0.125, within(0, 0.5), "largest shift, as a share of the width; 0.125 is 16 of 128 pixels"
    ),
    Field("perturbation.rotation", 15.0, at_least(0, 180), "largest rotation in either direction, in degrees"),
    Field(
        "perturbation.background_contrast",
        (1.0, 1.0),
        ordered_pair(0.0, 2.0),
        "range of the factor that changes the background's contrast",
    ),
    # GAN: Eq. 6; the discriminator is D
    Field("gan.generator_learning_rate", 2e-4, _LEARNING_RATE, "learning rate of Adam (C.1)"),
    Field("gan.discriminator_learning_rate", 2e-4, _LEARNING_RATE, "learning rate of Adam (C.1)"),
    Field("gan.beta_1", 0.5, decay(), "beta_1 of Adam (C.1)"),
    Field("gan.beta_2", 0.999, decay(), "beta_2 of Adam (C.1)"),
    Field("gan.gamma_mi", 1.0, _WEIGHT, "weight of the mutual-information loss (Table C.1)"),
    Field("gan.gamma_b", 2.0, _WEIGHT, "weight of the binarisation loss; PerturbGAN and ILSGAN: 2"),
    Field("gan.gamma_bg", 2.0, _WEIGHT, "weight of the background loss, from round 2 on (Table C.1)"),
    Field(
        "gan.background_every",
        1,
        more_than_0(1_000),
        "n: only every n-th step computes the background loss, and multiplies its weight by n; paper: 1",
        added=True,
    ),
    Field("gan.gamma_size", 0.0, _WEIGHT, "weight of the mask-size loss (Table 1); PerturbGAN: 2"),
    Field(
        "gan.mask_size",
        (0.25, 1.0),
        ordered_pair(0.0, 1.0),
        "range of mask sizes, as shares of the image, for which the mask-size loss is 0",
    ),
    Field(
        "gan.gamma_independence",
        (0.0, 0.0),
        checks.weight_pair(1_000_000),
        "weights of the independence loss in round 1 and in later rounds; ILSGAN: 0.2, 1",
    ),
    Field("gan.gamma_variety", 0.0, _WEIGHT, "weight of the variety loss; not in the paper", added=True),
    Field(
        "gan.mask_distance",
        0.2,
        within(0, 1),
        "the variety loss of two masks is 0 if their distance is at least this value",
        added=True,
    ),
    Field("gan.gamma_r1", 0.0, _WEIGHT, "weight of R1; ILSGAN: 0.0002 * resolution^2 / batch_size", added=True),
    Field(
        "gan.augmentation",
        "none",
        checks.one_of("none", "color", "geometry_color"),
        "how the images for D are augmented; not in the paper; MOVE: color; ILSGAN: geometry_color",
        added=True,
    ),
    Field(
        "gan.augmentation_probability",
        1.0,
        within(0, 1),
        "probability of each transformation, if augmentation_target is 0",
        added=True,
    ),
    Field(
        "gan.augmentation_target",
        0.0,
        decay(),
        "the probability is adapted to bring the mean sign of D(photo) near this value; 0: the probability is fixed; "
        "ILSGAN: 0.6",
        added=True,
    ),
    Field(
        "gan.ema_decay",
        0.999,
        decay(),
        "decay, per training step, of the moving average of the generators' weights; not in the paper",
    ),
    # Segmenter: Eq. 7. The segmenter learns from pairs of a synthetic image and the mask of this image.
    Field("segmenter.learning_rate", 1e-3, _LEARNING_RATE, "learning rate of Adam (C.2)"),
    Field(
        "segmenter.supervised", False, checks.anything(), "whether the segmenter learns from true masks alone (Table 5)"
    ),
    Field(
        "segmenter.pairs",
        "perturbed",
        checks.one_of("perturbed", "plain", "photo_like"),
        "perturbed: the images are those that D sees; plain: the layers are not perturbed (paper); photo_like: the "
        "images are changed to look like photos, but without JPEG if XLA compiles the steps",
        added=True,
    ),
    Field(
        "segmenter.mask_size",
        (0.0, 1.0),
        ordered_pair(0.0, 1.0),
        "range of mask sizes, as shares of the image; pairs with smaller or larger masks are ignored",
    ),
    Field(
        "segmenter.ema_decay",
        0.0,
        decay(),
        "decay, per training step, of the moving average of the segmenter's weights; paper: 0",
    ),
    Field(
        "segmenter.gamma_consistency", 0.0, _WEIGHT, "weight of the loss on photos in the final steps; not in the paper"
    ),
    # The random colour augmentation of images. The paper gives no ranges.
    Field("segmenter.brightness", 0.2, within(0, 2.0), "largest shift of the brightness, up or down"),
    Field("segmenter.contrast", 0.2, within(0, 1.0), "largest change of the contrast factor from 1, up or down"),
    Field("segmenter.saturation", 0.2, within(0, 1.0), "largest change of the saturation factor from 1, up or down"),
    Field("segmenter.hue", 0.05, within(0, 0.5), "largest rotation of the hue; 1 is the full circle of hues"),
    # Passes over photos, which are not in the paper: see training/photo_passes.py
    Field(
        "refine.bootstrap",
        False,
        checks.anything(),
        "whether there is a round 0, in which a segmenter learns masks of the photos from GrabCut or refine.labeller",
        added=True,
    ),
    Field(
        "refine.labeller",
        None,
        checks.file(),
        ".tflite file or SavedModel that makes the masks of round 0; None: GrabCut makes them",
        str,
        added=True,
        is_path=True,
    ),
    Field(
        "refine.labeller_size",
        0,
        at_least(0, 4096),
        "image size in pixels, for a labeller that takes any size; 0: the labeller has a fixed size",
        added=True,
    ),
    Field(
        "refine.labeller_range",
        (0.0, 0.0),
        ordered_pair(-1000.0, 1000.0),
        "values that stand for the pixel values 0 and 255 in the labeller's float32 input; (0, 0): the input is uint8",
        added=True,
    ),
    Field("refine.labeller_logits", False, checks.anything(), "whether the labeller returns logits", added=True),
    Field(
        "refine.labeller_channel",
        -1,
        at_least(-1, 65_535),
        "channel or class id of the foreground in the labeller's output, counted from 0; -1: there is one channel",
        added=True,
    ),
    Field(
        "refine.passes",
        0,
        at_least(0, 10),
        "largest number of passes after the GAN; in a pass, a segmenter learns sharpened masks of the photos",
        added=True,
    ),
    Field(
        "refine.steps",
        0,
        at_least(0),
        "training steps of a pass; 0: as many as the segmenter takes on synthetic pairs",
        added=True,
    ),
    Field("refine.photos", 4_000, more_than_0(), "largest number of photos for which masks are made", added=True),
    Field(
        "refine.mask_size",
        (0.03, 0.9),
        ordered_pair(0.0, 1.0),
        "range of mask sizes, as shares of the image; smaller and larger masks are ignored",
        added=True,
    ),
    Field(
        "refine.rejected",
        None,
        checks.file(),
        "file from the review of a report; the photos that it names get no masks",
        str,
        added=True,
        is_path=True,
    ),
    # Schedule: Algorithm 1, C.2, C.3
    Field("schedule.rounds", 5, more_than_0(10_000), "K, the number of rounds"),
    Field(
        "schedule.gan",
        "always",
        checks.one_of("always", "if_needed"),
        "if_needed: the GAN is not trained if the bootstrap is trusted; not in the paper",
        added=True,
    ),
    Field(
        "schedule.annealed_rounds",
        0,
        at_least(0),
        "number of rounds at the end over which the GAN's learning rates fall to 0",
    ),
    Field(
        "schedule.gan_images_per_round",
        2_000_000,
        at_least(1),
        "number of photos that D sees in a round; N_gan is this number divided by batch_size, rounded down",
    ),
    Field("schedule.segmenter_steps_per_round", 2_000, more_than_0(), "N_seg, the segmenter steps in a round"),
    Field("schedule.final_segmenter_steps", 12_000, at_least(0), "segmenter steps after the last round"),
    # Monitoring
    Field("monitoring.scalars_every", 100, more_than_0(), "steps between two records of scalars"),
    Field("monitoring.grid_every", 2_000, more_than_0(), "steps between two image grids"),
    Field("monitoring.checkpoint_every", 2_000, more_than_0(), "steps between two checkpoints"),
    Field(
        "monitoring.profile_steps", 0, at_least(0, 1_000), "steps to profile in each kind of phase; 0: none", added=True
    ),
    Field("monitoring.restarts", 0, at_least(0, 100), "how often a run may begin again after a collapse"),
    # Evaluation
    Field("metrics.inception", None, checks.anything(), "file of weights for FID; None: no FID", str, is_path=True),
    Field(
        "metrics.fid_samples", 10_000, at_least(2), "number of images for FID, and of backgrounds for bg-FID (Sec. 4.1)"
    ),
)


def resolve_paths(config: ConfigDict) -> None:
    """Makes the paths in a config absolute, so that they mean the same in every working directory.

    Raises:
        ValueError: see `files.paths.resolved`.
    """
    for field in FIELDS:
        if field.is_path:
            section, name = field.name.split(".")
            value, is_made = config[section][name], section == "data" and config.data.source != "folder"
            if value is not None:
                config[section][name] = resolved(value, field.name, exists=not is_made)


def default_config() -> ConfigDict:
    """Builds the config in which every field has its default."""
    config = ConfigDict()
    for field in FIELDS:
        *sections, name = field.name.split(".")
        owner = config
        for section in sections:
            if section not in owner:
                owner[section] = ConfigDict()
            owner = owner[section]
        has_kind = field.kind is not None
        owner[name] = FieldReference(field.default, field_type=field.kind) if has_kind else field.default
    return config
