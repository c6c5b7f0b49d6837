import numpy as np
import pytest
import tensorflow as tf

from tf_layered_gan.data.augmentation import (
    apply_color,
    crop_and_resize,
    random_flip_and_crop,
    sample_color,
)

SEED = (3, 4)
RANGES = {"brightness": 0.2, "contrast": 0.3, "saturation": 0.4, "hue": 0.1}
NO_RANGES = dict.fromkeys(RANGES, 0.0)


def noise(count=4, width=12):
    values = np.random.default_rng(0).uniform(-1, 1, (count, width, width, 3))
    return tf.constant(values, tf.float32)


def row(*values):
    """An image in which every row of every channel holds `values`."""
    return tf.tile(tf.constant(values, tf.float32)[None, None, :, None], [1, len(values), 1, 3])


@pytest.mark.parametrize(
    "left, side, mirrored, expected",
    [
        (1.0, 2.0, False, [2, 3]),
        (0.5, 2.0, False, [1.5, 2.5]),  # the image moves by half a pixel: (1 + 2) / 2 and (2 + 3) / 2
        (1.0, 2.0, True, [3, 2]),
        # When the size is halved, pixels are weighted by a triangle that is 2 pixels wide on each side. The first
        # triangle has its centre at 1. The old pixels have their centres at 0.5, 1.5, 2.5 and 3.5, so their weights are
        # 0.75, 0.75, 0.25 and 0. The result is (0.75 * 1 + 0.75 * 2 + 0.25 * 3) / 1.75 = 12 / 7.
        (0.0, 4.0, False, [12 / 7, 23 / 7]),
    ],
)
def test_a_crop_is_copied_blended_mirrored_or_averaged(left, side, mirrored, expected):
    # The first image has equal rows, and the second has equal columns. Mirroring changes only the order of columns.
    columns = row(1, 2, 3, 4)
    images = tf.concat([columns, tf.transpose(columns, [0, 2, 1, 3])], axis=0)
    place = {"top": tf.constant([0.0, left]), "left": tf.constant([left, 0.0]), "side": tf.constant([side, side])}
    result = crop_and_resize(images, **place, mirrored=tf.constant([mirrored, False]), resolution=2)
    assert result.shape == (2, 2, 2, 3)
    np.testing.assert_allclose(result[0, 0, :, 0], expected, rtol=1e-5)
    np.testing.assert_allclose(result[1, :, 0, 0], sorted(expected), rtol=1e-5)


@pytest.mark.parametrize("resolution", [5, 12, 20])
def test_whole_image_is_resized_as_tensorflow_does(resolution):
    images = noise()
    result = random_flip_and_crop(images, SEED, resolution=resolution, crop_scale=(1.0, 1.0), flip=False)
    expected = tf.image.resize(images, [resolution, resolution], antialias=True)
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_half_of_the_images_are_mirrored():
    images = tf.repeat(row(0, 1), 1000, axis=0)
    result = random_flip_and_crop(images, SEED, resolution=2, crop_scale=(1.0, 1.0), flip=True).numpy()
    assert np.isin(result, [0, 1]).all()
    # On average, 500 of 1000 images are mirrored. The standard deviation is sqrt(250) = 15.8. The limit is five
    # standard deviations.
    assert abs(result[:, 0, 0, 0].sum() - 500) < 80


def test_crops_fill_the_range_of_sides_and_places():
    # The value of a pixel is the number of its column. So each value of the result is the position from which it was
    # read. Pixel i of the result is read from left + (i + 0.5) * side / 8 - 0.5. For i = 1 and i = 6 this position is
    # inside the image.
    images = tf.repeat(row(*range(8)), 500, axis=0)
    result = random_flip_and_crop(images, SEED, resolution=8, crop_scale=(0.5, 0.8), flip=False).numpy()
    first, last = result[:, 0, 1, 0], result[:, 0, 6, 0]
    side = (last - first) / 5 * 8
    place = (first + 0.5 - 1.5 * side / 8) / (8 - side)
    np.testing.assert_allclose([side.min(), side.max()], [4.0, 6.4], atol=0.02)
    np.testing.assert_allclose([place.min(), place.max()], [0.0, 1.0], atol=0.01)
    # The standard deviation of the mean is sqrt(1 / 12 / 500) = 0.013. The limit is five standard deviations.
    assert abs(place.mean() - 0.5) < 0.07


def test_rows_and_columns_are_drawn_apart():
    columns = tf.repeat(row(*range(8)), 200, axis=0)
    rows = tf.transpose(columns, [0, 2, 1, 3])
    left, top = (
        random_flip_and_crop(images, SEED, resolution=1, crop_scale=(0.5, 0.5), flip=False)[:, 0, 0, 0]
        for images in (columns, rows)
    )
    assert abs(np.corrcoef(left, top)[0, 1]) < 0.35  # five times the standard deviation 1 / sqrt(200) = 0.07


@pytest.mark.parametrize("wrong", [{"crop_scale": (0.0, 1.0)}, {"crop_scale": (0.9, 0.8)}, {"resolution": 0}])
def test_crop_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is "):
        random_flip_and_crop(noise(), SEED, **{"resolution": 4, "crop_scale": (0.8, 1.0), "flip": False} | wrong)


def colored(pixel, *, shift=0.0, contrast=1.0, saturation=1.0, turn=0.0):
    """Changes the colours of an image of one pixel. This pixel is also the mean of the image.

    Returns the new pixel.
    """
    image = tf.constant(pixel, tf.float32)[None, None, None]
    return apply_color(image, tf.constant([[shift, contrast, saturation, turn]]))[0, 0, 0].numpy()


def test_brightness_is_added_and_clipped():
    np.testing.assert_allclose(colored([0.5, -0.5, 0.9], shift=0.25), [0.75, -0.25, 1.0], atol=1e-5)
    np.testing.assert_allclose(colored([-0.9, 0.5, 0.5], shift=-0.25), [-1.0, 0.25, 0.25], atol=1e-5)


def test_contrast_is_about_the_mean_colour():
    # The two images have the means 0.2 and -0.5. The contrast 0.5 halves the distances from the mean. So the new values
    # are 0.2 +- 0.5 * 0.4 and -0.5 +- 0.5 * 0.1.
    images = tf.reshape(tf.constant([0.6, -0.2, -0.4, -0.6]), [2, 1, 2, 1]) * tf.ones(3)
    result = apply_color(images, tf.constant([[0.0, 0.5, 1.0, 0.0]] * 2))
    np.testing.assert_allclose(result[:, 0, :, 0], [[0.4, 0.0], [-0.45, -0.55]], atol=1e-5)


def test_no_saturation_leaves_the_luma():
    # 0.299 * 0.5 + 0.587 * 0.1 + 0.114 * -0.5 = 0.1495 + 0.0587 - 0.057 = 0.1512.
    np.testing.assert_allclose(colored([0.5, 0.1, -0.5], saturation=0.0), [0.1512] * 3, atol=1e-5)


def test_half_a_turn_mirrors_at_the_luma():
    # The luma is 0.1512, as in `test_no_saturation_leaves_the_luma`. Half a turn of the hue keeps the luma and changes
    # the sign of both colour axes. So the result is 2 * 0.1512 - (0.5, 0.1, -0.5).
    np.testing.assert_allclose(colored([0.5, 0.1, -0.5], turn=0.5), [-0.1976, 0.2024, 0.8024], atol=1e-5)


def test_a_turn_goes_from_red_to_green():
    # The hue turns by a third of the circle, so another channel becomes the strongest. Grey does not change.
    assert colored([0.5, -0.4, -0.4], turn=1 / 3).argmax() == 2
    assert colored([0.5, -0.4, -0.4], turn=-1 / 3).argmax() == 1
    np.testing.assert_allclose(colored([0.3] * 3, saturation=1.4, turn=0.2), [0.3] * 3, atol=1e-5)


def test_color_draws_fill_their_ranges():
    draws = sample_color(2000, SEED, brightness=2.0, contrast=0.3, saturation=1.0, hue=0.5).numpy()
    np.testing.assert_allclose(draws.min(axis=0), [-2, 0.7, 0, -0.5], atol=0.02)
    np.testing.assert_allclose(draws.max(axis=0), [2, 1.3, 2, 0.5], atol=0.02)
    # The correlation of 2000 independent pairs has the standard deviation 1 / sqrt(2000) = 0.022.
    assert abs(np.corrcoef(draws.T) - np.eye(4)).max() < 0.11


def change_color(images, seed=SEED, **ranges):
    return apply_color(images, sample_color(images.shape[0], seed, **NO_RANGES | ranges))


@pytest.mark.parametrize("name", RANGES)
def test_colors_change_each_image_in_its_own_way(name):
    images = tf.repeat(0.5 * noise(count=1), 3, axis=0)
    result = change_color(images, **{name: RANGES[name]}).numpy()
    assert abs(result).max() <= 1
    assert min(abs(result[i] - result[j]).max() for i, j in [(0, 1), (1, 2), (0, 2)]) > 1e-4


@pytest.mark.parametrize(
    ("name", "given"), [("brightness", 2.1), ("contrast", -0.1), ("saturation", 1.5), ("hue", 0.6)]
)
def test_color_range_out_of_bounds_is_refused(name, given):
    with pytest.raises(ValueError, match=f"{name} is {given}, allowed: 0 to "):
        sample_color(1, SEED, **RANGES | {name: given})


def flip_and_crop(images, seed):
    return random_flip_and_crop(images, seed, resolution=6, crop_scale=(0.5, 1.0), flip=True)


def recolor(images, seed):
    return change_color(images, seed, **RANGES)


@pytest.mark.parametrize("augment", [flip_and_crop, recolor])
def test_same_seed_same_result_and_another_seed_another(augment):
    images = noise()
    np.testing.assert_array_equal(augment(images, SEED), augment(images, SEED))
    assert abs(augment(images, SEED) - augment(images, (3, 5))).numpy().max() > 0.1


def test_apply_color_compiled_by_xla_gives_the_same():
    images, color = noise(), sample_color(4, SEED, **RANGES)
    compiled = tf.function(apply_color, jit_compile=True)
    np.testing.assert_allclose(compiled(images, color), apply_color(images, color), atol=1e-5)
