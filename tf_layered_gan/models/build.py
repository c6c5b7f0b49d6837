"""Builds the models that a config describes."""

from collections.abc import Callable

import keras
from absl import logging
from ml_collections import ConfigDict

from tf_layered_gan.config import pass_steps
from tf_layered_gan.config.student import Student
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.labelling.labels import evenly_chosen
from tf_layered_gan.models import codes, encoder_weights, losses
from tf_layered_gan.models.augmentation import perturbation
from tf_layered_gan.models.augmentation.differentiable_augmentation import DifferentiableAugmentation
from tf_layered_gan.models.augmentation.photo_like import MOST_PHOTOS, PhotoLike, color_statistics
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.models.networks.discriminator import discriminator
from tf_layered_gan.models.networks.generator import background_generator, foreground_generator
from tf_layered_gan.models.networks.lite0_unet import lite0_unet
from tf_layered_gan.models.networks.mask_encoder import mask_encoder
from tf_layered_gan.models.networks.separable_unet import separable_unet
from tf_layered_gan.models.networks.unet import unet
from tf_layered_gan.models.precision import built_for, gan_precision, pass_precision
from tf_layered_gan.models.segmenter import PairMaker, Segmenter, perturbed_pairs, plain_pairs

# Decay, per training step, of the moving average of a segmenter's weights, for segmenters of passes over photos.
_PHOTO_EMA_DECAY = 0.99
# _SEGMENTERS maps the name of an encoder to the function that builds a segmenter. _STUDENTS maps the name of a network
# to the function that builds a student. All functions take the resolution, the width and the depth.
_SEGMENTERS = {"none": unet, "efficientnet_lite0": lite0_unet}
_STUDENTS = {"separable": separable_unet, "unet": unet}
_MUTUAL_INFORMATION = {"categorical": losses.mutual_information, "normal": losses.normal_mutual_information}
# All fields of config.gan outside this list are arguments of LayeredGAN.compile, so a new loss weight needs no change
# here.
_NO_LOSSES = (
    "generator_learning_rate",
    "discriminator_learning_rate",
    "beta_1",
    "beta_2",
    "ema_decay",
    "augmentation",
    "augmentation_probability",
    "augmentation_target",
)


def build_gan_networks(config: ConfigDict) -> tuple[keras.Model, keras.Model, keras.Model, keras.Model]:
    """Builds G_b, G_f, D and E_pi."""
    networks, c_dim = config.networks, config.codes.num_categories
    c_sup_dim = codes.c_sup_dim(config.codes.prior, c_dim, config.codes.group_size)
    with built_for(gan_precision(config.precision)):
        return (
            background_generator(
                config.resolution, networks.background_width, config.codes.z_dim, canvas=networks.background_canvas
            ),
            foreground_generator(
                config.resolution,
                networks.generator_width,
                config.codes.z_dim,
                c_dim=c_dim,
                c_sup_dim=c_sup_dim,
                residual_blocks=networks.residual_blocks,
                least_width=networks.least_width,
                initial_mask=networks.initial_mask,
                mask_centring=networks.mask_centring,
                half_mask_stage=networks.mask_stage == "half",
            ),
            discriminator(
                config.resolution, networks.discriminator_width, c_dim, minibatch_groups=networks.minibatch_groups
            ),
            mask_encoder(config.resolution, networks.mask_encoder_width, c_sup_dim),
        )


def build_gan(config: ConfigDict, segmenter: Segmenter) -> LayeredGAN:
    """Builds and compiles the LayeredGAN; its initial weights follow from `config.seed`.

    By default, the background loss uses the averaged network of `segmenter`. If the run has a bootstrap, or if the GAN
    computes in bfloat16, the loss uses a separate network. `phases.gan_phase` gives this network the weights of
    the bootstrap's segmenter or of `segmenter`.
    """
    separate = config.refine.bootstrap or gan_precision(config.precision) != "float32"
    background_judge = build_segmenter_network(config) if separate else segmenter.average_network
    keras.utils.set_random_seed(config.seed)
    warp = perturbation.warp_gather if _needs_xla(config) else perturbation.warp
    gan = LayeredGAN(
        *build_gan_networks(config),
        background_judge,
        ema_decay=config.gan.ema_decay,
        warp=warp,
        augmentation=_build_augmentation(config.gan, warp),
    )
    rates = (config.gan.generator_learning_rate, config.gan.discriminator_learning_rate)
    gan.compile(
        *(keras.optimizers.Adam(rate, beta_1=config.gan.beta_1, beta_2=config.gan.beta_2) for rate in rates),
        mutual_information=_MUTUAL_INFORMATION[config.codes.prior],
        **{name: value for name, value in config.gan.items() if name not in _NO_LOSSES},
    )
    return gan


def build_pairs(config: ConfigDict, gan: LayeredGAN, photos: Photos) -> PairMaker:
    """Builds the function that makes the segmenter's pairs from the layers of the GAN.

    Args:
        config: the run's config.
        gan: the GAN.
        photos: if `segmenter.pairs` is "photo_like", some pairs get the colours of these photos.
    """
    if config.segmenter.pairs != "photo_like":
        return {"perturbed": perturbed_pairs, "plain": plain_pairs}[config.segmenter.pairs]
    compress = not _needs_xla(config)
    if not compress:
        logging.info("XLA compiles the steps, so no pair is compressed as a JPEG file")
    statistics = color_statistics(evenly_chosen(photos, MOST_PHOTOS).images)
    return PhotoLike(statistics, gan.warp, compress=compress)


def _needs_xla(config: ConfigDict) -> bool:
    # Training replaces "auto" by True or False. For all other commands, "auto" means False.
    return config.jit is True or config.distribution == "tpu"


def _build_augmentation(gan: ConfigDict, warp: Callable) -> DifferentiableAugmentation | None:
    if gan.augmentation == "none":
        return None
    return DifferentiableAugmentation(
        warp,
        geometry=gan.augmentation == "geometry_color",
        probability=gan.augmentation_probability,
        target=gan.augmentation_target,
    )


def build_segmenter_network(config: ConfigDict, precision: str | None = None) -> keras.Model:
    """Builds F. A pretrained encoder has random weights until `load_encoder` or a checkpoint sets them.

    Args:
        config: the run's config.
        precision: "float32" or "bfloat16"; None means the precision of the GAN.
    """
    networks = config.networks
    with built_for(precision or gan_precision(config.precision)):
        return _SEGMENTERS[networks.encoder](config.resolution, networks.unet_width, networks.unet_depth)


def load_encoder(config: ConfigDict, segmenter: Segmenter) -> None:
    """Loads the weights of the pretrained encoder into a new segmenter, if the config has a pretrained encoder.

    Raises:
        ValueError: see `encoder_weights.load`.
    """
    if config.networks.encoder_weights is not None:
        for network in (segmenter.network, segmenter.average_network):
            encoder_weights.load(config.networks.encoder_weights, network)


def build_segmenter(config: ConfigDict) -> Segmenter:
    """Builds and compiles the segmenter; its initial weights follow from `config.seed`."""
    keras.utils.set_random_seed(config.seed + 1)
    segmenter = Segmenter(
        build_segmenter_network(config),
        mask_size=config.segmenter.mask_size,
        ema_decay=config.segmenter.ema_decay,
        **{name: value for name, value in config.segmenter.items() if name.startswith("gamma_")},
    )
    segmenter.compile(keras.optimizers.Adam(config.segmenter.learning_rate))
    return segmenter


def build_photo_segmenter(config: ConfigDict, number: int) -> Segmenter:
    """Builds and compiles the segmenter of a pass over photos, see `training.photo_passes`.

    Args:
        config: the run's config; the initial weights follow from its seed.
        number: the number of the pass.

    Returns:
        Segmenter. Its learning rate falls to zero over the steps, along half a cosine (Loshchilov and Hutter 2017). Use
        its averaged network, because it is less noisy than the trained network.
    """
    keras.utils.set_random_seed((config.seed + 2 + number) % 2**32)  # the sum may be too large for a seed
    network = build_segmenter_network(config, pass_precision(config.precision)[0])
    segmenter = Segmenter(network, ema_decay=_PHOTO_EMA_DECAY)
    segmenter.compile(_annealed_adam(config.segmenter.learning_rate, pass_steps(config)))
    return segmenter


def build_student(config: ConfigDict, student: Student, teacher: keras.Model | None = None) -> Segmenter:
    """Builds and compiles a student, which is a smaller segmenter that learns from a finished segmenter.

    Args:
        config: the run's config. Its seed determines the initial weights, and `networks.unet_depth` is the student's
            depth.
        student: the student's settings.
        teacher: the network that segments photos for the student; None for a student that is not trained.

    Returns:
        Segmenter. Its learning rate falls to zero over the steps, along half a cosine (Loshchilov and Hutter 2017).

    Raises:
        ValueError: for a separable network of depth 0.
    """
    depth = config.networks.unet_depth
    if student.network == "separable" and depth < 1:
        raise ValueError(f"networks.unet_depth is {depth}, allowed for a separable student: 1 or more")
    keras.utils.set_random_seed(config.seed + 1)
    with built_for(gan_precision(config.precision)):
        network = _STUDENTS[student.network](config.resolution, student.width, depth)
    segmenter = Segmenter(
        network,
        mask_size=config.segmenter.mask_size,
        gamma_consistency=student.gamma_consistency,
        gamma_segmentation=student.gamma_segmentation,
        teacher=teacher,
    )
    segmenter.compile(_annealed_adam(student.learning_rate, student.steps))
    return segmenter


def _annealed_adam(learning_rate: float, steps: int) -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps))
