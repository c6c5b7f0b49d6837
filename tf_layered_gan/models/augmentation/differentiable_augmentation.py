"""Differentiable augmentation of all images that D sees: photos and composed images. The paper does not use it.

DiffAugment (Zhao et al. 2020) augments every image. ADA (Karras et al. 2020) augments each image with a probability
that adapts to D. The random draws (`sample_augmentation`) are separate from the deterministic transform
(`DifferentiableAugmentation`).
"""

import math
from collections.abc import Callable

import keras
import tensorflow as tf
from keras import ops

from tf_layered_gan.models.augmentation.perturbation import affine_transforms
from tf_layered_gan.models.gradients import replica_mean, sum_over_replicas

_FLIP, _SHIFT_X, _SHIFT_Y, _SCALE, _ROTATION, _BRIGHTNESS, _SATURATION, _CONTRAST = range(8)
_LARGEST_SHIFT = 1 / 8  # as a fraction of the width (DiffAugment)
_LARGEST_EXPONENT = 0.25  # images become 2^-0.25 to 2^0.25 times as large
_LARGEST_ROTATION = math.radians(10.0)
_IMAGES_TO_CERTAINTY = 500_000  # the probability needs at least this many photos to go from 0 to 1 (ADA)


def sample_augmentation(batch_size: int, seed: tf.Tensor) -> tf.Tensor:
    """Draws the random numbers that augment one batch of images.

    Args:
        batch_size: number of images.
        seed: int32 or int64 [2], the only source of randomness.

    Returns:
        float32 [batch, transformation, 2], uniform in [0, 1). If the first number is less than
        `DifferentiableAugmentation.probability`, the transformation is applied to the image. The second number is the
        strength of the transformation.
    """
    return tf.random.stateless_uniform([batch_size, 8, 2], seed)


class DifferentiableAugmentation(keras.layers.Layer):
    """Changes images at random. The result is differentiable with respect to the images.

    Each of eight transformations is applied to each image with the same probability. All these choices are independent.
    Three transformations change colours, as in DiffAugment: brightness (shift of -0.5 to 0.5), saturation (factor in
    [0, 2] about the mean of the channels) and contrast (factor in [0.5, 1.5] about the mean of the image). Five change
    the geometry: flip (mirrors half of the images that the flip is applied to), shift by whole pixels in x and in y
    (each up to 1/8 of the width), scale (by 2^-0.25 to 2^0.25) and turn (up to 10 degrees). The image is mirrored at
    its borders, so there are no pixels with a fill colour.

    Args:
        warp: `perturbation.warp` or `perturbation.warp_gather`.
        geometry: True if the layer changes colours and geometry, False if it changes only colours.
        probability: probability of each transformation, in [0, 1].
        target: if the target is above 0, the probability is adaptive. It then rises while the mean of sign(D(photo)) is
            above the target, and falls otherwise. If the target is 0, the probability is constant.

    Attributes:
        probability: a number, or a variable that starts at 0 if the probability is adaptive.
    """

    def __init__(
        self,
        warp: Callable[[tf.Tensor, tf.Tensor, bool], tf.Tensor],
        *,
        geometry: bool,
        probability: float,
        target: float,
    ):
        super().__init__(name="augmentation", trainable=False)
        self.warp, self.geometry, self.target = warp, geometry, target
        self.probability: float | keras.Variable = probability
        if target:
            self.probability = self.add_weight(
                name="probability", shape=(), initializer="zeros", trainable=False, aggregation="only_first_replica"
            )
        self.built = True

    def call(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Augments each image.

        Args:
            images: float32 [batch, width, width, rgb] in [-1, 1]. The width is static.
            draws: float32 [batch, transformation, 2], see `sample_augmentation`.

        Returns:
            float32 [batch, height, width, rgb]; colours may leave [-1, 1], as in DiffAugment. With the probability
            0 the images are unchanged.
        """
        applied = ops.cast(draws[..., 0] < self.probability, "float32")
        deviations = applied * (2.0 * draws[..., 1] - 1.0)
        if self.geometry:
            images = self.warp(images, _transforms(deviations, images.shape[1]), True)
        return _change_color(images, deviations)

    def adapt(self, real_logits: tf.Tensor) -> None:
        """Changes an adaptive probability: raises it if the mean of sign(D(photo)) is above the target, else lowers it.

        This function takes one step after every batch. ADA takes a step of four times this size after every fourth
        batch.

        Args:
            real_logits: D's logits for this replica's augmented photos, float32 [batch]. The mean is taken over the
                global batch.
        """
        assert isinstance(self.probability, keras.Variable)  # only an adaptive probability has a target
        images = ops.shape(real_logits)[0] * tf.distribute.get_strategy().num_replicas_in_sync
        (overfitting,) = sum_over_replicas([replica_mean(ops.sign(real_logits))])
        step = ops.cast(images, "float32") / _IMAGES_TO_CERTAINTY * ops.sign(overfitting - self.target)
        self.probability.assign(ops.clip(self.probability + step, 0.0, 1.0))


def _transforms(deviations: tf.Tensor, resolution: int) -> tf.Tensor:
    """Returns one transform per image: flip, then scale, turn and shift. See `affine_transforms`."""
    shift_x, shift_y = (ops.round(deviations[:, i] * _LARGEST_SHIFT * resolution) for i in (_SHIFT_X, _SHIFT_Y))
    transforms = affine_transforms(
        _LARGEST_EXPONENT * deviations[:, _SCALE],
        _LARGEST_ROTATION * deviations[:, _ROTATION],
        shift_x,
        shift_y,
        resolution,
    )
    mirrored = ops.cast(deviations[:, _FLIP] < 0, "float32")[:, None]
    x_row = transforms[:, :3] * (1.0 - 2.0 * mirrored)  # a mirrored image has resolution - 1 - x in place of x
    return ops.concatenate([x_row[:, :2], x_row[:, 2:] + mirrored * (resolution - 1), transforms[:, 3:]], axis=-1)


def _change_color(images: tf.Tensor, deviations: tf.Tensor) -> tf.Tensor:
    """Changes brightness, saturation and contrast.

    `deviations` holds the strength of each change, in [-1, 1]. A change of strength 0 leaves the image as it is,
    without a rounding error.
    """
    brightness, saturation, contrast = (
        deviations[:, i, None, None, None] for i in (_BRIGHTNESS, _SATURATION, _CONTRAST)
    )
    images = images + 0.5 * brightness
    images = images + saturation * (images - ops.mean(images, axis=-1, keepdims=True))
    return images + 0.5 * contrast * (images - ops.mean(images, axis=(1, 2, 3), keepdims=True))
