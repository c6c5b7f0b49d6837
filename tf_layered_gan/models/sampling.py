"""All random inputs of a training step except the photos."""

from collections.abc import Callable

import tensorflow as tf
from ml_collections import ConfigDict

from tf_layered_gan.data import augmentation
from tf_layered_gan.models import codes, perturbation
from tf_layered_gan.models.differentiable_augmentation import sample_augmentation
from tf_layered_gan.models.networks.generator import window_range

# Independent streams of random numbers: draw i of a stream depends on (seed, stream, i) alone.
GAN_STREAM, SEGMENTER_STREAM, SYNTHESIS_STREAM = range(3)


def build_sampler(config: ConfigDict, stream: int) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """Returns the function that draws the random inputs of a training step.

    Args:
        config: the run's config.
        stream: one of the module's streams.

    Returns:
        A function that takes a step, int64 scalar, and returns a dict of tensors: the codes of `codes.sample_codes`,
        "window", "transform" and "contrast" of `perturbation`, and "color" of `augmentation`; if D sees augmented
        images, also "augment_real" and "augment_fake" of `differentiable_augmentation`. The draws depend on (seed,
        stream, step) alone. The draws of the augmentation change no other draws.
    """

    def sample(step: tf.Tensor) -> dict[str, tf.Tensor]:
        seed = tf.stack([tf.constant(config.seed, tf.int64) * 3 + stream, step])
        code_seed, window_seed, warp_seed, contrast_seed, color_seed = tf.unstack(tf.random.split(seed, 5))
        perturbing, batch_size, augmenting = config.perturbation, config.batch_size, {}
        if config.gan.augmentation != "none":
            fold_in = tf.random.experimental.stateless_fold_in
            augmenting = {
                name: sample_augmentation(batch_size, fold_in(seed, tf.constant(number, seed.dtype)))
                for number, name in enumerate(("augment_real", "augment_fake"))
            }
        return augmenting | {
            **codes.sample_codes(batch_size, code_seed, **config.codes),
            "window": perturbation.sample_windows(
                batch_size,
                window_seed,
                places=window_range(config.resolution, config.networks.background_canvas),
            ),
            "transform": perturbation.sample_transforms(
                batch_size,
                warp_seed,
                resolution=config.resolution,
                scale_exponent=perturbing.scale_exponent,
                shift=perturbing.shift,
                rotation=perturbing.rotation,
            ),
            "contrast": perturbation.sample_contrast(
                batch_size, contrast_seed, contrast=perturbing.background_contrast
            ),
            "color": augmentation.sample_color(
                batch_size,
                color_seed,
                brightness=config.segmenter.brightness,
                contrast=config.segmenter.contrast,
                saturation=config.segmenter.saturation,
                hue=config.segmenter.hue,
            ),
        }

    return sample
