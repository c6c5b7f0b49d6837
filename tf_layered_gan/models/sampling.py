"""Everything random in a training step but the photos."""

import tensorflow as tf

from tf_layered_gan.data import augmentation
from tf_layered_gan.models import codes, perturbation
from tf_layered_gan.models.networks.generator import window_range

# Independent streams of random draws: element i of a stream is drawn from (seed, stream, i) alone.
GAN_STREAM, SEGMENTER_STREAM, SYNTHESIS_STREAM = range(3)


def build_sampler(config, stream):
    """Returns what draws everything random of a training step but the photos.

    Args:
        config: the run's ConfigDict.
        stream: which of the module's streams.

    Returns:
        function of a step, int64 scalar, to a dict of tensors: the codes of `codes.sample_codes`, "window",
        "transform" and "contrast" of `perturbation`, and "color" of `augmentation`; a function of (seed, stream,
        step) alone.
    """

    def sample(step):
        seed = tf.stack([tf.constant(config.seed, tf.int64) * 3 + stream, step])
        code_seed, window_seed, warp_seed, contrast_seed, color_seed = tf.unstack(tf.random.split(seed, 5))
        perturbing, batch_size = config.perturbation, config.batch_size
        return {
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
