import math
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tf_layered_gan.models.augmentation import perturbation
from tf_layered_gan.models.augmentation.perturbation import (
    affine_transforms,
    jitter_contrast,
    sample_contrast,
    sample_transforms,
    warp,
    warp_gather,
)

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "warp.npz"
SEED = (3, 4)
# The columns are s, alpha, t_x and t_y. Each of the first rows changes only one part of the transform. The next
# rows change all parts. In the last rows, the object is almost or wholly outside the image.
PARAMETERS = [
    (-0.5, 0.0, 0.0, 0.0),
    (0.5, 0.0, 0.0, 0.0),
    (0.0, 0.7, 0.0, 0.0),
    (0.0, 0.0, 1.25, -0.5),
    (-0.2, 0.3, 1.5, 0.75),
    (0.4, -1.1, -0.8, 2.3),
    (0.1, 0.2, 3.5, -2.9),
    (0.0, 0.0, -9.0, 9.0),
]
both_warps = pytest.mark.parametrize("function", [warp, warp_gather])


def paper_matrix(scale_exponent, rotation, shift_x, shift_y):
    """Returns the matrix A of Eqs. 9 and 10, as printed in the paper."""
    scale = np.diag([2.0**scale_exponent, 2.0**scale_exponent, 1.0])
    cos, sin = math.cos(rotation), math.sin(rotation)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    shift = np.array([[1, 0, shift_x], [0, 1, shift_y], [0, 0, 1]])
    return shift @ turn @ scale


def dense_warp(parameters, size):
    """Returns the warp as a float64 matrix [output pixel, input pixel].

    The warp is bilinear, and zero outside the image.
    """
    inverse = np.linalg.inv(paper_matrix(*parameters))
    centre = (size - 1) / 2
    operator = np.zeros((size * size, size * size))
    for y, x in np.ndindex(size, size):
        u, v, _ = inverse @ (x - centre, y - centre, 1) + centre
        for row, column in np.ndindex(size, size):
            weight = max(0, 1 - abs(u - column)) * max(0, 1 - abs(v - row))
            operator[y * size + x, row * size + column] = weight
    return operator


def value_and_gradient(function, images, transforms, upstream):
    with tf.GradientTape() as tape:
        tape.watch(images)
        warped = function(images, transforms)
    return warped, tape.gradient(warped, images, output_gradients=upstream)


@both_warps
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_warp_is_the_dense_operator_of_eqs_9_and_10_and_its_gradient_the_transpose(function, parameters):
    size = 5
    # For each pixel, there is an image in which this pixel is 1 and all other pixels are 0.
    units = tf.reshape(tf.eye(size * size), [-1, size, size, 1])
    transforms = tf.repeat(affine_transforms(*np.float32(parameters)[:, None], size), size * size, axis=0)
    expected = dense_warp(parameters, size)
    warped, gradient = value_and_gradient(function, units, transforms, upstream=units)
    np.testing.assert_allclose(tf.reshape(warped, expected.shape), expected.T, atol=1e-5)
    np.testing.assert_allclose(tf.reshape(gradient, expected.shape), expected, atol=1e-5)


def test_scales_then_turns_then_shifts():
    # Relative to the centre (4, 4), pixel (5, 4) is (1, 0). Scaling gives (2, 0), turning gives (0, 2), and shifting
    # gives (1, 2), which is pixel (5, 6). Shifting first would give pixel (4, 8). Turning last would give pixel (4, 7).
    dot = tf.reshape(tf.one_hot(4 * 9 + 5, 81), [1, 9, 9, 1])
    moved = warp(dot, affine_transforms(*np.float32([[1], [math.pi / 2], [1], [0]]), 9))
    assert moved[0, 6, 5, 0].numpy() == pytest.approx(1.0, abs=1e-6)


def test_compiled_warp_gather_equals_warp_on_a_batch():
    transforms = sample_transforms(6, SEED, resolution=16, scale_exponent=(-0.6, 0.6), shift=0.4, rotation=70.0)
    images = tf.random.stateless_uniform([6, 16, 16, 4], (1, 2), -1, 1)
    upstream = tf.random.stateless_normal([6, 16, 16, 4], (5, 6))
    expected = value_and_gradient(warp, images, transforms, upstream)
    compiled = tf.function(value_and_gradient, jit_compile=True)
    actual = compiled(warp_gather, images, transforms, upstream)
    np.testing.assert_allclose(actual[0], expected[0], atol=1e-5)
    np.testing.assert_allclose(actual[1], expected[1], atol=1e-5)


@both_warps
def test_batch_of_unknown_size_and_oblong_images(function):
    # Output pixel (x, y) shows input pixel (x - 2, y). There are two images with 3 rows of 4 pixels. The pixels are
    # numbered 1 to 24.
    shift = tf.constant([[1.0, 0, -2, 0, 1, 0, 0, 0]] * 2)
    images = tf.reshape(tf.range(1.0, 25.0), [2, 3, 4, 1])
    signature = [tf.TensorSpec([None, 3, 4, 1]), tf.TensorSpec([None, 8])]
    warped, gradient = tf.function(
        lambda images, transforms: value_and_gradient(function, images, transforms, images),
        input_signature=signature,
    )(images, shift)
    np.testing.assert_array_equal(warped[1, :, :, 0], [[0, 0, 13, 14], [0, 0, 17, 18], [0, 0, 21, 22]])
    np.testing.assert_array_equal(gradient[1, :, :, 0], [[15, 16, 0, 0], [19, 20, 0, 0], [23, 24, 0, 0]])


@both_warps
def test_equals_tensorflow_addons(function):
    golden = np.load(GOLDEN)
    transforms = affine_transforms(*golden["parameters"].T, golden["image"].shape[0])
    images = np.repeat(golden["image"][np.newaxis], len(transforms), axis=0)
    np.testing.assert_allclose(function(tf.constant(images), transforms), golden["warped"], atol=1e-5)


@both_warps
@pytest.mark.parametrize("images, transforms", [([4, 4, 1], [1, 8]), ([1, 4, 4, 1], [1, 6])])
def test_refuses_other_shapes(function, images, transforms):
    with pytest.raises(ValueError, match="got shape"):
        function(tf.zeros(images), tf.zeros(transforms))


def parameters_of(transforms, resolution):
    """Computes s, alpha and the shift from A^-1."""
    rows = tf.reshape(transforms[:, :6], [-1, 2, 3]).numpy().astype(np.float64)
    cos, sin = rows[:, 0, 0], rows[:, 0, 1]
    centre = (resolution - 1) / 2
    moved_centre = np.linalg.solve(rows[:, :, :2], centre - rows[:, :, 2:])[:, :, 0]
    return -np.log2(np.hypot(cos, sin)), np.arctan2(sin, cos), moved_centre - centre


def test_drawn_parameters_are_independent_and_fill_their_ranges():
    draw = tf.function(sample_transforms, jit_compile=True)
    drawn = draw(2000, tf.constant(SEED), resolution=64, scale_exponent=(-0.2, 0.0), shift=0.125, rotation=15.0)
    scale_exponent, rotation, shift = parameters_of(drawn, 64)
    parameters = [scale_exponent, np.degrees(rotation), shift[:, 0], shift[:, 1]]
    # The largest shift is 0.125 * 64 = 8 pixels. The smallest and the largest of 2000 draws are within 1 % of the ends
    # of the range.
    for values, low, high in zip(parameters, (-0.2, -15.0, -8.0, -8.0), (0.0, 15.0, 8.0, 8.0), strict=True):
        slack = 0.01 * (high - low)
        assert low - 1e-4 <= values.min() <= low + slack
        assert high - slack <= values.max() <= high + 1e-4
        assert values.mean() == pytest.approx((low + high) / 2, abs=3 * slack)
    # The correlation of 2000 independent pairs has a standard deviation of 1 / sqrt(2000) = 0.022.
    np.testing.assert_allclose(np.corrcoef(parameters), np.eye(4), atol=0.1)


def test_ranges_of_width_zero_give_the_identity():
    drawn = sample_transforms(3, SEED, resolution=8, scale_exponent=(0.0, 0.0), shift=0.0, rotation=0.0)
    np.testing.assert_allclose(drawn, [[1, 0, 0, 0, 1, 0, 0, 0]] * 3, atol=1e-6)


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"scale_exponent": (0.1, -0.1)}, r"scale_exponent .*got \(0.1, -0.1\)"),
        ({"scale_exponent": (0.1,)}, "scale_exponent must be a pair"),
        ({"shift": -0.1}, "shift must be >= 0, got -0.1"),
        ({"rotation": -15.0}, "rotation must be >= 0, got -15.0"),
    ],
)
def test_sample_transforms_refuses_bad_ranges(wrong, message):
    right = {"scale_exponent": (-0.2, 0.0), "shift": 0.1, "rotation": 15.0}
    with pytest.raises(ValueError, match=message):
        sample_transforms(2, SEED, resolution=8, **(right | wrong))


def test_sample_contrast_refuses_a_reversed_pair():
    with pytest.raises(ValueError, match=r"contrast .*got \(1.3, 0.7\)"):
        sample_contrast(2, SEED, contrast=(1.3, 0.7))


def test_contrast_moves_every_channel_about_its_mean_within_its_range():
    # Channel 0 has the mean (-0.6 + 0.2 + 0.2 + 0.6) / 4 = 0.1. Channel 1 equals its mean everywhere.
    image = np.float32([[[-0.6, -0.5], [0.2, -0.5]], [[0.2, -0.5], [0.6, -0.5]]])
    low, high = jitter_contrast(np.stack([image, image]), tf.constant([0.5, 1.5])).numpy()
    # The results are 0.1 + 0.5 * (-0.7, 0.1, 0.1, 0.5) and 0.1 + 1.5 * (-0.7, 0.1, 0.1, 0.5), clipped to [-0.6, 0.6].
    np.testing.assert_allclose(low[..., 0], [[-0.25, 0.15], [0.15, 0.35]], atol=1e-6)
    np.testing.assert_allclose(high[..., 0], [[-0.6, 0.25], [0.25, 0.6]], atol=1e-6)
    np.testing.assert_allclose([low[..., 1], high[..., 1]], np.full((2, 2, 2), -0.5), atol=1e-6)


def test_windows_are_at_every_place_in_their_range():
    windows = perturbation.sample_windows(2000, [0, 1], places=(2, 5)).numpy()
    assert windows.shape == (2000, 2)
    assert set(map(tuple, windows)) == {(top, left) for top in range(2, 6) for left in range(2, 6)}
    assert not perturbation.sample_windows(5, [0, 1], places=(0, 0)).numpy().any()
