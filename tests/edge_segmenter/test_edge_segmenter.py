"""Tests of the class Segmenter, with a model that marks all bright pixels as foreground."""

import copy
import pickle
from multiprocessing.pool import ThreadPool

import keras
import numpy as np
import pytest
import tensorflow as tf
from edge_command import RESOLUTION, bright_network
from PIL import Image

from edge_segmenter import Segmenter, results
from edge_segmenter.fit import to_square
from edge_segmenter.sharpening import sharpen
from export.documentation.metadata import add_metadata
from export.tflite.convert import to_tflite_dynamic, to_tflite_float16, to_tflite_float32, to_tflite_int8
from export.tflite.signatures import add_signatures
from tf_layered_gan.models.networks.separable_unet import separable_unet
from tf_layered_gan.models.networks.unet import unet

# Grey 130 becomes x = 130 / 127.5 - 1 = 0.019608. The logit is 12 x = 0.235294, and its sigmoid is 0.558554.
GREY, PROBABILITY = (130, 130, 130), 0.558554


@pytest.fixture(scope="module")
def segmenter(model):
    return Segmenter(model, threads=2)


def to_int8(network):
    greys = np.arange(256, dtype="uint8").repeat(RESOLUTION**2 * 3)
    return to_tflite_int8(network, greys.reshape(256, RESOLUTION, RESOLUTION, 3))


@pytest.mark.parametrize(
    "convert, tolerance",
    [(to_tflite_float32, 1e-3), (to_tflite_float16, 1e-3), (to_tflite_dynamic, 0.01), (to_int8, 0.02)],
)
def test_probability_has_the_size_of_the_image_for_every_format(tmp_path, convert, tolerance):
    (tmp_path / "model.tflite").write_bytes(convert(bright_network()))
    probability = Segmenter(tmp_path / "model.tflite").probability(Image.new("RGB", (40, 20), GREY))
    assert probability.shape == (20, 40) and probability.dtype == np.float32
    np.testing.assert_allclose(probability, PROBABILITY, atol=tolerance)


@pytest.mark.parametrize("fit, used", [("crop", "pad"), ("squeeze", "squeeze"), ("pad", "pad"), (None, "pad")])
def test_the_model_sees_the_fit_that_its_file_says(tmp_path, fit, used):
    content = to_tflite_float32(bright_network())
    content = add_metadata(content, {"training": {"fit": fit}}) if fit else content
    (tmp_path / "model.tflite").write_bytes(content)
    segmenter, seen = Segmenter(tmp_path / "model.tflite"), []
    predict = segmenter.predict
    segmenter.predict = lambda pixels: seen.append(pixels[0]) or predict(pixels)
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), "uint8")
    assert segmenter.probability(pixels).shape == (30, 40)
    np.testing.assert_array_equal(seen[0], to_square(Image.fromarray(pixels), RESOLUTION, used)[0])


def test_unknown_fit_is_refused(tmp_path):
    content = add_metadata(to_tflite_float32(bright_network()), {"training": {"fit": "stretch"}})
    (tmp_path / "model.tflite").write_bytes(content)
    with pytest.raises(ValueError, match="the fit is 'stretch', allowed: crop, squeeze, pad"):
        Segmenter(tmp_path / "model.tflite")


def test_an_image_may_be_a_path_or_an_array(segmenter, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 40, 3), "uint8")
    Image.fromarray(pixels).save(tmp_path / "a.png")
    for_array = segmenter.probability(pixels)
    for image in (Image.fromarray(pixels), tmp_path / "a.png", str(tmp_path / "a.png")):
        np.testing.assert_array_equal(segmenter.probability(image), for_array)


@pytest.mark.parametrize(
    "image, got",
    [
        (Image.new("L", (4, 4)), "of mode L, 4 x 4"),
        (Image.new("RGB", (0, 4)), "of mode RGB, 0 x 4"),
        (np.zeros((0, 0, 3), "uint8"), r"uint8 \[0, 0, 3\]"),
        (np.zeros((5, 0, 3), "uint8"), r"uint8 \[5, 0, 3\]"),
        (np.zeros((4, 4, 4), "uint8"), r"uint8 \[4, 4, 4\]"),
        (np.zeros((4, 4, 3), "float32"), r"float32 \[4, 4, 3\]"),
        (None, "a NoneType"),
    ],
)
def test_other_values_are_refused(segmenter, image, got):
    with pytest.raises(ValueError, match=f"the image is {got}, allowed: a path"):
        segmenter.probability(image)


def test_images_are_read_only_as_far_as_needed(segmenter):
    images = [Image.new("RGB", size, GREY) for size in ((40, 20), (20, 40))]
    assert [found.shape for found in segmenter.probabilities(images)] == [(20, 40), (40, 20)]
    endless = iter(lambda: images[0], None)
    np.testing.assert_allclose(next(segmenter.probabilities(endless)), PROBABILITY, atol=1e-4)


@pytest.mark.parametrize(
    "build, convert",
    [(unet, to_tflite_float32), (separable_unet, lambda network: to_tflite_int8(network, noise(4)))],
)
def test_images_in_one_call_have_the_same_masks_as_alone(tmp_path, build, convert):
    keras.utils.set_random_seed(0)
    (tmp_path / "model.tflite").write_bytes(add_signatures(convert(build(RESOLUTION, 4, 1)), "pad"))
    segmenter, images = Segmenter(tmp_path / "model.tflite"), list(noise(5, seed=1))
    images[3] = images[3][:7]
    alone = [segmenter.probability(image) for image in images]
    together = list(segmenter.probabilities(images, batch=2))  # batches of two, two and one
    assert len(together) == 5 and np.std(alone[0]) > 0
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def noise(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, RESOLUTION, RESOLUTION, 3), "uint8")


def test_a_call_has_as_many_images_as_asked_for(model):
    segmenter, sizes = Segmenter(model), []
    predict = segmenter.predict
    segmenter.predict = lambda pixels: sizes.append(len(pixels)) or predict(pixels)
    list(segmenter.probabilities(noise(7), batch=3))
    assert sizes == [3, 3, 1]
    with pytest.raises(ValueError, match="batch is 0, allowed: 1 or more"):
        segmenter.probabilities(noise(1), batch=0)


def test_mask_and_cutout(segmenter):
    image = Image.new("RGB", (40, 20), GREY)
    assert np.asarray(segmenter.mask(image)).tolist() == [[255] * 40] * 20
    assert np.asarray(segmenter.mask(image, threshold=0.6)).max() == 0
    assert segmenter.cutout(image).getcolors() == [(800, (*GREY, 142))]  # 0.558554 * 255 = 142.4
    assert image.mode == "RGB"  # the image itself is unchanged
    with pytest.raises(ValueError, match=r"threshold is 2, allowed: 0 to 1"):
        segmenter.mask(image, threshold=2)


def test_a_probability_is_sharpened_by_its_image_on_request(model):
    image = noise(1)[0]
    plain, sharpened = (Segmenter(model, sharpened=wanted).probability(image) for wanted in (False, True))
    np.testing.assert_array_equal(sharpened, sharpen(image, plain))
    assert np.abs(sharpened - plain).max() > 0.1


def test_an_open_photo_is_turned_upright_like_its_file(segmenter, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise(1)[0][:, :8]).save(tmp_path / "phone.jpg", exif=exif)
    with Image.open(tmp_path / "phone.jpg") as photo:
        cutout = segmenter.cutout(photo)
    assert cutout.size == (RESOLUTION, 8)
    np.testing.assert_array_equal(cutout, segmenter.cutout(tmp_path / "phone.jpg"))


def test_what_was_cut_out_is_not_left_in_the_file():
    image, probability = Image.fromarray(noise(1)[0]), np.zeros((RESOLUTION, RESOLUTION), "float32")
    probability[:, 8:] = 0.5
    cutout = np.asarray(results.cutout(image, probability))
    assert not cutout[:, :8].any() and (cutout[:, 8:, :3] == np.asarray(image)[:, 8:]).all()


def test_a_segmenter_can_be_given_to_another_process(model):
    segmenter = Segmenter(model, sharpened=True)
    for other in (pickle.loads(pickle.dumps(segmenter)), copy.deepcopy(segmenter)):
        np.testing.assert_array_equal(other.probability(noise(1)[0]), segmenter.probability(noise(1)[0]))
        assert other.predict is not segmenter.predict


@pytest.mark.parametrize("name", [b"mod\350les".decode("utf-8", "surrogateescape"), "a:b,c;d%20e 🦜"], ids=ascii)
def test_a_model_may_lie_anywhere_and_be_replaced_while_it_is_used(model, tmp_path, name):
    file = tmp_path / name
    file.write_bytes(model.read_bytes())
    segmenter = Segmenter(file)
    before = segmenter.probability(noise(1)[0])
    file.write_bytes(b"")  # if the file were memory-mapped, the process would now crash
    assert all((found == before).all() for found in segmenter.probabilities([noise(1)[0]] * 3, batch=3))


@pytest.mark.parametrize("threads", [0, 100_000, 2**31])
def test_a_number_of_threads_beyond_reason_is_refused(model, threads):
    with pytest.raises(ValueError, match=f"threads is {threads}, allowed: 1 to 1024"):
        Segmenter(model, threads)


def test_threads_may_share_a_segmenter(model):
    segmenter, greys = Segmenter(model), [Image.new("RGB", (40, 20), (grey,) * 3) for grey in range(100, 140)]
    alone = [segmenter.probability(image) for image in greys]
    with ThreadPool(8) as pool:
        for found, expected in zip(pool.map(segmenter.probability, greys * 5, chunksize=1), alone * 5, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_transparent_pixels_are_background_and_stay_transparent(segmenter, tmp_path):
    # The image is white, so it is foreground. Its left half is transparent. Its middle column is half transparent and
    # grey.
    pixels = np.full((20, 40, 4), 255, "uint8")
    pixels[:, :20, 3] = 0
    pixels[:, 20] = 200, 200, 200, 128
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert (np.asarray(segmenter.mask(tmp_path / "a.png"))[:, :20] == 0).all()
    cutout = np.asarray(segmenter.cutout(tmp_path / "a.png")).astype(int)
    assert (cutout[:, :20, 3] == 0).all() and (cutout[:, 21:, 3] == 255).all()
    assert abs(cutout[:, 20] - (200, 200, 200, 128)).max() <= 2  # the white behind the transparent pixels is removed


def test_blur_leaves_the_foreground_and_has_no_halo(segmenter):
    # The left half is black background with a grey column. The right half is white foreground.
    pixels = np.zeros((32, 64, 3), "uint8")
    pixels[:, 8:12] = 100
    pixels[:, 32:] = 255
    probability = np.zeros((32, 64), "float32")
    probability[:, 32:] = 1
    result = np.asarray(results.blurred(Image.fromarray(pixels), probability, radius=4)).astype(int)
    assert (result[:, 32:] == 255).all()
    assert 5 < result[16, 10, 0] < 60 and result[16, 4, 0] > 5  # the blur spreads the grey column
    assert (result[:, 28:32] < 3).all()  # a halo of the white foreground would give 100 and more
    found = segmenter.blurred(Image.fromarray(pixels), radius=4)
    assert (found.mode, found.size) == ("RGB", (64, 32)) and np.asarray(found)[:, 40:].min() == 255


def test_blur_of_radius_0_is_the_image():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), "uint8")
    for probability in (0, 1):
        blurred = results.blurred(Image.fromarray(pixels), np.full((8, 8), probability, "float32"), radius=0)
        np.testing.assert_array_equal(np.asarray(blurred), pixels)


@pytest.mark.parametrize(
    "side, dtype, tensors", [(16, "float32", r"float32 \(1, 16, 16, 3\)"), (None, "uint8", r"uint8 \(1, -1, -1, 3\)")]
)
def test_a_model_of_float_input_or_any_size_is_refused(tmp_path, side, dtype, tensors):
    image = keras.Input((side, side, 3), batch_size=1, dtype=dtype)
    network = keras.Model(image, keras.layers.Conv2D(1, 1)(keras.layers.Rescaling(1 / 255)(image)))
    (tmp_path / "model.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(network).convert())
    with pytest.raises(ValueError, match=f"model.tflite is not a segmenter: its tensors are {tensors}"):
        Segmenter(tmp_path / "model.tflite")
