import numpy as np
import pytest
import tensorflow as tf

from tf_layered_gan.models.augmentation.differentiable_augmentation import (
    DifferentiableAugmentation,
    sample_augmentation,
)
from tf_layered_gan.models.augmentation.perturbation import warp, warp_gather

FLIP, SHIFT_X, SHIFT_Y, SCALE, ROTATION, BRIGHTNESS, SATURATION, CONTRAST = range(8)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (3, 16, 16, 3)).astype(np.float32)
both_warps = pytest.mark.parametrize("function", [warp, warp_gather])


def augmentation(function=warp, geometry=True, probability=1.0, target=0.0):
    return DifferentiableAugmentation(function, geometry=geometry, probability=probability, target=target)


def draws(deviations, count=3):
    """Returns draws that apply only the given transformations, with the given deviations in [-1, 1)."""
    drawn = np.full((count, 8, 2), 1.0, np.float32)
    for index, deviation in deviations.items():
        drawn[:, index] = 0.0, (deviation + 1) / 2
    return tf.constant(drawn)


@both_warps
@pytest.mark.parametrize("geometry", [False, True])
def test_probability_0_changes_no_bit(function, geometry):
    augment = augmentation(function, geometry, probability=0.0)
    np.testing.assert_array_equal(augment(IMAGES, sample_augmentation(3, (1, 2))), IMAGES)


@both_warps
def test_half_of_the_chosen_images_are_flipped(function):
    np.testing.assert_allclose(augmentation(function)(IMAGES, draws({FLIP: -0.5})), IMAGES[:, :, ::-1], atol=1e-5)
    np.testing.assert_array_equal(augmentation(function)(IMAGES, draws({FLIP: 0.5})), IMAGES)


@both_warps
def test_shift_is_whole_pixels_of_the_mirrored_image(function):
    # The largest shift is 16 / 8 = 2 pixels. The horizontal shift 0.8 * 2 = 1.6 is rounded to 2. The vertical shift
    # -0.3 * 2 = -0.6 is rounded to -1. Columns -1 and -2 are mirrored: they equal columns 0 and 1.
    shifted = augmentation(function)(IMAGES, draws({SHIFT_X: 0.8, SHIFT_Y: -0.3}))
    mirrored = np.pad(IMAGES, ((0, 0), (0, 1), (2, 0), (0, 0)), mode="symmetric")
    np.testing.assert_allclose(shifted, mirrored[:, 1:, :16], atol=1e-5)


@both_warps
def test_flip_comes_before_shift(function):
    both = augmentation(function)(IMAGES, draws({FLIP: -1.0, SHIFT_X: 1.0}))
    shifted = augmentation(function)(IMAGES[:, :, ::-1], draws({SHIFT_X: 1.0}))
    np.testing.assert_allclose(both, shifted, atol=1e-5)


def test_scale_and_turn_are_about_the_centre():
    # The value of a pixel is its horizontal distance dx from the centre. When the image is scaled by 2^-0.25 and turned
    # by 9 degrees, the value becomes 2^0.25 (dx cos 9 + dy sin 9).
    offset = np.float32(np.arange(16) - 7.5)
    ramp = np.broadcast_to(offset[None, None, :, None], (1, 16, 16, 3))
    moved = augmentation()(ramp, draws({SCALE: -1.0, ROTATION: 0.9}, count=1))[0, 4:12, 4:12, 0]
    angle, (dx, dy) = np.radians(9), (offset[None, 4:12], offset[4:12, None])
    np.testing.assert_allclose(moved, 2**0.25 * (np.cos(angle) * dx + np.sin(angle) * dy), atol=1e-4)


def test_geometry_leaves_a_flat_image():
    flat = np.full((1, 16, 16, 3), 0.25, np.float32)
    moved = draws({SCALE: -1.0, ROTATION: -1.0, SHIFT_X: 1.0}, count=1)
    np.testing.assert_allclose(augmentation()(flat, moved), flat, atol=1e-5)


def test_colours_by_hand():
    # The pixels (0.5, -0.1, 0.2) and (-0.4, 0.2, 0.2) have the means 0.2 and 0. The image has the mean 0.1.
    image = np.float32([[[[0.5, -0.1, 0.2], [-0.4, 0.2, 0.2]]]])
    augment = augmentation(geometry=False)
    brighter = augment(image, draws({BRIGHTNESS: 0.5}, count=1))  # adds 0.5 * 0.5 to each value
    np.testing.assert_allclose(brighter, image + 0.25, atol=1e-6)
    grey = augment(image, draws({SATURATION: -1.0}, count=1))
    np.testing.assert_allclose(grey[0, 0], [[0.2] * 3, [0.0] * 3], atol=1e-6)
    flatter = augment(image, draws({CONTRAST: -1.0}, count=1))  # halves the distance from the mean 0.1
    np.testing.assert_allclose(flatter[0, 0], [[0.3, 0.0, 0.15], [-0.15, 0.15, 0.15]], atol=1e-6)


def test_color_alone_leaves_the_geometry():
    moved = draws({FLIP: -0.5, SHIFT_X: 0.8, SCALE: 0.5, ROTATION: 0.5})
    np.testing.assert_array_equal(augmentation(geometry=False)(IMAGES, moved), IMAGES)


def test_each_transformation_is_applied_with_the_probability():
    # Of 4,000 images, 30 % become brighter or darker. This fraction has a standard deviation of 0.007.
    images = np.zeros((4000, 1, 1, 3), np.float32)
    augmented = augmentation(geometry=False, probability=0.3)(images, sample_augmentation(4000, (1, 2)))
    assert np.mean(augmented[:, 0, 0, 0] != 0) == pytest.approx(0.3, abs=0.03)


@both_warps
def test_gradient_reaches_the_image_and_is_the_adjoint(function):
    # The augmentation of images x is affine: A x + b. So its gradient for an upstream gradient u is A^T u, and <A x, u>
    # = <x, A^T u>.
    augment, drawn = augmentation(function), sample_augmentation(3, (5, 6))
    images, upstream = tf.constant(IMAGES), tf.random.stateless_normal(IMAGES.shape, (7, 8))
    with tf.GradientTape() as tape:
        tape.watch(images)
        augmented = augment(images, drawn)
    gradient = tape.gradient(augmented, images, output_gradients=upstream)
    linear = augmented - augment(tf.zeros_like(images), drawn)
    product = tf.reduce_sum(linear * upstream)
    assert float(tf.reduce_sum(images * gradient)) == pytest.approx(float(product), rel=1e-4)
    assert abs(float(product)) > 1


def test_xla_augments_the_same():
    drawn = sample_augmentation(3, (5, 6))
    compiled = tf.function(augmentation(warp_gather), jit_compile=True)
    np.testing.assert_allclose(compiled(tf.constant(IMAGES), drawn), augmentation(warp)(IMAGES, drawn), atol=1e-4)


def test_fixed_probability_has_no_variable():
    assert augmentation().variables == []


def test_adaptive_probability_starts_at_0_and_follows_the_sign_of_d():
    adaptive = augmentation(target=0.6)
    (probability,) = adaptive.variables
    assert not probability.trainable and float(probability) == 0
    np.testing.assert_array_equal(adaptive(IMAGES, sample_augmentation(3, (1, 2))), IMAGES)
    # After ten photos, the probability changes by 10 / 500,000 = 0.00002. The mean sign of the logits is 0.8 if nine of
    # ten are above 0. It is 0.4 if seven of ten are above 0.
    nine, seven = (tf.constant([1.0] * above + [-1.0] * (10 - above)) for above in (9, 7))
    moves = []
    for logits in (nine, nine, seven, seven, seven):
        adaptive.adapt(logits)
        moves.append(float(probability))
    assert moves == pytest.approx([2e-5, 4e-5, 2e-5, 0, 0], abs=1e-9)
    probability.assign(1.0)
    adaptive.adapt(nine)
    assert float(probability) == 1


def test_draws_follow_from_the_seed():
    first, again, other = (sample_augmentation(4, seed).numpy() for seed in ((1, 2), (1, 2), (1, 3)))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (4, 8, 2) and (first != other).all() and 0 <= first.min() < first.max() < 1
