"""Perturbation of the layers: the foreground is warped by an affine transform, and the background's contrast changes.

The random draws (`sample_*`) are separate from the deterministic transforms (`affine_transforms`, `warp`,
`jitter_contrast`), so that tests can check the transforms exactly.
"""

import math
from collections.abc import Callable

import tensorflow as tf


def affine_transforms(
    scale_exponent: tf.Tensor, rotation_radians: tf.Tensor, shift_x: tf.Tensor, shift_y: tf.Tensor, resolution: int
) -> tf.Tensor:
    """Computes the inverse of A = T(t_x, t_y) R(alpha) S(2^s) (Eqs. 9 and 10).

    The matrix A scales, then rotates, then shifts.

    The centre of scale and rotation is the centre of the image, at pixel index (resolution - 1) / 2. The paper does not
    state the origin of its coordinates. A positive angle turns the x axis (right) towards the y axis (down), so the
    object turns clockwise on screen. A positive shift moves the object right or down.

    Args:
        scale_exponent: s, float32 [batch]; the object becomes 2^s times as large.
        rotation_radians: alpha, float32 [batch].
        shift_x: t_x in pixels, float32 [batch].
        shift_y: t_y in pixels, float32 [batch].
        resolution: height and width of the images to warp, in pixels.

    Returns:
        float32 [batch, 8], rows (a0, a1, a2, b0, b1, b2, 0, 0) as in TensorFlow's projective transforms: output pixel
        (x, y) shows input pixel (a0 x + a1 y + a2, b0 x + b1 y + b2).
    """
    centre = (resolution - 1) / 2
    inverse_scale = tf.pow(2.0, -scale_exponent)
    cos = inverse_scale * tf.cos(rotation_radians)
    sin = inverse_scale * tf.sin(rotation_radians)
    x_of_centre = centre - cos * (centre + shift_x) - sin * (centre + shift_y)
    y_of_centre = centre + sin * (centre + shift_x) - cos * (centre + shift_y)
    zero = tf.zeros_like(cos)
    return tf.stack([cos, sin, x_of_centre, -sin, cos, y_of_centre, zero, zero], axis=-1)


def sample_transforms(
    batch_size: int,
    seed: tf.Tensor,
    *,
    resolution: int,
    scale_exponent: tuple[float, float],
    shift: float,
    rotation: float,
) -> tf.Tensor:
    """Draws one restricted affine transform per image (appendix A, "Perturbation", and Table C.1).

    Each parameter is drawn uniformly and independently of the others.

    Args:
        batch_size: number of transforms.
        seed: int32 or int64 [2], the only source of randomness.
        resolution: height and width of the images to warp, in pixels.
        scale_exponent: pair (low, high) for s; the object becomes 2^s times as large.
        shift: t_x and t_y lie between -shift and shift, as fractions of the width. For example, 0.125 means 16 pixels
            in an image that is 128 pixels wide.
        rotation: alpha lies between -rotation and rotation, in degrees.

    Returns:
        float32 [batch, 8], see `affine_transforms`.

    Raises:
        ValueError: if scale_exponent is not a pair with low <= high, or if shift or rotation is negative.
    """
    _check_range("scale_exponent", scale_exponent)
    for name, value in (("shift", shift), ("rotation", rotation)):
        if value < 0:
            raise ValueError(f"{name} must be >= 0, got {value}")
    pixels, radians = shift * resolution, math.radians(rotation)
    ranges = (scale_exponent, (-radians, radians), (-pixels, pixels), (-pixels, pixels))
    seeds = tf.unstack(tf.random.split(seed, len(ranges)))
    exponent, angle, shift_x, shift_y = (
        tf.random.stateless_uniform([batch_size], part, *limits) for part, limits in zip(seeds, ranges, strict=True)
    )
    return affine_transforms(exponent, angle, shift_x, shift_y, resolution)


def warp(images: tf.Tensor, transforms: tf.Tensor, reflect: bool = False) -> tf.Tensor:
    """Warps each image by its transform (Eq. 9), with bilinear interpolation.

    The gradient with respect to the images is the exact adjoint of the warp. TensorFlow's own gradient of its op
    ImageProjectiveTransformV3 omits the determinant of the transform, so it is wrong if the scale is not 1. The exact
    gradient is slower: forward and backward pass together take about twice as long as with TensorFlow's gradient (one
    CPU core, 32 images of 128x128x4). There is no gradient with respect to the transforms. XLA has no kernel for
    TensorFlow's op, so use `warp_gather` under `jit_compile=True`.

    Args:
        images: float32 [batch, height, width, channel]. The height and the width are static.
        transforms: float32 [batch, 8], see `affine_transforms`. The last two columns are 0.
        reflect: if True, the image is mirrored at its borders; if False, pixels outside the image count as zero.

    Returns:
        float32 [batch, height, width, channel].

    Raises:
        ValueError: an argument has another shape.
    """
    _check_shapes(images, transforms)

    @tf.custom_gradient
    def warped(images: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        result = tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=transforms,
            output_shape=images.shape[1:3],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="REFLECT" if reflect else "CONSTANT",
        )
        return result, lambda upstream: _scatter(upstream, transforms, reflect)

    return warped(images)


def warp_gather(images: tf.Tensor, transforms: tf.Tensor, reflect: bool = False) -> tf.Tensor:
    """Does what `warp` does, but with basic ops only, so that XLA can compile the warp and its gradient.

    This function has the same arguments, result, gradient and errors as `warp`. In the measurement that `warp`
    describes, this function took about twice the time of `warp`. When XLA compiled this function, it took less than
    half the time of `warp`.
    """
    _check_shapes(images, transforms)
    return _gather(images, _sources(tf.stop_gradient(transforms), _pixels(*images.shape[1:3])), reflect)


def bend(images: tf.Tensor, transforms: tf.Tensor, displacements: tf.Tensor) -> tf.Tensor:
    """Warps each image by its transform, and then displaces every pixel.

    The interpolation is bilinear. Pixels outside the image count as zero.

    Args:
        images: float32 [batch, height, width, channel]. The height and the width are static.
        transforms: float32 [batch, 8], see `affine_transforms`.
        displacements: (dx, dy) in pixels, float32 [batch, height, width, 2]. Pixel (x, y) of the result shows pixel
            (x + dx, y + dy) of the warped image.

    Returns:
        float32 [batch, height, width, channel]. The gradient is computed only with respect to the images.

    Raises:
        ValueError: images or transforms have another shape.
    """
    _check_shapes(images, transforms)
    points = _pixels(*images.shape[1:3]) + tf.transpose(displacements, [0, 3, 1, 2])
    return _gather(images, tf.stop_gradient(_sources(transforms, points)), reflect=False)


def _gather(images: tf.Tensor, sources: tf.Tensor, reflect: bool) -> tf.Tensor:
    """Reads each image at the points `sources`, see `_bilinear_quads`."""
    _, height, width, channels = images.shape
    padded = tf.pad(images, [[0, 0], [1, 2], [1, 2], [0, 0]])
    corners = [padded[:, i : i + height + 2, j : j + width + 2] for i in (0, 1) for j in (0, 1)]
    quads = tf.reshape(tf.stack(corners, axis=3), [-1, 4 * channels])
    indices, weights = _bilinear_quads(sources, reflect)
    gathered = tf.reshape(tf.gather(quads, indices), [-1, height, width, 4, channels])
    return tf.reduce_sum(gathered * weights[..., tf.newaxis], axis=3)


def _scatter(upstream: tf.Tensor, transforms: tf.Tensor, reflect: bool) -> tf.Tensor:
    """Computes the adjoint of `warp`.

    `warp` interpolates each output pixel from four input pixels. This function adds the gradient of the output pixel to
    these four pixels, with the same weights.
    """
    batch = tf.shape(upstream)[0]
    _, height, width, channels = upstream.shape
    indices, weights = _bilinear_quads(_sources(transforms, _pixels(height, width)), reflect)
    spread = weights[..., tf.newaxis] * upstream[:, :, :, tf.newaxis, :]
    quads = tf.math.unsorted_segment_sum(
        tf.reshape(spread, [-1, 4 * channels]),
        tf.reshape(indices, [-1]),
        batch * (height + 2) * (width + 2),
    )
    quads = tf.reshape(quads, [-1, height + 2, width + 2, 4, channels])
    corners = [quads[:, 1 - i : 1 - i + height, 1 - j : 1 - j + width, 2 * i + j] for i in (0, 1) for j in (0, 1)]
    return tf.add_n(corners)


def _pixels(height: int, width: int) -> tf.Tensor:
    """Returns (x, y) of every pixel, float32 [2, height, width]."""
    return tf.stack(tf.meshgrid(tf.range(width, dtype=tf.float32), tf.range(height, dtype=tf.float32)))


def _sources(transforms: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
    """Applies the transforms to `points` (x, y), float32 [2, height, width] or [batch, 2, height, width]."""
    height, width = points.shape[-2:]
    points = tf.concat([points, tf.ones_like(points[..., :1, :, :])], axis=-3)
    points = tf.reshape(points, [*([-1] if points.shape.rank == 4 else []), 3, height * width])
    return tf.reshape(tf.reshape(transforms[:, :6], [-1, 2, 3]) @ points, [-1, 2, height, width])


def _bilinear_quads(sources: tf.Tensor, reflect: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the 2x2 quad of input pixels around each source point, and the weights of the four pixels.

    The upper left pixel of quad (i, j) is (i - 1, j - 1). So the quads include a border of zeros, one pixel wide,
    around the image. A point further outside is moved to this border. Quads are numbered row by row over all images.

    Args:
        sources: (x, y) of the points, float32 [batch, 2, height, width], with the height and width of the images.
        reflect: see `warp`.

    Returns:
        indices, int32 [batch, height, width]; weights, float32 [batch, height, width, 4] in the order upper left, upper
        right, lower left, lower right.
    """
    height, width = sources.shape[2:]
    source_x = _inside(sources[:, 0], float(width), reflect)
    source_y = _inside(sources[:, 1], float(height), reflect)
    left, top = tf.floor(source_x), tf.floor(source_y)
    right_weight, lower_weight = source_x - left, source_y - top
    left_weight, upper_weight = 1.0 - right_weight, 1.0 - lower_weight
    row = tf.cast(top, tf.int32) + 1
    row += (height + 2) * tf.range(tf.shape(sources)[0])[:, tf.newaxis, tf.newaxis]
    indices = row * (width + 2) + tf.cast(left, tf.int32) + 1
    weights = [
        upper_weight * left_weight,
        upper_weight * right_weight,
        lower_weight * left_weight,
        lower_weight * right_weight,
    ]
    return indices, tf.stack(weights, axis=-1)


def _inside(sources: tf.Tensor, size: float, reflect: bool) -> tf.Tensor:
    """Moves a coordinate that is outside the image: either onto the border of zeros, or into the image by mirroring."""
    if not reflect:
        return tf.clip_by_value(sources, -1.0, size)
    mirrored = size - tf.abs(tf.math.floormod(sources + 0.5, 2 * size) - size) - 0.5
    return tf.clip_by_value(mirrored, 0.0, size - 1.0)


def sample_contrast(batch_size: int, seed: tf.Tensor, *, contrast: tuple[float, float]) -> tf.Tensor:
    """Draws one contrast factor per image, uniform in a range (Table C.1, "bg contrast").

    Args:
        batch_size: number of factors.
        seed: int32 or int64 [2], the only source of randomness.
        contrast: pair (low, high); (1, 1) changes no image.

    Returns:
        float32 [batch].

    Raises:
        ValueError: if contrast is not a pair with low <= high.
    """
    _check_range("contrast", contrast)
    return tf.random.stateless_uniform([batch_size], seed, *contrast)


def jitter_contrast(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Scales the contrast of each channel about its mean. The paper cites PerturbGAN, whose code does the same.

    The result is clipped to the range that the channel had before, so images in [-1, 1] stay in [-1, 1].

    Args:
        images: float32 [batch, height, width, channel] in [-1, 1].
        factors: float32 [batch]; 1 leaves the image unchanged, 0 gives every pixel the mean colour of the image.

    Returns:
        float32 [batch, height, width, channel] in [-1, 1].
    """
    mean = tf.reduce_mean(images, axis=(1, 2), keepdims=True)
    low = tf.reduce_min(images, axis=(1, 2), keepdims=True)
    high = tf.reduce_max(images, axis=(1, 2), keepdims=True)
    jittered = mean + factors[:, tf.newaxis, tf.newaxis, tf.newaxis] * (images - mean)
    return tf.clip_by_value(jittered, low, high)


def sample_windows(batch_size: int, seed: tf.Tensor, *, places: tuple[int, int]) -> tf.Tensor:
    """Draws the position of each image's window on the background canvas, uniformly over all positions.

    The paper has no windows and moves only the foreground. A moved foreground has a visible seam if it includes the
    surroundings of the object. If the window moves, its border can cut through an object that the background
    generator painted. So D also notices images whose object is painted by the background generator.

    Args:
        batch_size: number of windows.
        seed: int32 or int64 [2], the only source of randomness.
        places: pair (least, most) in pixels, see `networks.generator.window_range`.

    Returns:
        int32 [batch, 2], the top row and left column of each window.
    """
    return tf.random.stateless_uniform([batch_size, 2], seed, places[0], places[1] + 1, tf.int32)


def _check_range(name: str, values: tuple[float, ...]) -> None:
    if len(values) != 2 or values[0] > values[1]:
        raise ValueError(f"{name} must be a pair (low, high) with low <= high, got {values}")


def _check_shapes(images: tf.Tensor, transforms: tf.Tensor) -> None:
    if images.shape.rank != 4 or None in images.shape[1:]:
        raise ValueError(f"images must be [batch, height, width, channel], got shape {images.shape}")
    if transforms.shape.rank != 2 or transforms.shape[1] != 8:
        raise ValueError(f"transforms must be [batch, 8], got shape {transforms.shape}")
