"""Tests that compare the resizing inside the model with Pillow's resizing in edge_segmenter."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from edge_segmenter import fit as edge
from export.tflite.resampling import filled_part, resampling_matrix, to_own_size, to_square

FITS = ("squeeze", "pad")
RESOLUTION = 16
SIZES = [(16, 16), (40, 20), (20, 40), (33, 47), (100, 37), (7, 5), (1, 1), (200, 1), (1, 200), (15, 14), (51, 50)]


def blotches(width, height):
    """Returns an image of blotches with edges and noise, uint8 [height, width, rgb]."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (-(-height // 8), -(-width // 8), 3)).repeat(8, 0).repeat(8, 1)[:height, :width]
    return np.clip(coarse + rng.integers(-20, 21, (height, width, 3)), 0, 255).astype("uint8")


def test_matrix_by_hand():
    # To halve the size, a triangle filter is used. It is centred between two pixels and covers two pixels on each side.
    # The weights are 1/4, 3/4, 3/4 and 1/4. The edge of the image cuts off one of these weights.
    matrix = resampling_matrix(tf.range(4), 4, tf.range(2), 2)
    np.testing.assert_allclose(matrix, np.array([[3, 3, 1, 0], [0, 1, 3, 3]]) / 7, rtol=1e-6)
    # When the size is doubled, the centre of each new pixel is a quarter of an old pixel away from the centre of the
    # nearest old pixel.
    matrix = resampling_matrix(tf.range(2), 2, tf.range(4), 4)
    np.testing.assert_allclose(matrix, np.array([[4, 0], [3, 1], [1, 3], [0, 4]]) / 4, rtol=1e-6)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", SIZES)
def test_square_is_that_of_the_edge_package(size, fit):
    pixels = blotches(*size)
    expected, _ = edge.to_square(Image.fromarray(pixels), RESOLUTION, fit)
    difference = np.abs(to_square(pixels[None], RESOLUTION, fit)[0].numpy().astype(int) - expected)
    assert difference.max() <= 1 and (difference > 0).mean() <= (0.21 if size[1] >= 2 * size[0] else 0.04)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", SIZES)
def test_mask_is_that_of_the_edge_package(size, fit):
    probability = np.random.default_rng(1).random((RESOLUTION, RESOLUTION), "float32")
    expected = edge.foreground_probability(Image.new("RGB", size), RESOLUTION, lambda _: probability, fit) * 255
    mask = to_own_size(tf.constant(probability[None, ..., None]), np.zeros((1, *size[::-1], 3), "uint8"), fit)
    assert mask.shape == (1, *size[::-1], 1)
    assert np.abs(mask[0, ..., 0].numpy() - expected).max() <= 0.5 + 2e-3  # the rounding alone


def test_mask_of_256ths():
    probability = tf.fill((1, RESOLUTION, RESOLUTION, 1), tf.constant(64, tf.uint8))
    mask = to_own_size(probability, np.zeros((1, 5, 9, 3)), "pad")
    assert (mask.numpy() == 64).all()  # 64 / 256 * 255 = 63.75


@pytest.mark.parametrize("size", SIZES)
def test_128_or_more_is_above_one_half(size):
    values = np.random.default_rng(0).choice(np.array([0, 127, 128, 129, 255], "uint8"), (1, RESOLUTION, RESOLUTION, 1))
    values[:, 4:12] = 128  # 128 / 256 is one half, and interpolation between these rows gives one half too
    expected = edge.foreground_probability(
        Image.new("RGB", size), RESOLUTION, lambda _: values[0, ..., 0] / np.float32(256), "pad"
    )
    mask = to_own_size(tf.constant(values), np.zeros((1, *size[::-1], 3), "uint8"), "pad")[0, ..., 0].numpy()
    certain = np.abs(expected - 0.5) > 1e-5
    np.testing.assert_array_equal((mask >= 128)[certain], (expected > 0.5)[certain])
    assert (~certain).any() or size == (1, 1)
    assert (mask[~certain] == 127).all()


@pytest.mark.parametrize("longest", [17, 32, 101, 4031, 65535])
def test_every_side_is_rounded_like_python_does(longest):
    # If the longest side has 32 pixels, every second side has a scaled length that ends in .5 before it is rounded.
    sides = np.unique(np.linspace(1, longest, 200).astype("int32"))
    lengths, starts = filled_part(tf.constant(sides), longest, RESOLUTION)
    expected = [max(1, round(side * RESOLUTION / longest)) for side in sides.tolist()]
    assert lengths.numpy().tolist() == expected
    assert starts.numpy().tolist() == [(RESOLUTION - length) // 2 for length in expected]
