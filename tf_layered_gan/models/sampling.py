"""All random inputs of a training step, except the photos."""

from collections.abc import Callable

import tensorflow as tf
from ml_collections import ConfigDict

from tf_layered_gan.data import augmentation
from tf_layered_gan.models import codes
from tf_layered_gan.models.augmentation import perturbation, photo_like
from tf_layered_gan.models.augmentation.differentiable_augmentation import sample_augmentation
from tf_layered_gan.models.networks.generator import window_range

# These streams of random numbers are independent. Draw i of a stream depends only on (seed, stream, i).
GAN_STREAM, SEGMENTER_STREAM, SYNTHESIS_STREAM = range(3)


def build_sampler(config: ConfigDict, stream: int) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """Returns the function that draws the random inputs of a training step.

    Args:
        config: the run's config.
        stream: `GAN_STREAM`, `SEGMENTER_STREAM` or `SYNTHESIS_STREAM`.

    Returns:
        A function that takes a step, int64 scalar, and returns a dict of tensors. The dict has the codes from
        `codes.sample_codes`, then "window", "transform" and "contrast" (see `perturbation`) and "color" (see
        `augmentation`). If D sees augmented images, the dict also has "augment_real" and "augment_fake" of
        `differentiable_augmentation`. The draws depend only on (seed, stream, step). Augmentation does not change the
        other draws. If `segmenter.pairs` is "photo_like", the segmenter's stream also has "photo_like", see
        `photo_like.sample`. Then an image of this stream may also get the "z" and "window" of another image, see
        `photo_like.exchange_backgrounds`. If `gan.gamma_variety` is more than 0, the images 2i and 2i + 1 of the GAN's
        stream have the same private code.
    """
    in_pairs = stream == GAN_STREAM and config.gan.gamma_variety > 0
    looks_like_photos = stream == SEGMENTER_STREAM and config.segmenter.pairs == "photo_like"

    def sample(step: tf.Tensor) -> dict[str, tf.Tensor]:
        seed = tf.stack([tf.constant(config.seed, tf.int64) * 3 + stream, step])
        code_seed, window_seed, warp_seed, contrast_seed, color_seed = tf.unstack(tf.random.split(seed, 5))
        perturbing, batch_size = config.perturbation, config.batch_size
        draws = {
            **codes.sample_codes(batch_size, code_seed, in_pairs=in_pairs, **config.codes),
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
        if config.gan.augmentation != "none":
            draws["augment_real"] = sample_augmentation(batch_size, _fold_in(seed, 0))
            draws["augment_fake"] = sample_augmentation(batch_size, _fold_in(seed, 1))
        if looks_like_photos:
            draws = photo_like.exchange_backgrounds(draws, _fold_in(seed, 2))
            draws["photo_like"] = photo_like.sample(batch_size, _fold_in(seed, 3), resolution=config.resolution)
        return draws

    return sample


def _fold_in(seed: tf.Tensor, number: int) -> tf.Tensor:
    return tf.random.experimental.stateless_fold_in(seed, tf.constant(number, seed.dtype))
