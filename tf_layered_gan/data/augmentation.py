"""Random augmentation of photos: flips and crops for the discriminator, colours for the segmenter."""

from typing import TypeAlias

import numpy as np
import tensorflow as tf

# The matrix of NTSC that converts RGB to YIQ. Its rows compute the luma Y and the two axes of colour, I and Q. I and Q
# are exactly 0 for grey.
RGB_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


Seed: TypeAlias = tf.Tensor | tuple[int, int]


def random_flip_and_crop(
    images: tf.Tensor, seed: Seed, *, resolution: int, crop_scale: tuple[float, float], flip: bool
) -> tf.Tensor:
    """Cuts a random square out of each image, mirrors half of the squares, and resizes all squares (appendix C.1).

    The paper names "horizontal flip and random resized crop" but states no range. Here the crop keeps the aspect ratio,
    so objects keep their shape.

    Args:
        images: float32 [image, height, width, channel], any range, height = width.
        seed: int [2]; all randomness comes from it.
        resolution: width of the result, pixels.
        crop_scale, flip: see `sample_crops`.

    Returns:
        float32 [image, resolution, resolution, channel] in the range of the input.

    Raises:
        ValueError: if `crop_scale` or `resolution` is out of range.
    """
    shape = tf.shape(images)
    crops = sample_crops(shape[0], seed, width=shape[1], crop_scale=crop_scale, flip=flip)
    return crop_and_resize(images, **crops, resolution=resolution)


def sample_crops(
    count: int | tf.Tensor, seed: Seed, *, width: int | tf.Tensor, crop_scale: tuple[float, float], flip: bool
) -> dict[str, tf.Tensor]:
    """Chooses a random square in each image, and decides which squares are mirrored.

    `crop_and_resize` takes the returned values.

    Args:
        count: number of images.
        seed: int [2]; all randomness comes from it.
        width: width and height of an image, pixels.
        crop_scale: (low, high) in (0, 1], low <= high. The side of the square is uniform between low * width and high *
            width. The position of the square is uniform among all positions inside the image.
        flip: whether to mirror left to right with probability 1/2.

    Returns:
        dict of "top", "left" and "side", float32 [image] in pixels, and "mirrored", bool [image].

    Raises:
        ValueError: if `crop_scale` is out of range.
    """
    low, high = crop_scale
    if not 0 < low <= high <= 1:
        raise ValueError(f"crop_scale is {crop_scale}, allowed: (low, high) with 0 < low <= high <= 1")
    width = tf.cast(width, tf.float32)
    side_seed, place_seed, flip_seed = tf.unstack(tf.random.split(seed, 3))
    side = width * tf.random.stateless_uniform([count], side_seed, low, high)
    top, left = tf.unstack(tf.random.stateless_uniform([2, count], place_seed) * (width - side))
    mirrored = tf.random.stateless_uniform([count], flip_seed) < (0.5 if flip else 0.0)
    return {"top": top, "left": left, "side": side, "mirrored": mirrored}


def crop_and_resize(
    images: tf.Tensor, *, top: tf.Tensor, left: tf.Tensor, side: tf.Tensor, mirrored: tf.Tensor, resolution: int
) -> tf.Tensor:
    """Resizes a square of each image to `resolution` pixels, bilinearly with antialiasing.

    The filter is the triangle of `tf.image.resize(antialias=True)`. If the square is reduced to 1/n of its width, the
    triangle is made n times as wide. Unlike in TensorFlow, each image has its own square, and the filter also uses
    pixels around the square. At the border of the image, the filter is cut off.

    Args:
        images: float32 [image, height, width, rgb], any range.
        top, left, side: float32 [image], pixels, fractions allowed. The square must lie inside the image.
        mirrored: bool [image], whether to mirror the result left to right.
        resolution: width of the result, pixels.

    Returns:
        float32 [image, resolution, resolution, rgb] in the range of the input.

    Raises:
        ValueError: if `resolution` is out of range.
    """
    if resolution < 1:
        raise ValueError(f"resolution is {resolution}, allowed: 1 pixel or more")
    rows = _triangle_weights(top, side, tf.shape(images)[1], resolution)
    columns = _triangle_weights(left, side, tf.shape(images)[2], resolution)
    columns = tf.where(mirrored[:, None, None], columns[:, ::-1], columns)
    return tf.einsum("nyh,nhwc,nxw->nyxc", rows, images, columns)


def _triangle_weights(start: tf.Tensor, side: tf.Tensor, size: tf.Tensor, resolution: int) -> tf.Tensor:
    """Returns the weight of each source pixel in each result pixel, float32 [image, resolution, size]."""
    scale = (side / resolution)[:, None]
    centres = start[:, None] + scale * (tf.range(resolution, dtype=tf.float32) + 0.5)
    distances = tf.range(tf.cast(size, tf.float32)) + 0.5 - centres[..., None]
    weights = tf.nn.relu(1 - tf.abs(distances) / tf.maximum(scale, 1)[..., None])
    return weights / tf.reduce_sum(weights, axis=-1, keepdims=True)


def sample_color(
    count: int | tf.Tensor, seed: Seed, *, brightness: float, contrast: float, saturation: float, hue: float
) -> tf.Tensor:
    """Chooses a random change of colour for each image (the paper's "random color augmentation", C.2 and C.3).

    The paper states neither the kinds of changes nor their ranges. A range of 0 means no change: hue = 0 leaves the hue
    as it is.

    Args:
        count: number of images.
        seed: int [2]; all randomness comes from it. In code compiled by XLA, the same seed gives other random numbers.
        brightness: 0 to 2; the shift that is added to all pixel values is uniform in [-brightness, brightness].
        contrast: 0 to 1; the factor is uniform in [1 - contrast, 1 + contrast].
        saturation: 0 to 1; the factor is uniform in [1 - saturation, 1 + saturation].
        hue: 0 to 0.5; the rotation is uniform in [-hue, hue], where 1 is the full circle.

    Returns:
        float32 [image, 4]: shift, contrast factor, saturation factor, rotation of the hue.

    Raises:
        ValueError: if a range is out of bounds.
    """
    ranges = {"brightness": brightness, "contrast": contrast, "saturation": saturation, "hue": hue}
    for (name, given), limit in zip(ranges.items(), (2, 1, 1, 0.5), strict=True):
        if not 0 <= given <= limit:
            raise ValueError(f"{name} is {given}, allowed: 0 to {limit}")
    deviations = tf.random.stateless_uniform([count, 4], seed, -1.0, 1.0) * list(map(float, ranges.values()))
    return deviations + [0.0, 1.0, 1.0, 0.0]


def apply_color(images: tf.Tensor, color: tf.Tensor) -> tf.Tensor:
    """Changes the contrast of each image about its mean colour, then saturation and hue, and then brightness.

    Saturation and hue are changed together, by one linear map of the colours in YIQ. Each image has its own rotation of
    the hue, and the luma of a pixel does not change. In contrast, `tf.image.adjust_hue` has one rotation for all
    images. It keeps the value of a pixel's largest channel instead of the pixel's luma.

    Args:
        images: float32 [image, height, width, rgb] in [-1, 1].
        color: float32 [image, 4], see `sample_color`.

    Returns:
        float32 [image, height, width, rgb], clipped to [-1, 1].
    """
    shift, contrast, saturation, turn = tf.unstack(color, axis=1)
    mean = tf.reduce_mean(images, axis=[1, 2], keepdims=True)
    images = mean + contrast[:, None, None, None] * (images - mean)
    images = tf.einsum("nhwc,ndc->nhwd", images, _color_matrix(saturation, turn))
    return tf.clip_by_value(images + shift[:, None, None, None], -1.0, 1.0)


def _color_matrix(saturation: tf.Tensor, turn: tf.Tensor) -> tf.Tensor:
    """Returns float32 [image, rgb out, rgb in].

    The matrix maps grey to itself, so it works in [-1, 1] as well as in [0, 1].
    """
    cosine, sine = saturation * tf.cos(2 * np.pi * turn), saturation * tf.sin(2 * np.pi * turn)
    zero, one = tf.zeros_like(turn), tf.ones_like(turn)
    turned = tf.stack([one, zero, zero, zero, cosine, -sine, zero, sine, cosine], axis=-1)
    to_yiq, to_rgb = tf.constant(RGB_TO_YIQ, tf.float32), tf.constant(np.linalg.inv(RGB_TO_YIQ), tf.float32)
    return to_rgb @ tf.reshape(turned, [-1, 3, 3]) @ to_yiq
