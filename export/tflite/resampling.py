"""Resizing in the graph as edge_segmenter does it with Pillow: antialiased bilinear, as two matrix products.

TensorFlow's own resizing cannot stand in: TFLite has none with antialiasing, and without it a large picture is seen
through every 60th pixel.
"""

import tensorflow as tf

_HALVES_DOWN = 0.5 - 2**-10  # to add before what lies behind the point is cut off; far above a sum's own rounding


def letterbox(picture, resolution):
    """Resizes a picture's longer side to the resolution and fills the rest of the square by repeating edge pixels.

    Args:
        picture: uint8 [1, height, width, rgb], of any height and width from 1 to 65,535 pixels.
        resolution: R, pixels.

    Returns:
        uint8 [1, R, R, rgb]. That of `edge_segmenter.letterbox.letterbox`, but for a pixel here and there that is one
        step off where a sum lies between two; in pictures more than twice as high as wide there are more of these, as
        Pillow resizes their height first.
    """
    height, width = tf.unstack(tf.shape(picture)[1:3])
    rows, columns = (_letterboxing(side, tf.maximum(height, width), resolution) for side in (height, width))
    # One channel at a time: floats take four times the picture's memory.
    channels = [_round(rows @ _round(_narrowed(channel, columns))) for channel in tf.unstack(picture, axis=-1)]
    return tf.cast(tf.ensure_shape(tf.stack(channels, axis=-1), (1, resolution, resolution, 3)), tf.uint8)


def to_own_size(probability, picture):
    """Resizes what the model found in a letterboxed picture to the picture's own size.

    Args:
        probability: [1, R, R, 1], float32 in [0, 1] or uint8 in steps of 1/256.
        picture: the picture that was letterboxed, [1, height, width, rgb]; only its size counts.

    Returns:
        uint8 [1, height, width, 1], the foreground's probability times 255, rounded, halves down: so it is 128 or more
        where the probability is above one half (by 4e-6), which an int8 network often gives exactly.
    """
    height, width = tf.unstack(tf.shape(picture)[1:3])
    resolution, step = probability.shape[1], 1 / 256 if probability.dtype == tf.uint8 else 1.0
    rows, columns = (_undoing(side, tf.maximum(height, width), resolution) for side in (height, width))
    # Added before, while the mask is small; a matrix whose rows sum to 1 leaves it.
    levels = tf.cast(probability[..., 0], tf.float32) * (255 * step) + _HALVES_DOWN
    return tf.expand_dims(tf.cast(rows @ _narrowed(levels, columns), tf.uint8), axis=-1)


def resampling_matrix(source, source_length, target, target_length):
    """Computes Pillow's antialiased bilinear weights: a triangle around each place, as wide as the coarser pixels.

    Args:
        source: int32 [source], the pixels' places in the line that is resized; outside of it the weight is 0.
        source_length: int32, the length of that line, pixels.
        target: int32 [target], the places, in the resized line, of the pixels that are wanted.
        target_length: int32, the length of the resized line, pixels.

    Returns:
        float32 [target, source], of which each row sums to 1.
    """
    # All lengths times 2 * target_length, which makes them whole numbers: no rounding before the last division.
    reach = 2 * tf.maximum(source_length, target_length)
    centres = tf.expand_dims((2 * target + 1) * source_length, axis=1)
    distance = tf.abs((2 * source + 1) * target_length - centres)
    inside = tf.cast((source >= 0) & (source < source_length), tf.int32)
    weights = tf.cast(tf.maximum(reach - distance, 0) * inside, tf.float32)
    return weights / tf.reduce_sum(weights, axis=1, keepdims=True)


def _letterboxing(side, longest, resolution):
    """The matrix from a side of the picture to the square's; places beyond the picture see its edge."""
    length, start = _filled(side, longest, resolution)
    target = tf.clip_by_value(tf.range(resolution) - start, 0, length - 1)
    return resampling_matrix(tf.range(side), side, target, length)


def _undoing(side, longest, resolution):
    """The matrix from the part of the square that the picture fills to a side of the picture."""
    length, start = _filled(side, longest, resolution)
    return resampling_matrix(tf.range(resolution) - start, length, tf.range(side), side)


def _filled(side, longest, resolution):
    """How many pixels of the square a side of the picture fills, side * resolution / longest, and where they start."""
    scaled = side * resolution
    is_odd = scaled // longest % 2  # halves are rounded to the even number, as Python does
    length = tf.maximum((2 * scaled + longest - 1 + is_odd) // (2 * longest), 1)
    return length, (resolution - length) // 2


def _narrowed(values, columns):
    """[1, height, width] -> float32 [1, height, column]."""
    return tf.matmul(tf.cast(values, tf.float32), columns, transpose_b=True)


def _round(values):
    return tf.floor(values + 0.5)
