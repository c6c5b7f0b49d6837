"""Random views of photos: flip and crop for the adversary, colour for the segmenter."""

import numpy as np
import tensorflow as tf

# NTSC: luma, then the two axes of colour, each of which is exactly 0 for grey.
_RGB_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


def random_flip_and_crop(images, seed, *, resolution, crop_scale, flip):
    """Cuts a random square out of each image, mirrors half of them and resizes them (appendix C.1).

    The paper names "horizontal flip and random resized crop" but states no range. Here the crop keeps
    the aspect ratio, so that objects keep their shape.

    Args:
        images: float32 [image, height, width, channel], any range, height = width.
        seed: int [2]; all randomness comes from it.
        resolution: pixels, the width of the result.
        crop_scale, flip: see `sample_crops`.

    Returns:
        float32 [image, resolution, resolution, channel] in the range of the input.

    Raises:
        ValueError: for a `crop_scale` or `resolution` out of range.
    """
    shape = tf.shape(images)
    crops = sample_crops(shape[0], seed, width=shape[1], crop_scale=crop_scale, flip=flip)
    return crop_and_resize(images, **crops, resolution=resolution)


def sample_crops(count, seed, *, width, crop_scale, flip):
    """Draws a square of each image, and whether to mirror it, for `crop_and_resize`.

    Args:
        count: how many images.
        seed: int [2]; all randomness comes from it.
        width: pixels, the width and height of an image.
        crop_scale: (low, high) in (0, 1], low <= high. The side of a crop is uniform between these
            fractions of the width, and its place uniform among those inside the image.
        flip: whether to mirror left to right with probability 1/2.

    Returns:
        dict of "top", "left" and "side", float32 [image] in pixels, and "mirrored", bool [image].

    Raises:
        ValueError: for a `crop_scale` out of range.
    """
    low, high = crop_scale
    if not 0 < low <= high <= 1:
        raise ValueError(f"crop_scale must be (low, high) with 0 < low <= high <= 1, got {crop_scale}")
    width = tf.cast(width, tf.float32)
    side_seed, place_seed, flip_seed = tf.unstack(tf.random.split(seed, 3))
    side = width * tf.random.stateless_uniform([count], side_seed, low, high)
    top, left = tf.unstack(tf.random.stateless_uniform([2, count], place_seed) * (width - side))
    mirrored = tf.random.stateless_uniform([count], flip_seed) < (0.5 if flip else 0.0)
    return {"top": top, "left": left, "side": side, "mirrored": mirrored}


def crop_and_resize(images, *, top, left, side, mirrored, resolution):
    """Resizes a square of each image to `resolution` pixels, bilinear with antialiasing.

    The same filter as `tf.image.resize(antialias=True)` (a triangle, widened by the scale where the
    square is made smaller), but with a square of its own for each image. Where the filter reaches
    beyond the square, it sees the image there; beyond the image it is cut off.

    Args:
        images: float32 [image, height, width, rgb], any range.
        top, left, side: float32 [image], pixels, fractions allowed; the square lies inside the image.
        mirrored: bool [image], whether the result is mirrored left to right.
        resolution: pixels, the width of the result.

    Returns:
        float32 [image, resolution, resolution, rgb] in the range of the input.

    Raises:
        ValueError: for a `resolution` out of range.
    """
    if resolution < 1:
        raise ValueError(f"resolution must be at least 1 pixel, got {resolution}")
    rows = _triangle_weights(top, side, tf.shape(images)[1], resolution)
    columns = _triangle_weights(left, side, tf.shape(images)[2], resolution)
    columns = tf.where(mirrored[:, None, None], columns[:, ::-1], columns)
    return tf.einsum("nyh,nhwc,nxw->nyxc", rows, images, columns)


def _triangle_weights(start, side, size, resolution):
    """float32 [image, resolution, size]: what each source pixel adds to each result pixel."""
    scale = (side / resolution)[:, None]
    centres = start[:, None] + scale * (tf.range(resolution, dtype=tf.float32) + 0.5)
    distances = tf.range(tf.cast(size, tf.float32)) + 0.5 - centres[..., None]
    weights = tf.nn.relu(1 - tf.abs(distances) / tf.maximum(scale, 1)[..., None])
    return weights / tf.reduce_sum(weights, axis=-1, keepdims=True)


def sample_color(count, seed, *, brightness, contrast, saturation, hue):
    """Draws a change of colour for each image (the paper's "random color augmentation", C.2 and C.3).

    The paper states neither the kinds nor the ranges. A range of 0 leaves its property alone.

    Args:
        count: how many images.
        seed: int [2]; all randomness comes from it (compiled by XLA, other draws from the same seed).
        brightness: 0 to 2; what is added to every value is uniform in [-brightness, brightness].
        contrast: 0 to 1; the factor is uniform in [1 - contrast, 1 + contrast].
        saturation: 0 to 1; the factor is uniform in [1 - saturation, 1 + saturation].
        hue: 0 to 0.5; the turn is uniform in [-hue, hue], 1 being the full circle.

    Returns:
        float32 [image, 4]: what is added, contrast factor, saturation factor, turn of the hue.

    Raises:
        ValueError: for a range out of bounds.
    """
    ranges = {"brightness": brightness, "contrast": contrast, "saturation": saturation, "hue": hue}
    for (name, given), limit in zip(ranges.items(), (2, 1, 1, 0.5), strict=True):
        if not 0 <= given <= limit:
            raise ValueError(f"{name} must be from 0 to {limit}, got {given}")
    deviations = tf.random.stateless_uniform([count, 4], seed, -1.0, 1.0) * list(map(float, ranges.values()))
    return deviations + [0.0, 1.0, 1.0, 0.0]


def apply_color(images, color):
    """Scales each image's contrast about its mean colour, then its saturation, turns its hue, adds to it.

    Saturation and hue are one linear map of the colours in YIQ, of its own for each image, where
    `tf.image.adjust_hue` has one turn for all. It keeps the luma, where HSV keeps the largest channel.

    Args:
        images: float32 [image, height, width, rgb] in [-1, 1].
        color: float32 [image, 4], as `sample_color` returns it.

    Returns:
        float32 of the shape of `images`, clipped to [-1, 1].
    """
    shift, contrast, saturation, turn = tf.unstack(color, axis=1)
    mean = tf.reduce_mean(images, axis=[1, 2], keepdims=True)
    images = mean + contrast[:, None, None, None] * (images - mean)
    images = tf.einsum("nhwc,ndc->nhwd", images, _color_matrix(saturation, turn))
    return tf.clip_by_value(images + shift[:, None, None, None], -1.0, 1.0)


def _color_matrix(saturation, turn):
    """float32 [image, rgb out, rgb in]; it maps grey to itself, so it holds for [-1, 1] as for [0, 1]."""
    cosine, sine = saturation * tf.cos(2 * np.pi * turn), saturation * tf.sin(2 * np.pi * turn)
    zero, one = tf.zeros_like(turn), tf.ones_like(turn)
    turned = tf.stack([one, zero, zero, zero, cosine, -sine, zero, sine, cosine], axis=-1)
    to_yiq, to_rgb = tf.constant(_RGB_TO_YIQ, tf.float32), tf.constant(np.linalg.inv(_RGB_TO_YIQ), tf.float32)
    return to_rgb @ tf.reshape(turned, [-1, 3, 3]) @ to_yiq
