"""Antialiased bilinear resizing inside the model, as two matrix products.

The results are almost the same as in edge_segmenter. TensorFlow's resizing cannot be used, because TFLite implements it
without antialiasing. The model would then see only every 60th pixel of a large image.
"""

import tensorflow as tf

# Added before truncation, so that values are rounded to the nearest integer, and halves are rounded down. 2**-10 is far
# above the rounding error of float32.
_HALVES_DOWN = 0.5 - 2**-10


def to_square(image: tf.Tensor, resolution: int, fit: str) -> tf.Tensor:
    """Fits an image into a square.

    Args:
        image: uint8 [1, height, width, rgb], height and width from 1 to 65,535 pixels.
        resolution: R, pixels.
        fit: "squeeze" or "pad", see `edge_segmenter.fit`.

    Returns:
        uint8 [1, R, R, rgb]. The result is the same as in `edge_segmenter.fit.to_square`, except for a few pixels.
        These pixels differ by one step, because their value before rounding is close to a half. More pixels differ if
        the height of the image is about twice its width or more, because Pillow then resizes the height first.
    """
    rows, columns = (_square_matrix(side, longest, resolution) for side, longest in _sides(image, fit))
    # One channel is resized at a time, because floats take four times as much memory as the image.
    channels = [_round(rows @ _round(_resize_width(channel, columns))) for channel in tf.unstack(image, axis=-1)]
    return tf.cast(tf.ensure_shape(tf.stack(channels, axis=-1), (1, resolution, resolution, 3)), tf.uint8)


def to_own_size(probability: tf.Tensor, image: tf.Tensor, fit: str) -> tf.Tensor:
    """Resizes the output of the model from the square to the size of the image.

    Args:
        probability: [1, R, R, 1], float32 in [0, 1] or uint8 in steps of 1/256.
        image: the image itself, [1, height, width, rgb]. Only its size is used.
        fit: how `to_square` fitted the image.

    Returns:
        uint8 [1, height, width, 1], 255 times the foreground probability, rounded to the nearest integer. A value
        halfway between two integers is rounded down. The value is 128 or more where the probability is at least 0.5 +
        4e-6. The value is 127 where the probability is exactly 0.5. Int8 networks often return exactly 0.5.
    """
    resolution, step = probability.shape[1], 1 / 256 if probability.dtype == tf.uint8 else 1.0
    rows, columns = (_undo_matrix(side, longest, resolution) for side, longest in _sides(image, fit))
    # The offset is added before resizing, because the mask is still small then. Resizing does not change the offset,
    # because the rows of the matrices sum to 1.
    levels = tf.cast(probability[..., 0], tf.float32) * (255 * step) + _HALVES_DOWN
    return tf.expand_dims(tf.cast(rows @ _resize_width(levels, columns), tf.uint8), axis=-1)


def resampling_matrix(
    source: tf.Tensor, source_length: tf.Tensor | int, target: tf.Tensor, target_length: tf.Tensor | int
) -> tf.Tensor:
    """Computes Pillow's weights for antialiased bilinear resizing.

    The weights form a triangle. Its width is two pixels of the shorter line. The shorter line is either the line to
    resize or the resized line.

    Args:
        source: int32 [source], positions of the source pixels in the line to resize. Positions outside this line get
            the weight 0.
        source_length: int32, length of the line to resize, pixels.
        target: int32 [target], positions of pixels in the resized line. Only these pixels are computed.
        target_length: int32, length of the resized line, pixels.

    Returns:
        float32 [target, source]. Each row sums to 1.
    """
    # All lengths are multiplied by 2 * target_length, so that they are whole numbers. Only the last division is
    # rounded.
    reach = 2 * tf.maximum(source_length, target_length)
    centres = tf.expand_dims((2 * target + 1) * source_length, axis=1)
    distance = tf.abs((2 * source + 1) * target_length - centres)
    inside = tf.cast((source >= 0) & (source < source_length), tf.int32)
    weights = tf.cast(tf.maximum(reach - distance, 0) * inside, tf.float32)
    return weights / tf.reduce_sum(weights, axis=1, keepdims=True)


def filled_part(side: tf.Tensor, longest: tf.Tensor | int, resolution: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes which part of a side of the square is filled by a side of the image.

    Returns the number of filled pixels, and the index of the first filled pixel. The number is side * resolution /
    longest, rounded as Python's `round` does. `longest` is the side that fills the square. All values are int32, in
    pixels.
    """
    scaled = side * resolution
    is_odd = scaled // longest % 2  # Python rounds a half to the nearest even number
    length = tf.maximum((2 * scaled + longest - 1 + is_odd) // (2 * longest), 1)
    return length, (resolution - length) // 2


def _sides(image: tf.Tensor, fit: str) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """Returns (side, longest) for the image's height, then for its width, in int32 pixels, see `filled_part`."""
    height, width = tf.unstack(tf.shape(image)[1:3])
    longest = tf.maximum(height, width)
    return [(side, {"squeeze": side, "pad": longest}[fit]) for side in (height, width)]


def _square_matrix(side: tf.Tensor, longest: tf.Tensor, resolution: int) -> tf.Tensor:
    """Computes the matrix that resizes a side of the image to the square. Copies of the edge pixel fill the rest."""
    length, start = filled_part(side, longest, resolution)
    target = tf.clip_by_value(tf.range(resolution) - start, 0, length - 1)
    return resampling_matrix(tf.range(side), side, target, length)


def _undo_matrix(side: tf.Tensor, longest: tf.Tensor, resolution: int) -> tf.Tensor:
    """Computes the matrix that resizes the filled part of the square to a side of the image."""
    length, start = filled_part(side, longest, resolution)
    return resampling_matrix(tf.range(resolution) - start, length, tf.range(side), side)


def _resize_width(values: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Resizes the width of an image channel, [1, height, width]. Returns float32 [1, height, column]."""
    return tf.matmul(tf.cast(values, tf.float32), columns, transpose_b=True)


def _round(values: tf.Tensor) -> tf.Tensor:
    return tf.floor(values + 0.5)
