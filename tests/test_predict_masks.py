import hashlib
import json
import subprocess

import archives
import numpy as np
import pytest
import tensorflow as tf
import tiny
from edge_command import bright_network
from PIL import Image

from configs import cars, cub
from export import mask_record
from export.predict_masks import load_segmenter, predict_masks
from export.savedmodel import write_savedmodel
from export.tflite import to_tflite_float32
from tf_layered_gan.data import datasets, folder


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A segmenter in both formats; its foreground is what is brighter than grey 5.

    4 (r + g + b) + 11.5 with colours in [-1, 1]: -12 + 11.5 at grey 0, 12 (10 / 127.5 - 1) + 11.5 = 0.44 at grey 10.
    """
    network, folder = bright_network(), tmp_path_factory.mktemp("models")
    network.layers[-1].bias.assign([11.5])
    write_savedmodel(network, folder / "saved_model")
    (folder / "segmenter.tflite").write_bytes(to_tflite_float32(network))
    return folder


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A folder with the cars, prepared; car n has the grey 10 n."""
    path = tmp_path_factory.mktemp("tfds")
    with pytest.MonkeyPatch.context() as patch:
        archives.write("cars", path, patch)
        datasets.load("cars", path=path, holdout=2, resolution=8, storage_size=8)
    return path


def config(path, masks, module=cars):
    config = module.get_config()
    config.data.update({"path": str(path), "masks": str(masks) if masks else None, "holdout": 2})
    return config


@pytest.mark.parametrize("name", ["saved_model", "segmenter.tflite"])
def test_masks_are_those_that_the_dataset_takes(models, path, tmp_path, name):
    assert predict_masks(config(path, tmp_path), models / name) == 4  # 2 for validation, 2 for test
    splits = datasets.load("cars", path=path, holdout=2, resolution=8, storage_size=8, masks=tmp_path)
    for photos in (splits.validation, splits.test):
        expected = photos.images[..., 0] > 5
        assert photos.masks.tolist() == expected.tolist()
    assert splits.test.masks.min() == 0 and splits.test.masks.max() == 1
    with Image.open(tmp_path / "cars_test" / "00002.png") as mask:
        assert mask.size == (30, 20) and mask.getextrema() == (255, 255)


def test_masks_that_exist_are_kept(models, path, tmp_path):
    (tmp_path / "cars_test").mkdir()
    Image.new("L", (30, 20), 77).save(tmp_path / "cars_test" / "00001.png")
    assert predict_masks(config(path, tmp_path), models / "saved_model") == 3
    with Image.open(tmp_path / "cars_test" / "00001.png") as mask:
        assert mask.getextrema() == (77, 77)


def test_what_made_the_masks_is_kept_among_them(models, path, tmp_path):
    model, masks = models / "segmenter.tflite", tmp_path / "masks"
    predict_masks(config(path, masks), model, input_range=None, channel=0)
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    record = {"model": {"name": "segmenter.tflite", "sha256": sha256}, "flags": {"input_range": None, "channel": 0}}
    record["data"] = {"source": "cars", "path": str(path), "holdout": 2}
    assert json.loads((masks / "predicted_by.json").read_text()) == record
    # Both readers of a folder of masks pass it by.
    assert datasets.load("cars", path=path, holdout=2, resolution=8, storage_size=8, masks=masks).test.masks.any()
    (tmp_path / "photos" / "cars_test").mkdir(parents=True)
    for name in ("00001", "00002"):
        Image.new("RGB", (30, 20)).save(tmp_path / "photos" / "cars_test" / f"{name}.jpg")
    sources = folder.find_with_masks(tmp_path / "photos", masks)
    assert [source.mask.name for source in sources] == ["00001.png", "00002.png"]


def test_masks_of_two_models_are_not_mixed(models, path, tmp_path):
    predict_masks(config(path, tmp_path), models / "segmenter.tflite")
    (tmp_path / "cars_test" / "00001.png").unlink()
    for model, settings, what in (
        ("saved_model", {}, "model [0-9a-f]{64}, now [0-9a-f]{64}"),
        ("segmenter.tflite", {"channel": 0}, r"flags {}, now {'channel': 0}"),
    ):
        with pytest.raises(ValueError, match=f"has masks by {what}, allowed: the same .see .*, or a new folder"):
            predict_masks(config(path, tmp_path), models / model, **settings)
    assert not (tmp_path / "cars_test" / "00001.png").exists()
    assert predict_masks(config(path, tmp_path), models / "segmenter.tflite") == 1


def test_flags_that_gave_no_mask_can_be_changed(models, path, tmp_path):
    model = write_model(tmp_path / "model", lambda x: tf.cast(x[..., :2], tf.float32) / 255, (1, 8, 8, 3), tf.uint8)
    with pytest.raises(ValueError, match="with no --channel"):
        predict_masks(config(path, tmp_path / "masks"), model)
    assert predict_masks(config(path, tmp_path / "masks"), model, channel=1) == 4


def test_a_savedmodels_sha256_is_that_of_its_files(tmp_path):
    data = cars.get_config().data
    (tmp_path / "model" / "variables").mkdir(parents=True)
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "model" / "variables" / "index").write_bytes(b"weights")
    sums = subprocess.run(
        "find . -type f | LC_ALL=C sort | xargs sha256sum", shell=True, cwd=tmp_path / "model", stdout=subprocess.PIPE
    ).stdout
    first = mask_record.make(tmp_path / "model", {}, data)["model"]
    assert first == {"name": "model", "sha256": hashlib.sha256(sums).hexdigest()}
    (tmp_path / "model" / "variables" / "index").write_bytes(b"others")
    assert mask_record.make(tmp_path / "model", {}, data)["model"] != first


def test_a_damaged_record_is_named(models, path, tmp_path):
    (tmp_path / "predicted_by.json").write_text("[]")
    with pytest.raises(ValueError, match="predicted_by.json is damaged"):
        predict_masks(config(path, tmp_path), models / "segmenter.tflite")


def test_dataset_with_true_masks_is_refused(models, path):
    with pytest.raises(ValueError, match="data.source is 'cub', allowed: dogs or cars"):
        predict_masks(config(path, None, module=cub), models / "saved_model")


def test_masks_must_go_somewhere(models, path):
    with pytest.raises(ValueError, match="data.masks is None, allowed: a folder to write to"):
        predict_masks(config(path, None), models / "saved_model")


def test_formats_agree(models):
    picture = np.random.default_rng(0).integers(0, 30, (16, 16, 3), np.uint8)
    (one, saved_model), (other, tflite) = (load_segmenter(models / n) for n in ("saved_model", "segmenter.tflite"))
    assert one == other == 16
    np.testing.assert_allclose(saved_model(picture), tflite(picture), atol=1e-5)


def test_folder_without_a_savedmodel_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is no SavedModel with a signature serving_default"):
        load_segmenter(tmp_path)


def write_model(path, function, shape=(1, 8, 8, 3), dtype=tf.float32):
    """Writes a function of the pixels as a SavedModel, or as TFLite where the path says so."""
    module = tf.Module()
    module.f = tf.function(function, input_signature=[tf.TensorSpec(shape, dtype)])
    concrete = module.f.get_concrete_function()
    if path.suffix != ".tflite":
        tf.saved_model.save(module, str(path), signatures=concrete)
    else:
        path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete], module).convert())
    return path


PICTURE = np.full((8, 8, 3), 51, np.uint8)  # a fifth of 255
FORMATS = pytest.mark.parametrize("name", ["model", "model.tflite"])


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


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", "link/out.png"])
def test_no_mask_is_written_elsewhere(models, tmp_path, monkeypatch, name):
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "link").symlink_to(tmp_path)
    monkeypatch.setattr(datasets, "held_out", lambda *_, **__: [(name, Image.new("RGB", (4, 4)))])
    with pytest.raises(ValueError, match=f"the mask {name} would go to {tmp_path}, which is not in data.masks"):
        predict_masks(config(tmp_path, tmp_path / "masks"), models / "segmenter.tflite")
    assert not (tmp_path / "out.png").exists()


def test_logits_that_are_not_finite_are_refused(tmp_path):
    model = write_model(tmp_path / "model", lambda x: x[..., :1] / 0.0)
    with pytest.raises(ValueError, match="gives values from inf to inf, allowed: finite logits"):
        load_segmenter(model, input_range=(0, 1), logits=True)[1](PICTURE)


def test_several_outputs_are_refused(tmp_path):
    model = write_model(tmp_path / "model", lambda x: {"a": x, "b": x})
    with pytest.raises(ValueError, match="has 1 inputs and 2 outputs, allowed: one of each"):
        load_segmenter(model)


def test_command_line(tmp_path):
    model = write_model(tmp_path / "model", lambda x: x[..., :1])
    flags = (f"--model={model}", "--config=configs/cars.py", f"--config.data.masks={tmp_path / 'masks'}")
    code, output = tiny.finish(tiny.python("-m", "export.predict_masks", *flags, "--input_range=1,0"))
    assert code == 1 and output.endswith("error: --input_range is (1.0, 0.0), allowed: LOW,HIGH, LOW being less\n")
