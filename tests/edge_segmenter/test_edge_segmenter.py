"""The class that segments pictures at the edge, with a model whose foreground is what is bright."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from edge_command import RESOLUTION, bright_network
from PIL import Image

from edge_segmenter import Segmenter, results
from edge_segmenter.model import open_model
from export.serving.probabilities import serving_model
from export.tflite.convert import to_tflite_float32, to_tflite_int8
from export.tflite.signatures import add_signatures
from tf_layered_gan.models.networks.separable_unet import separable_unet
from tf_layered_gan.models.networks.unet import unet

# Grey 130 is x = 130 / 127.5 - 1 = 0.019608; logit 12 x = 0.235294; sigmoid 0.558554.
GREY, PROBABILITY = (130, 130, 130), 0.558554


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "bright.tflite"
    path.write_bytes(to_tflite_float32(bright_network()))
    return path


@pytest.fixture(scope="module")
def segmenter(model):
    return Segmenter(model, threads=2)


def converted(optimizations=(), types=()):
    converter = tf.lite.TFLiteConverter.from_keras_model(serving_model(bright_network(), batch_size=1))
    converter.optimizations = list(optimizations)
    converter.target_spec.supported_types = list(types)
    return converter.convert()


MODELS = {
    "float32": lambda: to_tflite_float32(bright_network()),
    "float16": lambda: converted([tf.lite.Optimize.DEFAULT], [tf.float16]),
    "dynamic": lambda: converted([tf.lite.Optimize.DEFAULT]),
    "int8": lambda: to_tflite_int8(
        bright_network(),
        np.arange(256, dtype="uint8").repeat(RESOLUTION**2 * 3).reshape(256, RESOLUTION, RESOLUTION, 3),
    ),
}


@pytest.mark.parametrize("kind", MODELS)
def test_probability_has_the_size_of_the_picture_whatever_the_model_counts_in(tmp_path, kind):
    (tmp_path / "model.tflite").write_bytes(MODELS[kind]())
    probability = Segmenter(tmp_path / "model.tflite").probability(Image.new("RGB", (40, 20), GREY))
    assert probability.shape == (20, 40) and probability.dtype == np.float32
    np.testing.assert_allclose(probability, PROBABILITY, atol={"int8": 0.02, "dynamic": 0.01}.get(kind, 1e-3))


class Family(tf.Module):
    """What `bright_network` computes, without its variables, and a second signature, which gives something else."""

    @tf.function(input_signature=[tf.TensorSpec((1, RESOLUTION, RESOLUTION, 3), tf.uint8)])
    def fixed(self, image):
        logits = 4 * tf.reduce_sum(tf.cast(image, tf.float32) / 127.5 - 1, -1, keepdims=True)
        return {"probability": tf.sigmoid(logits)}

    @tf.function(input_signature=[tf.TensorSpec((1, None, None, 3), tf.uint8)])
    def any_size(self, image):
        return {"mask": image[..., :1]}


def write_family(path, fixed, any_size):
    """Writes a model of two signatures by these names, of which the converter puts the lower one first."""
    family = Family()
    signatures = {fixed: family.fixed, any_size: family.any_size}
    tf.saved_model.save(family, path / "saved", signatures=signatures)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(path / "saved"), signature_keys=list(signatures))
    (path / "model.tflite").write_bytes(converter.convert())
    return path / "model.tflite"


def test_of_several_signatures_the_first_is_taken(tmp_path):
    model = write_family(tmp_path, "a", "b")
    assert set(open_model(model).get_signature_list()) == {"a", "b"}
    probability = Segmenter(model).probability(Image.new("RGB", (40, 20), GREY))
    np.testing.assert_allclose(probability, np.full((20, 40), PROBABILITY), atol=1e-4)


def test_a_model_that_takes_any_size_first_is_not_taken_for_one_of_a_single_pixel(tmp_path):
    with pytest.raises(ValueError, match=r"is no segmenter: .* got uint8 \(1, -1, -1, 3\)"):
        Segmenter(write_family(tmp_path, "b", "a"))


def test_a_picture_may_be_a_path_or_an_array(segmenter, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 40, 3), "uint8")
    Image.fromarray(pixels).save(tmp_path / "a.png")
    for_array = segmenter.probability(pixels)
    for picture in (Image.fromarray(pixels), tmp_path / "a.png", str(tmp_path / "a.png")):
        np.testing.assert_array_equal(segmenter.probability(picture), for_array)


@pytest.mark.parametrize(
    "picture, got",
    [
        (Image.new("L", (4, 4)), "mode L"),
        (np.zeros((4, 4, 4), "uint8"), r"uint8 \[4, 4, 4\]"),
        (np.zeros((4, 4, 3), "float32"), r"float32 \[4, 4, 3\]"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_picture_is_named(segmenter, picture, got):
    with pytest.raises(ValueError, match=f"a picture must be .* got {got}"):
        segmenter.probability(picture)


def test_several_pictures_are_read_no_further_than_is_asked(segmenter):
    pictures = [Image.new("RGB", size, GREY) for size in ((40, 20), (20, 40))]
    assert [found.shape for found in segmenter.probabilities(pictures)] == [(20, 40), (40, 20)]
    endless = iter(lambda: pictures[0], None)
    np.testing.assert_allclose(next(segmenter.probabilities(endless)), PROBABILITY, atol=1e-4)


@pytest.mark.parametrize("build", [separable_unet, unet])
@pytest.mark.parametrize("convert", [to_tflite_float32, lambda network: to_tflite_int8(network, noise(4))])
def test_pictures_in_one_call_are_found_what_they_are_alone(tmp_path, build, convert):
    (tmp_path / "model.tflite").write_bytes(add_signatures(convert(build(RESOLUTION, 4, 2))))
    segmenter, pictures = Segmenter(tmp_path / "model.tflite"), list(noise(5, seed=1))
    pictures[3] = pictures[3][:7]
    alone = [segmenter.probability(picture) for picture in pictures]
    together = list(segmenter.probabilities(pictures, batch=2))  # two, two and one
    assert len(together) == 5 and np.std(alone[0]) > 0
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def noise(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, RESOLUTION, RESOLUTION, 3), "uint8")


def test_a_call_has_as_many_pictures_as_asked_for(model):
    segmenter, sizes = Segmenter(model), []
    predict = segmenter.predict
    segmenter.predict = lambda pixels: sizes.append(len(pixels)) or predict(pixels)
    list(segmenter.probabilities(noise(7), batch=3))
    assert sizes == [3, 3, 1]
    with pytest.raises(ValueError, match="batch must be 1 or more, got 0"):
        segmenter.probabilities(noise(1), batch=0)


def test_mask_and_cutout(segmenter):
    picture = Image.new("RGB", (40, 20), GREY)
    assert np.asarray(segmenter.mask(picture)).tolist() == [[255] * 40] * 20
    assert np.asarray(segmenter.mask(picture, threshold=0.6)).max() == 0
    assert segmenter.cutout(picture).getcolors() == [(800, (*GREY, 142))]  # 0.558554 * 255 = 142.4
    assert picture.mode == "RGB"  # the picture itself is left as it was
    with pytest.raises(ValueError, match=r"threshold must lie in \[0, 1\], got 2"):
        segmenter.mask(picture, threshold=2)


def test_blur_leaves_the_foreground_and_takes_nothing_from_it(segmenter):
    # The left half black background with a grey column, the right half white foreground.
    pixels = np.zeros((32, 64, 3), "uint8")
    pixels[:, 8:12] = 100
    pixels[:, 32:] = 255
    probability = np.zeros((32, 64), "float32")
    probability[:, 32:] = 1
    result = np.asarray(results.blurred(Image.fromarray(pixels), probability, radius=4)).astype(int)
    assert (result[:, 32:] == 255).all()
    assert 5 < result[16, 10, 0] < 60 and result[16, 4, 0] > 5  # the column is spread
    assert (result[:, 28:32] < 3).all()  # no halo of the white beside it; a blur of all would give 100 and more
    found = segmenter.blurred(Image.fromarray(pixels), radius=4)
    assert (found.mode, found.size) == ("RGB", (64, 32)) and np.asarray(found)[:, 40:].min() == 255


def test_blur_of_no_radius_is_the_picture():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), "uint8")
    for probability in (0, 1):
        blurred = results.blurred(Image.fromarray(pixels), np.full((8, 8), probability, "float32"), radius=0)
        np.testing.assert_array_equal(np.asarray(blurred), pixels)


def test_refuses_no_threads(model):
    with pytest.raises(ValueError, match="threads must be 1 or more, got 0"):
        Segmenter(model, threads=0)


def test_a_model_of_float_input_is_refused(tmp_path):
    converter = tf.lite.TFLiteConverter.from_keras_model(
        keras.Sequential([keras.Input((16, 16, 3), batch_size=1), keras.layers.Conv2D(1, 1)])
    )
    (tmp_path / "float.tflite").write_bytes(converter.convert())
    with pytest.raises(ValueError, match=r"float.tflite is no segmenter: .* got float32 \(1, 16, 16, 3\)"):
        Segmenter(tmp_path / "float.tflite")
