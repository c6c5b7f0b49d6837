"""Builds from a config what the training loop needs: photos, models, random draws."""

import keras

from tf_layered_gan.models import codes, losses, perturbation
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.models.networks.discriminator import discriminator
from tf_layered_gan.models.networks.generator import background_generator, foreground_generator
from tf_layered_gan.models.networks.mask_encoder import mask_encoder
from tf_layered_gan.models.networks.unet import unet
from tf_layered_gan.models.segmenter import Segmenter
from tf_layered_gan.models.student import NETWORKS

_MUTUAL_INFORMATION = {"categorical": losses.mutual_information, "normal": losses.normal_mutual_information}


def build_gan_networks(config):
    """Builds G_b, G_f, D and E_pi, each a keras.Model."""
    networks, c_dim = config.networks, config.codes.num_categories
    c_sup_dim = codes.c_sup_dim(config.codes.prior, c_dim, config.codes.group_size)
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
        ),
        discriminator(config.resolution, networks.discriminator_width, c_dim),
        mask_encoder(config.resolution, networks.mask_encoder_width, c_sup_dim),
    )


def build_gan(config, segmenter):
    """Builds and compiles the LayeredGAN around a Segmenter; its initial weights follow from `config.seed`."""
    keras.utils.set_random_seed(config.seed)
    gan = LayeredGAN(
        *build_gan_networks(config),
        segmenter.average_network,
        ema_decay=config.gan.ema_decay,
        warp=perturbation.warp_gather if config.jit or config.distribution == "tpu" else perturbation.warp,  # for XLA
    )

    def adam(learning_rate):
        return keras.optimizers.Adam(learning_rate, beta_1=config.gan.beta_1, beta_2=config.gan.beta_2)

    gan.compile(
        adam(config.gan.generator_learning_rate),
        adam(config.gan.discriminator_learning_rate),
        gamma_mi=config.gan.gamma_mi,
        gamma_b=config.gan.gamma_b,
        gamma_bg=config.gan.gamma_bg,
        gamma_size=config.gan.gamma_size,
        mask_size=config.gan.mask_size,
        gamma_independence=config.gan.gamma_independence,
        mutual_information=_MUTUAL_INFORMATION[config.codes.prior],
    )
    return gan


def build_segmenter_network(config):
    """Builds F, a keras.Model."""
    return unet(config.resolution, config.networks.unet_width, config.networks.unet_depth)


def build_segmenter(config):
    """Builds and compiles the Segmenter; its initial weights follow from `config.seed`."""
    keras.utils.set_random_seed(config.seed + 1)
    segmenter = Segmenter(
        build_segmenter_network(config),
        mask_size=config.segmenter.mask_size,
        ema_decay=config.segmenter.ema_decay,
        gamma_consistency=config.segmenter.gamma_consistency,
    )
    segmenter.compile(keras.optimizers.Adam(config.segmenter.learning_rate))
    return segmenter


def build_student(config, student, teacher=None):
    """Builds and compiles a Segmenter that learns from a finished one; its initial weights follow from `config.seed`.

    Args:
        config: the run's ConfigDict; the student's depth is that of its U-Net.
        student: `student.Student`.
        teacher: the network that segments photos for it; None where it is not to be trained.

    Returns:
        Segmenter; its learning rate falls to zero by half a cosine (Loshchilov and Hutter 2017) over the steps.

    Raises:
        ValueError: for a separable network of a depth of 0.
    """
    depth = config.networks.unet_depth
    if student.network == "separable" and depth < 1:
        raise ValueError(f"networks.unet_depth is {depth}, allowed for a separable student: 1 or more")
    keras.utils.set_random_seed(config.seed + 1)
    segmenter = Segmenter(
        NETWORKS[student.network](config.resolution, student.width, depth),
        mask_size=config.segmenter.mask_size,
        gamma_consistency=student.gamma_consistency,
        gamma_segmentation=student.gamma_segmentation,
        teacher=teacher,
    )
    decay = keras.optimizers.schedules.CosineDecay(student.learning_rate, student.steps)
    segmenter.compile(keras.optimizers.Adam(decay))
    return segmenter
