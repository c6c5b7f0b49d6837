import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tf_layered_gan.data.augmentation import RGB_TO_YIQ
from tf_layered_gan.models.augmentation import perturbation, photo_like

COUNT, WIDTH = 6, 16
SEED = (3, 4)
PROBABILITIES = ("EXCHANGED", "DEFORMED", "RECOLOURED", "MIRRORED", "BLURRED", "SHRUNK", "SHARPENED", "COMPRESSED")
NO_CHANGE = {"scale_exponent": (0.0, 0.0), "shift": 0.0, "rotation": 0.0}


def images(count=COUNT, width=WIDTH, channels=3, most=1.0):
    values = np.random.default_rng(0).uniform(-most, most, (count, width, width, channels))
    return tf.constant(values, tf.float32)


def layers():
    mask = np.random.default_rng(1).uniform(0, 1, (COUNT, WIDTH, WIDTH, 1)).astype(np.float32)
    return {"background": images(), "foreground": -images(), "mask": tf.constant(mask)}


def draws(count=COUNT, seed=SEED):
    return photo_like.sample(count, tf.constant(seed, tf.int64), resolution=WIDTH)


def statistics():
    return np.float32([[[0.1, 0.2, 0.0], [0.2, 0.05, 0.1]], [[-0.2, 0.0, 0.1], [0.1, 0.1, 0.02]]])


@pytest.fixture
def maker():
    return photo_like.PhotoLike(statistics(), perturbation.warp, compress=True)


@pytest.fixture
def unlikely(monkeypatch):
    """Switches all changes off: sets probabilities to 0, and gives the other changes ranges that change nothing."""
    for name in PROBABILITIES:
        monkeypatch.setattr(photo_like, name, 0.0)
    monkeypatch.setattr(photo_like, "IMAGE", NO_CHANGE)
    monkeypatch.setattr(photo_like, "NOISE", (0.0, 0.0))


def test_pairs_are_images_and_binary_masks(maker):
    pair = maker(layers(), {"photo_like": draws()})
    assert pair["image"].shape == (COUNT, WIDTH, WIDTH, 3) and pair["mask"].shape == (COUNT, WIDTH, WIDTH, 1)
    assert tf.reduce_min(pair["image"]) >= -1 and tf.reduce_max(pair["image"]) <= 1
    assert set(np.unique(pair["mask"])) == {0, 1}
    assert pair["color"].shape == (COUNT, 4)


def test_the_same_draws_give_the_same_pair_compiled_or_not(maker):
    first, again = draws(), draws()
    tf.nest.map_structure(np.testing.assert_array_equal, first, again)
    pair, compiled = maker(layers(), {"photo_like": first}), tf.function(maker)(layers(), {"photo_like": again})
    tf.nest.map_structure(np.testing.assert_array_equal, pair, maker(layers(), {"photo_like": again}))
    np.testing.assert_array_equal(pair["mask"], compiled["mask"])
    np.testing.assert_allclose(pair["image"], compiled["image"], atol=0.02)  # compiled JPEG code may round differently


def test_xla_compiles_pairs_without_jpeg():
    maker = photo_like.PhotoLike(statistics(), perturbation.warp_gather, compress=False)
    given = {"photo_like": draws()}
    compiled = tf.function(maker, jit_compile=True)(layers(), given)
    tf.nest.map_structure(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), maker(layers(), given), compiled)


def test_with_probability_0_nothing_changes(maker, unlikely):
    given = layers()
    pair = maker(given, {"photo_like": draws()})
    composed = (1 - given["mask"]) * given["background"] + given["mask"] * given["foreground"]
    np.testing.assert_allclose(pair["image"], composed, atol=1e-6)
    np.testing.assert_array_equal(pair["mask"], given["mask"].numpy() >= 0.5)
    codes = {"z": images(), "window": tf.range(COUNT)[:, None]}
    exchanged = photo_like.exchange_backgrounds(codes, tf.constant(SEED, tf.int64))
    tf.nest.map_structure(np.testing.assert_array_equal, codes, exchanged)


@pytest.mark.parametrize(
    ("change", "neutral"),
    [
        (lambda given, value: photo_like.transfer_colors(given, statistics(), value), -1.0),
        (lambda given, value: photo_like.flip(given, value > 0), 0.0),
        (photo_like.blur, 0.0),
        (photo_like.shrink, 1.0),
        (photo_like.sharpen, 0.0),
        (lambda given, value: photo_like.add_noise(given, value[:, None, None, None]), 0.0),
        (lambda given, value: photo_like.compress(given, tf.cast(value, tf.int32)), 0.0),
    ],
)
def test_the_neutral_draw_of_each_change_is_the_identity(change, neutral):
    np.testing.assert_allclose(change(images(), tf.fill([COUNT], neutral)), images(), atol=1e-6)


def test_draws_fill_their_ranges_as_often_as_they_should():
    many = {name: value.numpy() for name, value in photo_like.sample(4000, (5, 6), resolution=8).items()}
    assert many["style"].min() == -1 and 0.99 < many["style"].max() < 1
    chosen = {
        "style": many["style"] >= 0,
        "mirrored": many["mirrored"],
        "blur": many["blur"] > 0,
        "shrink": many["shrink"] < 1,
        "sharpen": many["sharpen"] > 0,
        "quality": many["quality"] > 0,
        "object_transform": (many["object_transform"] != photo_like._IDENTITY).any(axis=1),
        "displacement": many["displacement"].any(axis=(1, 2, 3)),
    }
    shares = {name: values.mean() for name, values in chosen.items()}
    expected = dict(zip(chosen, (0.5, 0.5, 0.5, 0.15, 0.1, 0.5, 0.7, 0.7), strict=True))
    assert shares == pytest.approx(expected, abs=0.03)
    assert sum(chosen[name].astype(int) for name in ("blur", "shrink", "sharpen")).max() == 1
    for name, low, high in (("blur", 0.3, 1.2), ("shrink", 0.375, 0.875), ("sharpen", 0.3, 1.2), ("quality", 40, 95)):
        values = many[name][chosen[name]]
        assert low <= values.min() < low + 0.02 and high - 0.02 < values.max() <= high
    # Noise has a standard deviation of 0 to 8 grey levels, so 4 grey levels on average. In images from -1 to 1, this is
    # 4 / 127.5.
    assert many["noise"].std(axis=(1, 2, 3)).mean() == pytest.approx(4 / 127.5, rel=0.05)
    knots = many["displacement"][chosen["displacement"]]
    # The standard deviation is smaller between the knots than at the knots, and larger outside the grid of knots.
    assert knots.std() == pytest.approx(0.047 * 8, rel=0.2)


def test_exchanged_backgrounds_are_never_their_own(monkeypatch):
    monkeypatch.setattr(photo_like, "EXCHANGED", 1.0)
    given = {"z": tf.range(COUNT), "window": 10 * tf.range(COUNT), "c": tf.range(COUNT)}
    results = [photo_like.exchange_backgrounds(given, tf.constant((1, i), tf.int64)) for i in range(50)]
    partners = np.stack([result["z"] for result in results])
    assert not (partners == np.arange(COUNT)).any()
    # Each pair gets the background of every other pair at least once.
    assert all(len(set(column)) == COUNT - 1 for column in partners.T)
    np.testing.assert_array_equal(np.stack([result["window"] for result in results]), 10 * partners)
    np.testing.assert_array_equal(results[0]["c"], given["c"])


def test_a_batch_of_one_pair_keeps_its_background(monkeypatch):
    monkeypatch.setattr(photo_like, "EXCHANGED", 1.0)
    given = {"z": tf.constant([7]), "window": tf.constant([[1, 2]])}
    tf.nest.map_structure(np.testing.assert_array_equal, given, photo_like.exchange_backgrounds(given, SEED))


def test_image_and_mask_move_together(monkeypatch):
    """The object is white and the background is black, so the image must equal the mask."""
    mask = np.zeros((COUNT, WIDTH, WIDTH, 1), np.float32)
    mask[:, 4:10, 5:13] = 1
    white = tf.ones([COUNT, WIDTH, WIDTH, 3])
    for name in ("RECOLOURED", "BLURRED", "SHRUNK", "SHARPENED", "COMPRESSED"):
        monkeypatch.setattr(photo_like, name, 0.0)
    monkeypatch.setattr(photo_like, "NOISE", (0.0, 0.0))
    maker = photo_like.PhotoLike(statistics(), perturbation.warp, compress=True)
    pair = maker({"background": -white, "foreground": white, "mask": mask}, {"photo_like": draws()})
    assert not np.array_equal(pair["mask"], mask)
    # At the border of its layer, a bent object is mixed with black, and its mask is mixed with 0.
    shown, certain = pair["image"].numpy()[..., :1] > 0, np.abs(pair["image"].numpy()[..., :1]) > 0.5
    np.testing.assert_array_equal(shown[certain], pair["mask"].numpy()[certain] > 0)


def test_flip_mirrors_left_to_right():
    flipped = photo_like.flip(images(), tf.constant([True, False] * 3))
    np.testing.assert_array_equal(flipped[::2], images()[::2, :, ::-1])
    np.testing.assert_array_equal(flipped[1::2], images()[1::2])


def test_transferred_colours_have_the_mean_and_the_spread_of_the_photo():
    given = images(most=0.3)
    # There are two photos. Values from 0 to 0.5 select the first, and values from 0.5 to 1 the second.
    result = photo_like.transfer_colors(given, statistics(), tf.constant([0.0, 0.49, 0.5, 0.99, -1.0, -1.0]))
    yiq = result.numpy() @ RGB_TO_YIQ.T
    for i, photo in enumerate((0, 0, 1, 1)):
        np.testing.assert_allclose(yiq[i].mean(axis=(0, 1)), statistics()[photo, 0], atol=0.02)
        np.testing.assert_allclose(yiq[i].std(axis=(0, 1)), statistics()[photo, 1], atol=0.02)
    np.testing.assert_array_equal(result[4:], given[4:])


def test_a_flat_image_gets_the_mean_colour():
    result = photo_like.transfer_colors(tf.zeros([1, 4, 4, 3]), statistics(), tf.zeros([1]))
    np.testing.assert_allclose(result[0, 0, 0].numpy() @ RGB_TO_YIQ.T, statistics()[0, 0], atol=1e-5)


def test_colour_statistics_are_the_mean_and_the_spread_of_each_photo():
    photos = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), np.uint8)
    found = photo_like.color_statistics(photos)
    assert found.shape == (3, 2, 3) and found.dtype == np.float32
    for row, photo in zip(found, photos, strict=True):
        yiq = (photo / 127.5 - 1) @ RGB_TO_YIQ.T
        np.testing.assert_allclose(row, [yiq.mean(axis=(0, 1)), yiq.std(axis=(0, 1))], atol=1e-5)


def test_blur_spreads_a_point_as_a_gaussian():
    point = np.zeros((2, 15, 15, 1), np.float32)
    point[:, 7, 7] = 1
    blurred = photo_like.blur(tf.constant(point), tf.constant([1.0, 0.5])).numpy()
    # At a distance of one pixel, the relative weight is exp(-1/2) for the standard deviation 1. It is exp(-2) for the
    # standard deviation 1/2. The sum of all weights is 1.
    assert blurred[0, 7, 8, 0] / blurred[0, 7, 7, 0] == pytest.approx(np.exp(-0.5), rel=1e-4)
    assert blurred[1, 8, 7, 0] / blurred[1, 7, 7, 0] == pytest.approx(np.exp(-2.0), rel=1e-4)
    np.testing.assert_allclose(blurred.sum(axis=(1, 2, 3)), 1, rtol=1e-4)


def test_shrink_equals_two_antialiased_resizes():
    fractions = tf.constant([0.5, 0.75])
    shrunk = photo_like.shrink(images(2), fractions)
    for image, result, size in zip(images(2), shrunk, (8, 12), strict=True):
        smaller = tf.image.resize(image, [size, size], antialias=True)
        np.testing.assert_allclose(result, tf.image.resize(smaller, [WIDTH, WIDTH]), atol=1e-5)


def test_sharpen_doubles_the_difference_from_the_blurred_image():
    given, sigma = images(most=0.2), tf.fill([COUNT], 0.7)
    np.testing.assert_allclose(photo_like.sharpen(given, sigma), 2 * given - photo_like.blur(given, sigma), atol=1e-6)


def test_compress_is_a_jpeg_file_of_each_quality():
    given = tf.round((images(2) + 1) * 127.5)
    result = photo_like.compress(given / 127.5 - 1, tf.constant([40, 95]))
    for image, compressed, quality in zip(given.numpy(), result, (40, 95), strict=True):
        buffer = io.BytesIO()
        Image.fromarray(image.astype(np.uint8)).save(buffer, "JPEG", quality=quality)
        np.testing.assert_allclose((compressed + 1) * 127.5, np.asarray(Image.open(buffer)), atol=12)
    assert not np.allclose(result[0], given[0] / 127.5 - 1, atol=0.1)
