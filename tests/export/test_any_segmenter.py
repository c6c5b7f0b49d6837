import numpy as np
import pytest
import tensorflow as tf
from edge_command import bright_network
from model_files import write_model

from export.any_segmenter import load_segmenter
from export.serving.savedmodel import write_savedmodel
from export.tflite.convert import to_tflite_float32

PICTURE = np.full((8, 8, 3), 51, np.uint8)  # a fifth of 255
FORMATS = pytest.mark.parametrize("name", ["model", "model.tflite"])


def test_formats_that_are_exported_agree(tmp_path):
    network = bright_network()
    write_savedmodel(network, tmp_path / "saved_model")
    (tmp_path / "segmenter.tflite").write_bytes(to_tflite_float32(network))
    picture = np.random.default_rng(0).integers(112, 144, (16, 16, 3), np.uint8)  # near grey, where it is in doubt
    (one, saved_model), (other, tflite) = (load_segmenter(tmp_path / n) for n in ("saved_model", "segmenter.tflite"))
    assert one == other == 16
    np.testing.assert_allclose(saved_model(picture), tflite(picture), atol=1e-5)


def test_folder_without_a_savedmodel_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is no SavedModel with a signature serving_default"):
        load_segmenter(tmp_path)


@FORMATS
def test_logits_of_one_channel_are_put_through_a_sigmoid(tmp_path, name):
    # Range -2 to 3: 51 is -1, whose sigmoid is 1 / (1 + e).
    model = write_model(tmp_path / name, lambda x: x[..., :1])
    for channel in (None, 0):
        resolution, predict = load_segmenter(model, input_range=(-2, 3), logits=True, channel=channel)
        assert resolution == 8
        probability = predict(PICTURE)
        assert probability.shape == (8, 8) and probability.dtype == np.float32
        np.testing.assert_allclose(probability, 1 / (1 + np.e), rtol=1e-5)


@FORMATS
def test_logits_of_several_channels_are_put_through_a_softmax_over_them(tmp_path, name):
    # 51 is -1; the channels' logits are -1000, -3 and -1: e^-3 / (e^-3 + e^-1) is 1 / (1 + e^2), the first is no rival.
    model = write_model(tmp_path / name, lambda x: x * tf.constant([1000.0, 3.0, 1.0]))
    for channel, expected in ((0, 0), (1, 1 / (1 + np.e**2)), (2, 1 / (1 + np.e**-2))):
        probability = load_segmenter(model, input_range=(-2, 3), logits=True, channel=channel)[1](PICTURE)
        assert probability.shape == (8, 8) and probability.dtype == np.float32
        np.testing.assert_allclose(probability, expected, rtol=1e-5)


@FORMATS
@pytest.mark.parametrize(
    "settings, message",
    [
        (
            {},
            r"takes float32 \[1, 8, 8, 3\] with no --size, allowed: uint8 \[batch, R, R, 3\], or float32 with --inp",
        ),
        (
            {"input_range": (0, 1), "size": 16},
            r"takes float32 \[1, 8, 8, 3\] with --size=16, allowed: .* where R is None",
        ),
        ({"input_range": (1, 0)}, r"--input_range is \(1, 0\), allowed: LOW,HIGH, LOW being less"),
        ({"input_range": (0, 1)}, r"gives \[1, 8, 8, 2\] with no --channel, allowed: \[1, 8, 8, 1\], or N channels"),
        ({"input_range": (0, 1), "channel": 2}, r"gives \[1, 8, 8, 2\] with --channel=2, allowed: .* from 0 to N - 1"),
        ({"input_range": (0, 1), "channel": -1}, "with --channel=-1"),
        ({"input_range": (0, 1), "channel": 0}, "gives values from 2 to 2, allowed: probabilities from 0 to 1, or log"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(tmp_path, name, settings, message):
    model = write_model(tmp_path / name, lambda x: x[..., :2] * tf.constant([10.0, 1.0]))
    with pytest.raises(ValueError, match=message):
        load_segmenter(model, **settings)[1](PICTURE)


@FORMATS
def test_another_resolution_out_is_refused(tmp_path, name):
    model = write_model(tmp_path / name, lambda x: x[:, :4, :4, :1])
    with pytest.raises(ValueError, match=r"gives \[1, 4, 4, 1\] with no --channel, allowed: \[1, 8, 8, 1\]"):
        load_segmenter(model, input_range=(0, 1))[1](PICTURE)


@FORMATS
@pytest.mark.parametrize("shape", [(None, None, None, 3), (1, None, 8, 3)])
def test_a_model_of_any_size_is_given_one(tmp_path, name, shape):
    model = write_model(tmp_path / name, lambda x: x[..., 1:2], shape)
    resolution, predict = load_segmenter(model, size=8, input_range=(0, 1))
    assert resolution == 8
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    np.testing.assert_allclose(predict(picture), picture[..., 1] / 255, rtol=1e-5)


@FORMATS
@pytest.mark.parametrize("size", [None, 0, -1])
def test_a_model_of_any_size_without_one_is_refused(tmp_path, name, size):
    model = write_model(tmp_path / name, lambda x: x[..., :1], (None, None, None, 3))
    message = rf"takes float32 \[None, None, None, 3\] with (no --size|--size={size}), allowed: .* --size from 1 on"
    with pytest.raises(ValueError, match=message):
        load_segmenter(model, size=size, input_range=(0, 1))


@FORMATS
def test_a_size_that_the_model_fails_at_is_named(tmp_path, name):
    def halve_and_double(x):  # which leaves 9 pixels at 10
        return x[..., :1] + tf.repeat(tf.repeat(x[:, ::2, ::2, :1], 2, 1), 2, 2)

    model = write_model(tmp_path / name, halve_and_double, (1, None, None, 3))
    assert load_segmenter(model, size=8, input_range=(0, 0.5))[1](PICTURE).shape == (8, 8)
    with pytest.raises(ValueError, match=r"model(.tflite)? fails at \[1, 9, 9, 3\]: "):
        load_segmenter(model, size=9, input_range=(0, 0.5))[1](np.zeros((9, 9, 3), np.uint8))


@FORMATS
@pytest.mark.parametrize("axes", [[0, 1, 2], [0, 1, 2, 3]])
@pytest.mark.parametrize("dtype", [tf.int32, tf.int64, tf.uint8])
def test_a_map_of_class_ids(tmp_path, name, axes, dtype):
    # The class is the pixel's green, which is 0 to 7.
    model = write_model(tmp_path / name, lambda x: tf.cast(x[..., 1] if len(axes) == 3 else x[..., 1:2], dtype))
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[..., 1] = np.arange(8)
    for channel in (0, 5, 9):
        foreground = load_segmenter(model, input_range=(0, 255), channel=channel)[1](picture)
        assert foreground.dtype == np.float32
        np.testing.assert_array_equal(foreground, picture[..., 1] == channel)


@FORMATS
def test_a_map_of_class_ids_of_which_none_is_named_is_refused(tmp_path, name):
    picture = np.full((8, 8, 3), 5, np.uint8)
    for channels, message in (
        ([0], "gives values from 5 to 5, allowed: probabilities from 0 to 1, or .* or class ids with --channel"),
        (0, r"gives \[1, 8, 8\] with no --channel, allowed: .* or class ids \[1, 8, 8\] with --channel"),
    ):
        model = write_model(tmp_path / name, lambda x, which=channels: tf.cast(tf.gather(x, which, axis=-1), tf.int32))
        with pytest.raises(ValueError, match=message):
            load_segmenter(model, input_range=(0, 255))[1](picture)


@pytest.mark.parametrize("shape", [(1, 8, 4, 3), (1, 8, 8, 1), (1, 8, 8), (None, None, None, 1), (1, None, 4, 3), None])
def test_pictures_of_another_shape_are_refused(tmp_path, shape):
    model = write_model(tmp_path / "model", lambda x: x, shape)
    with pytest.raises(ValueError, match="takes float32 .*, allowed: uint8"):
        load_segmenter(model, size=8 if shape and None in shape else None, input_range=(0, 1))


def test_a_savedmodel_that_writes_a_file_is_refused_before_it_is_loaded(tmp_path):
    def write(x):
        tf.io.write_file(str(tmp_path / "written"), "text")
        return x[..., :1]

    model = write_model(tmp_path / "model", write)
    with pytest.raises(ValueError, match="model has the operations WriteFile, allowed: those that only compute"):
        load_segmenter(model, input_range=(0, 1))
    assert not (tmp_path / "written").exists()


def test_a_savedmodel_whose_graph_is_damaged_or_twofold_is_refused(tmp_path):
    model = write_model(tmp_path / "model", lambda x: x[..., :1])
    (model / "saved_model.pbtxt").write_text("")
    with pytest.raises(ValueError, match="model is no SavedModel"):
        load_segmenter(model, input_range=(0, 1))
    (model / "saved_model.pbtxt").unlink()
    (model / "saved_model.pb").write_bytes(b"no graph")
    with pytest.raises(ValueError, match="saved_model.pb is damaged"):
        load_segmenter(model, input_range=(0, 1))


def test_logits_that_are_not_finite_are_refused(tmp_path):
    model = write_model(tmp_path / "model", lambda x: x[..., :1] / 0.0)
    with pytest.raises(ValueError, match="gives values from inf to inf, allowed: finite logits"):
        load_segmenter(model, input_range=(0, 1), logits=True)[1](PICTURE)


def test_several_outputs_are_refused(tmp_path):
    model = write_model(tmp_path / "model", lambda x: {"a": x, "b": x})
    with pytest.raises(ValueError, match="has 1 inputs and 2 outputs, allowed: one of each"):
        load_segmenter(model)
