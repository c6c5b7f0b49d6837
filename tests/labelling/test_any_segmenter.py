import numpy as np
import pytest
import tensorflow as tf
from edge_command import bright_network
from model_files import write_model

from export.documentation.metadata import add_metadata, fit_of_segmenter, write_savedmodel_metadata
from export.serving.savedmodel import write_savedmodel
from export.tflite.convert import to_tflite_float32
from tf_layered_gan.labelling.any_segmenter import load_segmenter

IMAGE = np.full((8, 8, 3), 51, np.uint8)  # a fifth of 255
FORMATS = pytest.mark.parametrize("name", ["model", "model.tflite"])


def test_exported_formats_agree(tmp_path):
    network = bright_network()
    write_savedmodel(network, tmp_path / "saved_model", "pad")
    (tmp_path / "segmenter.tflite").write_bytes(to_tflite_float32(network))
    # The pixels are nearly middle grey, because the masks of such pixels are uncertain.
    image = np.random.default_rng(0).integers(112, 144, (16, 16, 3), np.uint8)
    (one, saved_model), (other, tflite) = (load_segmenter(tmp_path / n) for n in ("saved_model", "segmenter.tflite"))
    assert one == other == 16
    np.testing.assert_allclose(saved_model(image), tflite(image), atol=1e-5)


@pytest.mark.parametrize("fit, used", [("crop", "pad"), ("squeeze", "squeeze"), (None, "pad")])
def test_exported_formats_say_their_fit(tmp_path, fit, used):
    facts, network = {"training": {"fit": fit} if fit else {}}, bright_network()
    (tmp_path / "saved_model").mkdir()
    write_savedmodel_metadata(tmp_path / "saved_model", facts)
    (tmp_path / "segmenter.tflite").write_bytes(add_metadata(to_tflite_float32(network), facts))
    assert {fit_of_segmenter(tmp_path / name) for name in ("saved_model", "segmenter.tflite")} == {used}


def test_other_models_see_padded_photos(tmp_path):
    (tmp_path / "model.tflite").write_bytes(to_tflite_float32(bright_network()))
    assert fit_of_segmenter(tmp_path / "model.tflite") == fit_of_segmenter(tmp_path) == "pad"


def test_folder_without_a_savedmodel_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is not a SavedModel with a signature serving_default"):
        load_segmenter(tmp_path)


def test_logits_of_one_channel_go_through_a_sigmoid(tmp_path):
    # With the input range from -2 to 3, the pixel value 51 becomes -1. The sigmoid of -1 is 1 / (1 + e).
    model = write_model(tmp_path / "model.tflite", lambda x: x[..., :1])
    for channel in (None, 0):
        resolution, predict = load_segmenter(model, input_range=(-2, 3), logits=True, channel=channel)
        assert resolution == 8
        probability = predict(IMAGE)
        assert probability.shape == (8, 8) and probability.dtype == np.float32
        np.testing.assert_allclose(probability, 1 / (1 + np.e), rtol=1e-5)


def test_logits_of_several_channels_go_through_a_softmax(tmp_path):
    # The pixel value 51 becomes -1, so the logits are -1000, -3 and -1. The first logit is negligible. So the
    # probability of the second channel is e^-3 / (e^-3 + e^-1) = 1 / (1 + e^2).
    model = write_model(tmp_path / "model.tflite", lambda x: x * tf.constant([1000.0, 3.0, 1.0]))
    for channel, expected in ((0, 0), (1, 1 / (1 + np.e**2)), (2, 1 / (1 + np.e**-2))):
        probability = load_segmenter(model, input_range=(-2, 3), logits=True, channel=channel)[1](IMAGE)
        assert probability.shape == (8, 8) and probability.dtype == np.float32
        np.testing.assert_allclose(probability, expected, rtol=1e-5)


@pytest.fixture(scope="module", params=["model", "model.tflite"])
def two_channels(request, tmp_path_factory):
    """A model that returns two channels: the first input channel times 10, and the second input channel unchanged."""
    path = tmp_path_factory.mktemp("two_channels") / request.param
    return write_model(path, lambda x: x[..., :2] * tf.constant([10.0, 1.0]))


@pytest.mark.parametrize(
    "settings, message",
    [
        (
            {},
            r"is float32 \[1, 8, 8, 3\] with no size, allowed: uint8 \[batch, R, R, 3\], or float32 if inp",
        ),
        (
            {"input_range": (0, 1), "size": 16},
            r"is float32 \[1, 8, 8, 3\] with size 16, allowed: .* if R is None",
        ),
        ({"input_range": (1, 0)}, r"input_range is \(1, 0\), allowed: LOW,HIGH with LOW less than HIGH"),
        ({"input_range": (0, 1)}, r"is \[1, 8, 8, 2\] with no channel, allowed: \[1, 8, 8, 1\], or N channels"),
        ({"input_range": (0, 1), "channel": 2}, r"is \[1, 8, 8, 2\] with channel 2, allowed: .* from 0 to N - 1"),
        ({"input_range": (0, 1), "channel": -1}, "with channel -1"),
        (
            {"input_range": (0, 1), "channel": 0},
            "output of .* has values from 2 to 2, allowed: probabilities from 0 to 1, or log",
        ),
    ],
)
def test_settings_that_do_not_fit_the_model_are_refused(two_channels, settings, message):
    with pytest.raises(ValueError, match=message):
        load_segmenter(two_channels, **settings)[1](IMAGE)


@FORMATS
def test_output_of_another_resolution_is_refused(tmp_path, name):
    model = write_model(tmp_path / name, lambda x: x[:, :4, :4, :1])
    with pytest.raises(ValueError, match=r"is \[1, 4, 4, 1\] with no channel, allowed: \[1, 8, 8, 1\]"):
        load_segmenter(model, input_range=(0, 1))[1](IMAGE)


@FORMATS
@pytest.mark.parametrize("shape", [(None, None, None, 3), (1, None, 8, 3)])
def test_model_of_any_size_gets_the_size(tmp_path, name, shape):
    model = write_model(tmp_path / name, lambda x: x[..., 1:2], shape)
    resolution, predict = load_segmenter(model, size=8, input_range=(0, 1))
    assert resolution == 8
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    np.testing.assert_allclose(predict(image), image[..., 1] / 255, rtol=1e-5)


@FORMATS
def test_model_of_any_size_without_a_size_is_refused(tmp_path, name):
    model = write_model(tmp_path / name, lambda x: x[..., :1], (None, None, None, 3))
    for size in (None, 0, -1):
        given = "no size" if size is None else f"size {size}"
        message = rf"is float32 \[None, None, None, 3\] with {given}, allowed: .* size must be 1 or more"
        with pytest.raises(ValueError, match=message):
            load_segmenter(model, size=size, input_range=(0, 1))


@FORMATS
def test_error_names_the_size_at_which_the_model_fails(tmp_path, name):
    def halve_and_double(x):  # a side of 9 pixels becomes 10 pixels, so the addition fails
        return x[..., :1] + tf.repeat(tf.repeat(x[:, ::2, ::2, :1], 2, 1), 2, 2)

    model = write_model(tmp_path / name, halve_and_double, (1, None, None, 3))
    assert load_segmenter(model, size=8, input_range=(0, 0.5))[1](IMAGE).shape == (8, 8)
    with pytest.raises(ValueError, match=r"model(.tflite)? fails at \[1, 9, 9, 3\]: "):
        load_segmenter(model, size=9, input_range=(0, 0.5))[1](np.zeros((9, 9, 3), np.uint8))


@FORMATS
@pytest.mark.parametrize("dtype, axes", [(tf.int32, 3), (tf.int64, 4), (tf.uint8, 3)])
def test_map_of_class_ids(tmp_path, name, dtype, axes):
    # The class id is the pixel's green value, from 0 to 7.
    model = write_model(tmp_path / name, lambda x: tf.cast(x[..., 1] if axes == 3 else x[..., 1:2], dtype))
    image = np.zeros((8, 8, 3), np.uint8)
    image[..., 1] = np.arange(8)
    for channel in (0, 5, 9):
        foreground = load_segmenter(model, input_range=(0, 255), channel=channel)[1](image)
        assert foreground.dtype == np.float32
        np.testing.assert_array_equal(foreground, image[..., 1] == channel)


@FORMATS
def test_map_of_class_ids_without_the_foregrounds_is_refused(tmp_path, name):
    image = np.full((8, 8, 3), 5, np.uint8)
    for channels, message in (
        ([0], "has values from 5 to 5, allowed: probabilities from 0 to 1, or .* or class ids if channel is given"),
        (0, r"is \[1, 8, 8\] with no channel, allowed: .* or class ids \[1, 8, 8\] if channel is given"),
    ):
        model = write_model(tmp_path / name, lambda x, which=channels: tf.cast(tf.gather(x, which, axis=-1), tf.int32))
        with pytest.raises(ValueError, match=message):
            load_segmenter(model, input_range=(0, 255))[1](image)


@pytest.mark.parametrize("shape", [(1, 8, 4, 3), (1, 8, 8, 1), (1, 8, 8), (None, None, None, 1), (1, None, 4, 3), None])
def test_input_of_another_shape_is_refused(tmp_path, shape):
    model = write_model(tmp_path / "model", lambda x: x, shape)
    with pytest.raises(ValueError, match="is float32 .*, allowed: uint8"):
        load_segmenter(model, size=8 if shape and None in shape else None, input_range=(0, 1))


def test_savedmodel_that_writes_a_file_is_refused_before_it_is_loaded(tmp_path):
    def write(x):
        tf.io.write_file(str(tmp_path / "written"), "text")
        return x[..., :1]

    model = write_model(tmp_path / "model", write)
    with pytest.raises(ValueError, match="model has the operations WriteFile, allowed: operations that only compute"):
        load_segmenter(model, input_range=(0, 1))
    assert not (tmp_path / "written").exists()


def test_savedmodel_with_a_damaged_or_a_second_graph_is_refused(tmp_path):
    model = write_model(tmp_path / "model", lambda x: x[..., :1])
    (model / "saved_model.pbtxt").write_text("")
    with pytest.raises(ValueError, match="model is not a SavedModel"):
        load_segmenter(model, input_range=(0, 1))
    (model / "saved_model.pbtxt").unlink()
    (model / "saved_model.pb").write_bytes(b"no graph")
    with pytest.raises(ValueError, match="saved_model.pb is damaged"):
        load_segmenter(model, input_range=(0, 1))


def test_logits_that_are_not_finite_are_refused(tmp_path):
    model = write_model(tmp_path / "model", lambda x: x[..., :1] / 0.0)
    with pytest.raises(ValueError, match="has values from inf to inf, allowed: finite logits"):
        load_segmenter(model, input_range=(0, 1), logits=True)[1](IMAGE)


def test_several_outputs_are_refused(tmp_path):
    model = write_model(tmp_path / "model", lambda x: {"a": x, "b": x})
    with pytest.raises(ValueError, match="has 1 inputs and 2 outputs, allowed: one of each"):
        load_segmenter(model)
