"""Random changes that make synthetic pairs look like photos. The paper does not have these changes.

Synthetic images have features that photos do not have. A segmenter that relies on these features fails on photos. So
this module makes the backgrounds, shapes, colours, sharpness and noise of the pairs vary as widely as in photos.

The probabilities and ranges below are not from the paper. The values were chosen on birds at 64x64 pixels. Numbers are
drawn uniformly from each range. The random draws (`sample`) are separate from the deterministic transformations.
Every draw has a neutral value, which leaves an image unchanged.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tf_layered_gan.data.augmentation import RGB_TO_YIQ, sample_color
from tf_layered_gan.models.augmentation.perturbation import bend, sample_transforms
from tf_layered_gan.models.composition import compose

EXCHANGED = 0.7  # probability that a pair gets another background
DEFORMED = 0.7  # probability that the object is warped and bent
OBJECT = {"scale_exponent": (-0.5, 0.0), "shift": 0.2, "rotation": 25.0}  # units: octaves, image widths, degrees
BEND_KNOTS = 4  # number of knots in each direction, in the grid that bends an object
BEND = 0.047  # standard deviation of a knot's displacement in each direction, in fractions of the width
RECOLOURED = 0.5  # probability that an image gets the colours of a photo
MOST_PHOTOS = 1_000  # the colours come from at most this many of the training photos, evenly spaced
MIRRORED = 0.5  # probability that a pair is mirrored
IMAGE = {"scale_exponent": (-0.1, 0.35), "shift": 0.1, "rotation": 10.0}  # units: octaves, image widths, degrees
BLURRED, SHRUNK, SHARPENED = 0.5, 0.15, 0.1  # probabilities; at most one of the three changes is made to an image
BLUR = (0.3, 1.2)  # standard deviation of the Gaussian in pixels, both for blurring and for sharpening
SHRINK = (0.375, 0.875)  # width of the shrunk image, as a fraction of its old width
NOISE = (0.0, 8.0)  # standard deviation of the noise, for pixels from 0 to 255
COMPRESSED = 0.5  # probability that an image is compressed as a JPEG file
QUALITY = (40, 95)  # quality of the JPEG file, a whole number; both limits are included
COLOR = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1}  # see `augmentation.sample_color`
THRESHOLD = 0.5  # mask values of this or more become 1, and all others become 0

Tensors = Mapping[str, tf.Tensor]

_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
_LEAST_SPREAD = 1 / 127.5  # one grey level; it avoids a division by 0 in images of one colour


def sample(batch_size: int, seed: tf.Tensor, *, resolution: int) -> dict[str, tf.Tensor]:
    """Draws the random changes of a batch of pairs.

    The exchange of backgrounds is drawn separately, by `exchange_backgrounds`.

    Args:
        batch_size: number of pairs.
        seed: int32 or int64 [2], the only source of randomness.
        resolution: width and height of the images, pixels.

    Returns:
        dict of tensors, see `PhotoLike`.
    """
    seeds = iter(tf.unstack(tf.random.split(seed, 16)))

    def uniform(low: float = 0.0, high: float = 1.0) -> tf.Tensor:
        return tf.random.stateless_uniform([batch_size], next(seeds), low, high)

    def transforms(ranges: dict[str, Any]) -> tf.Tensor:
        return sample_transforms(batch_size, next(seeds), resolution=resolution, **ranges)

    deformed, filtered = uniform() < DEFORMED, uniform()
    blurred = filtered < BLURRED
    shrunk = ~blurred & (filtered < BLURRED + SHRUNK)
    sharpened = ~blurred & ~shrunk & (filtered < BLURRED + SHRUNK + SHARPENED)
    level = uniform(*NOISE)[:, None, None, None] / 127.5
    return {
        "object_transform": _where(deformed, transforms(OBJECT), tf.constant(_IDENTITY)),
        "displacement": _where(deformed, _smooth_displacements(batch_size, next(seeds), resolution), 0.0),
        "style": _where(uniform() < RECOLOURED, uniform(), -1.0),
        "mirrored": uniform() < MIRRORED,
        "transform": transforms(IMAGE),
        "blur": _where(blurred, uniform(*BLUR), 0.0),
        "shrink": _where(shrunk, uniform(*SHRINK), 1.0),
        "sharpen": _where(sharpened, uniform(*BLUR), 0.0),
        "noise": level * tf.random.stateless_normal([batch_size, resolution, resolution, 3], next(seeds)),
        "quality": tf.cast(
            _where(uniform() < COMPRESSED, tf.floor(uniform(QUALITY[0], QUALITY[1] + 1)), 0.0), tf.int32
        ),
        "color": sample_color(batch_size, next(seeds), **COLOR),
    }


def _smooth_displacements(batch_size: int, seed: tf.Tensor, resolution: int) -> tf.Tensor:
    """Draws displacements on a coarse grid and interpolates them; float32 [batch, height, width, 2] in pixels."""
    knots = resolution * BEND * tf.random.stateless_normal([batch_size, BEND_KNOTS, BEND_KNOTS, 2], seed)
    with tf.init_scope():  # the weights are constant, and XLA has no kernel for this interpolation
        weights = tf.image.resize(tf.eye(BEND_KNOTS)[..., None], [resolution, BEND_KNOTS], "bicubic")[..., 0].numpy()
    return tf.einsum("yi,nijc,xj->nyxc", weights, knots, weights)


def exchange_backgrounds(draws: Tensors, seed: tf.Tensor) -> dict[str, tf.Tensor]:
    """Gives each pair the background of another pair of the batch, with the probability `EXCHANGED`.

    The function exchanges the random numbers of the backgrounds before the backgrounds are painted. So the result is
    the same on any number of devices. If `codes.public_z` is False, backgrounds and objects are independent of each
    other even without the exchange.

    Args:
        draws: the draws of a step, see `LayeredGAN`.
        seed: int32 or int64 [2], the only source of randomness.

    Returns:
        dict, the draws with other values of "z" and "window". A batch of one pair is not changed.
    """
    count = draws["z"].shape[0]
    chance, place = tf.unstack(tf.random.stateless_uniform([2, count], seed))
    offsets = 1 + tf.cast(place * (count - 1), tf.int32)
    partners = (tf.range(count) + _where(chance < EXCHANGED, offsets, 0)) % count
    return {**draws, **{name: tf.gather(draws[name], partners) for name in ("z", "window")}}


def color_statistics(photos: np.ndarray) -> np.ndarray:
    """Measures the colours of photos.

    Args:
        photos: uint8 [photo, height, width, rgb].

    Returns:
        float32 [photo, 2, channel], the mean and the standard deviation of each YIQ channel, for pixel values that are
        scaled to [-1, 1].
    """
    yiq = ((photo / np.float32(127.5) - 1) @ RGB_TO_YIQ.T.astype(np.float32) for photo in photos)
    return np.stack([(image.mean(axis=(0, 1)), image.std(axis=(0, 1))) for image in yiq]).astype(np.float32)


class PhotoLike:
    """Makes pairs from the layers of the GAN, and changes them so that they look like photos.

    Args:
        statistics: the colours of photos, see `color_statistics`.
        warp: `perturbation.warp`, or `perturbation.warp_gather` for steps that XLA compiles.
        compress: whether some images are compressed as JPEG files. XLA cannot compile this compression.
    """

    def __init__(self, statistics: np.ndarray, warp: Callable[..., tf.Tensor], *, compress: bool):
        self.statistics, self.warp, self.compress = statistics, warp, compress

    def __call__(self, layers: Tensors, draws: Mapping[str, Tensors]) -> dict[str, tf.Tensor]:
        """Changes a batch.

        Args:
            layers: "background", "foreground" and "mask" of `LayeredGAN.synthesize`, before any perturbation.
            draws: dict. Its item "photo_like" is the dict that `sample` returns. For "object_transform" and
                "transform", see `perturbation.affine_transforms`. For "displacement", see `perturbation.bend`. The
                items "style", "mirrored", "blur", "shrink", "sharpen", "noise" and "quality" are arguments of the
                functions below. The item "color" is returned as it is.

        Returns:
            dict. "image" is float32 [batch, height, width, rgb] in [-1, 1]. "mask" is float32 [batch, height, width,
            1], 0 or 1. "color" holds the draws of the colour augmentation, which replace the segmenter's usual draws
            for these pairs.
        """
        draws = draws["photo_like"]
        layer = tf.concat([layers["foreground"], layers["mask"]], axis=-1)
        foreground, mask = _split(bend(layer, draws["object_transform"], draws["displacement"]))
        image = compose(layers["background"], foreground, mask)
        image = transfer_colors(image, self.statistics, draws["style"])
        pair = flip(tf.concat([image, mask], axis=-1), draws["mirrored"])
        image, mask = _split(self.warp(pair, draws["transform"], reflect=True))
        image = blur(image, draws["blur"])
        image = shrink(image, draws["shrink"])
        image = sharpen(image, draws["sharpen"])
        image = add_noise(image, draws["noise"])
        if self.compress:
            image = compress(image, draws["quality"])
        return {"image": image, "mask": tf.cast(mask >= THRESHOLD, tf.float32), "color": draws["color"]}


def transfer_colors(images: tf.Tensor, statistics: np.ndarray, style: tf.Tensor) -> tf.Tensor:
    """Gives images the mean and the spread of a photo's colours (Reinhard et al. 2001, who use Lab instead of YIQ).

    Args:
        images: float32 [batch, height, width, rgb] in [-1, 1].
        statistics: float32 [photo, 2, channel], see `color_statistics`.
        style: float32 [batch], selects a photo: 0 selects the first photo, values just below 1 select the last photo,
            and -1 selects no photo.

    Returns:
        float32 [batch, height, width, rgb], clipped to [-1, 1].
    """
    places = tf.cast(tf.maximum(style, 0.0) * statistics.shape[0], tf.int32)
    wanted_mean, wanted_spread = tf.unstack(tf.gather(statistics, places)[:, :, None, None], axis=1)
    yiq = tf.einsum("nhwc,dc->nhwd", images, tf.constant(RGB_TO_YIQ, tf.float32))
    mean, variance = tf.nn.moments(yiq, axes=(1, 2), keepdims=True)
    yiq = (yiq - mean) / tf.maximum(tf.sqrt(variance), _LEAST_SPREAD) * wanted_spread + wanted_mean
    rgb = tf.einsum("nhwc,dc->nhwd", yiq, tf.constant(np.linalg.inv(RGB_TO_YIQ), tf.float32))
    return _where(style >= 0, tf.clip_by_value(rgb, -1.0, 1.0), images)


def flip(images: tf.Tensor, mirrored: tf.Tensor) -> tf.Tensor:
    """Mirrors each image left to right if its value in `mirrored` is true.

    `images` is [batch, height, width, channel], `mirrored` is bool [batch].
    """
    return _where(mirrored, images[:, :, ::-1], images)


def blur(images: tf.Tensor, sigma: tf.Tensor) -> tf.Tensor:
    """Blurs each image with a Gaussian. At the border, only pixels inside the image have weights.

    Args:
        images: float32 [batch, width, width, channel].
        sigma: float32 [batch], the standard deviation in pixels; 0 leaves an image unchanged.

    Returns:
        float32 [batch, width, width, channel] in the range of the input.
    """
    pixels = tf.range(images.shape[1], dtype=tf.float32)
    distances = (pixels[:, None] - pixels) / tf.maximum(sigma, 1e-3)[:, None, None]
    return _apply(_weights(tf.exp(-0.5 * distances**2)), images)


def shrink(images: tf.Tensor, fraction: tf.Tensor) -> tf.Tensor:
    """Shrinks each image with antialiasing, and enlarges it to its old size. Both steps use a triangular filter.

    Args:
        images: float32 [batch, width, width, channel].
        fraction: float32 [batch] in (0, 1], the shrunk width divided by the old width; 1 leaves an image unchanged.

    Returns:
        float32 [batch, width, width, channel] in the range of the input.
    """
    width = images.shape[1]
    size = tf.maximum(tf.round(fraction * width), 1.0)[:, None, None]
    centres = tf.range(width, dtype=tf.float32) + 0.5
    # Positions are in pixels of the smaller image, which is `size` pixels wide. Positions outside this image get the
    # weight 0.
    distances = tf.abs(centres[:, None] * size / width - centres)
    triangle = tf.nn.relu(1.0 - distances) * tf.cast(centres < size, tf.float32)
    smaller = _weights(tf.transpose(triangle, [0, 2, 1]))
    return _apply(_weights(triangle) @ smaller, images)


def sharpen(images: tf.Tensor, sigma: tf.Tensor) -> tf.Tensor:
    """Sharpens each image: adds its difference from the blurred image (see `blur`), and clips the sum to [-1, 1]."""
    return tf.clip_by_value(images + (images - blur(images, sigma)), -1.0, 1.0)


def add_noise(images: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Adds `noise`, which has the shape of `images`, and clips the sum to [-1, 1]."""
    return tf.clip_by_value(images + noise, -1.0, 1.0)


def compress(images: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
    """Compresses each image as a JPEG file. The compression has no gradient.

    Args:
        images: float32 [batch, height, width, rgb] in [-1, 1].
        quality: int32 [batch], 1 to 100; 0 leaves an image unchanged.

    Returns:
        float32 [batch, height, width, rgb] in [-1, 1].
    """

    def through_file(given: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        return tf.image.adjust_jpeg_quality(given[0], given[1])

    unit = (images + 1.0) / 2.0
    files = tf.map_fn(through_file, (unit, tf.maximum(quality, 1)), fn_output_signature=unit.dtype)
    return _where(quality > 0, 2.0 * tf.ensure_shape(files, images.shape) - 1.0, images)


def _where(chosen: tf.Tensor, values: tf.Tensor, otherwise: tf.Tensor | float) -> tf.Tensor:
    """Returns `values` where `chosen` is true, and `otherwise` elsewhere.

    `values` is [batch, ...], `chosen` is bool [batch].
    """
    return tf.where(tf.reshape(chosen, [-1, *[1] * (values.shape.rank - 1)]), values, otherwise)


def _split(layer: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return layer[..., :3], layer[..., 3:]


def _weights(values: tf.Tensor) -> tf.Tensor:
    """Divides each row by its sum. A row of zeros does not change."""
    return tf.math.divide_no_nan(values, tf.reduce_sum(values, axis=-1, keepdims=True))


def _apply(weights: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    """Filters rows and columns by `weights`, float32 [batch, output pixel, input pixel]."""
    return tf.einsum("nyh,nhwc,nxw->nyxc", weights, images, weights)
