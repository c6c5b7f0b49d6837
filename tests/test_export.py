import json
import pathlib

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from configs import default
from export.main import export_run, export_segmenter
from export.serving import serving_model
from export.tflite import to_tflite_int8
from export.verify import agreement, require_agreement, savedmodel_runner, tflite_runner
from tf_layered_gan import builders
from tf_layered_gan.checkpointing import Checkpointer, load_config, record_config
from tf_layered_gan.networks.unet import unet

RESOLUTION = 32


def disc_photos(count, seed):
    """Bright discs on dark ramps, uint8 in [20, 220] (neither black nor white), and their masks."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:RESOLUTION, :RESOLUTION]
    centres, radii = rng.uniform(8, 24, (count, 2, 1, 1)), rng.uniform(4, 10, (count, 1, 1))
    masks = (np.hypot(y - centres[:, 0], x - centres[:, 1]) < radii)[..., None]
    ramps = 20 + (x * rng.uniform(0, 2, (count, 1, 1)))[..., None] * rng.uniform(0.5, 1, (count, 1, 1, 3))
    discs = rng.uniform(140, 220, (count, 1, 1, 3))
    return np.where(masks, discs, ramps).astype("uint8"), masks.astype("float32")


@pytest.fixture(scope="module")
def photos():
    return disc_photos(32, seed=1)[0]


@pytest.fixture(scope="module")
def network():
    """An untrained U-Net with moving statistics of its own, its bias such that it tells discs from ramps."""
    keras.utils.set_random_seed(0)
    model, rng = unet(RESOLUTION, 4, 1), np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(rng.uniform(-0.1, 0.1, layer.moving_mean.shape))
            layer.moving_variance.assign(rng.uniform(0.2, 0.5, layer.moving_variance.shape))
    pixels, masks = disc_photos(16, seed=0)
    logits = keras.ops.convert_to_numpy(model(pixels / np.float32(127.5) - 1))
    midway = (logits[masks == 1].mean() + logits[masks == 0].mean()) / 2
    model.get_layer("logits").bias.assign_sub([midway])
    return model


@pytest.fixture(scope="module")
def workdir(network, photos, tmp_path_factory):
    """A run whose segmenter is the network; the even photos are for validation, the odd ones for the test."""
    folder, masks, workdir = (tmp_path_factory.mktemp(name) for name in ("photos", "masks", "run"))
    for number, photo in enumerate(photos):
        Image.fromarray(photo).save(folder / f"{number:02}.png")
        Image.new("L", (RESOLUTION, RESOLUTION)).save(masks / f"{number:02}.png")
    Image.fromarray(photos[0]).save(folder / "to_train_on.png")
    config = tiny_config(folder, masks)
    record_config(config, workdir)
    segmenter = builders.build_segmenter(config)
    checkpointer = Checkpointer(workdir, builders.build_gan(config, segmenter), segmenter)
    segmenter.average_network.set_weights(network.get_weights())
    checkpointer.save()
    return workdir


@pytest.fixture(scope="module")
def exported(workdir):
    export_run(workdir, workdir / "export")
    return workdir / "export"


@pytest.fixture(scope="module")
def int8_model(exported):
    return (exported / "segmenter_int8.tflite").read_bytes()


def tiny_config(folder, masks):
    config = default.get_config()
    config.resolution = RESOLUTION
    config.data.path, config.data.masks = str(folder), str(masks)
    config.codes.z_dim, config.codes.num_categories, config.codes.group_size = 2, 4, 2
    config.networks.generator_width = config.networks.background_width = 2
    config.networks.discriminator_width = config.networks.mask_encoder_width = 2
    config.networks.residual_blocks = 1
    config.networks.unet_width, config.networks.unet_depth = 4, 1
    return config


def pixel_network(weights, bias=0.0):
    """Logits that are a weighted sum of the pixel's own three channels."""
    image = keras.Input((RESOLUTION, RESOLUTION, 3))
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(image))
    model.set_weights([np.reshape(weights, (1, 1, 3, 1)), np.array([bias])])
    return model


def grey(*values):
    """One picture of each value, uint8."""
    return np.ones((1, RESOLUTION, RESOLUTION, 3), "uint8") * np.reshape(values, (-1, 1, 1, 1)).astype("uint8")


def tensors(content):
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    return (
        interpreter.get_input_details()[0],
        interpreter.get_output_details()[0],
        interpreter.get_tensor_details(),
    )


def test_serving_model_normalises_and_returns_probabilities():
    # Pixel 0 is -1 and pixel 255 is 1: sigmoid(-1) = 0.268941, sigmoid(1) = 0.731059.
    probability = serving_model(pixel_network([1.0, 0.0, 0.0]))(grey(0, 255))
    np.testing.assert_allclose(probability[:, 0, 0, 0], [0.268941, 0.731059], atol=1e-6)


def test_serving_model_stays_in_inference_mode(network, photos):
    model = serving_model(network)
    np.testing.assert_array_equal(model(photos[:4], training=True), model(photos[:4], training=False))


def test_savedmodel_takes_any_batch_and_agrees(network, exported, photos):
    predict = savedmodel_runner(exported / "saved_model")
    assert predict(photos[:1]).shape == (1, RESOLUTION, RESOLUTION, 1)
    figures = agreement(network, predict, photos)
    assert figures["iou"] >= 0.999 and figures["max_difference"] < 1e-4


def test_float32_tflite_takes_uint8_and_agrees(network, exported, photos):
    content = (exported / "segmenter_float32.tflite").read_bytes()
    source, target, _ = tensors(content)
    assert (source["dtype"], target["dtype"]) == (np.uint8, np.float32)
    assert source["shape"].tolist() == [1, RESOLUTION, RESOLUTION, 3]
    figures = agreement(network, tflite_runner(content), photos)
    assert figures["iou"] >= 0.999 and figures["max_difference"] < 1e-4


def test_int8_tflite_agrees_on_photos_it_was_not_calibrated_on(network, int8_model, photos):
    figures = agreement(network, tflite_runner(int8_model), photos[1::2])
    assert figures["iou"] >= 0.95
    assert figures["foreground"] > 0.05  # an agreement on something


def test_export_json_holds_sizes_and_agreement(exported, photos):
    figures = json.loads((exported / "export.json").read_text())
    assert list(figures) == ["saved_model", "segmenter_float32.tflite", "segmenter_int8.tflite"]
    for name in list(figures)[1:]:
        assert figures[name]["bytes"] == (exported / name).stat().st_size
        assert figures[name]["pictures"] == len(photos) // 2
        assert figures[name]["iou"] >= 0.95


def test_validation_photos_calibrate_and_test_photos_verify(workdir, photos, monkeypatch):
    given = []
    monkeypatch.setattr("export.main.export_segmenter", lambda *arguments: given.extend(arguments))
    export_run(workdir, workdir / "nowhere")
    np.testing.assert_array_equal(given[1], photos[::2])
    np.testing.assert_array_equal(given[2], photos[1::2])


def test_format_below_its_bar_is_not_kept(photos, tmp_path):
    # The mask hangs on the green of a feature map whose other channel is a thousand times as large: one int8
    # scale for both leaves nothing of the green.
    image = keras.Input((RESOLUTION, RESOLUTION, 3))
    features = keras.layers.Conv2D(2, 1, activation="relu")(image)
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(features))
    first = np.reshape([[1000.0, 0.0], [0.0, 1.0], [0.0, 0.0]], (1, 1, 3, 2))
    model.set_weights([first, np.array([1000.0, 1.0]), np.reshape([0.0, 1.0], (1, 1, 2, 1)), np.array([-1.0])])
    (tmp_path / "segmenter_int8.tflite").write_bytes(b"of an earlier export")
    with pytest.raises(ValueError, match=r"segmenter_int8.tflite was not kept.* 0\.\d+, below 0.95"):
        export_segmenter(model, photos[::2], photos[1::2], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved_model", "segmenter_float32.tflite"]


@pytest.mark.parametrize("name", ["segmenter_float32.tflite", "segmenter_int8.tflite"])
def test_tflite_leaves_no_dimension_open(exported, name):
    source, target, _ = tensors((exported / name).read_bytes())
    assert source["shape_signature"].tolist() == [1, RESOLUTION, RESOLUTION, 3]
    assert target["shape_signature"].tolist() == [1, RESOLUTION, RESOLUTION, 1]


def test_int8_tflite_takes_raw_pixels(int8_model, photos):
    assert photos.min() > 0 and photos.max() < 255  # the photos alone would give another scale
    source = tensors(int8_model)[0]
    assert source["dtype"] == np.uint8 and source["quantization"] == (1.0, 0)


def test_int8_tflite_returns_256ths(int8_model):
    target = tensors(int8_model)[1]
    assert target["dtype"] == np.uint8 and target["quantization"] == (1 / 256, 0)


def test_int8_tflite_holds_no_float(int8_model):
    # Kernels and activations int8, biases int32, input and output uint8.
    assert {detail["dtype"] for detail in tensors(int8_model)[2]} == {np.int8, np.int32, np.uint8}


@pytest.mark.parametrize("images", [grey(0).astype("float32"), grey(0)[:, :16], grey(0)[:0]])
def test_int8_refuses_calibration_images(images):
    with pytest.raises(ValueError, match="calibration_images must be uint8"):
        to_tflite_int8(pixel_network([1.0, 0.0, 0.0]), images)


def test_agreement_by_hand():
    # Logits are the red value in [-1, 1]: of the four pictures the Keras model calls 200, 201 and 202
    # foreground, the other model 50 and 200. Intersection 1 of 4 pictures, union 4 of 4: IoU 0.25.
    images = grey(50, 200, 201, 202)
    answers = np.reshape([0.9, 0.9, 0.1, 0.1], (4, 1, 1, 1)) * np.ones((1, RESOLUTION, RESOLUTION, 1))
    figures = agreement(pixel_network([1.0, 0.0, 0.0]), lambda _: answers, images)
    assert figures["iou"] == 0.25 and figures["foreground"] == 0.75 and figures["pictures"] == 4
    # At 202, x = 0.584314, they differ by sigmoid(0.584314) - 0.1 = 0.542059; most at 50, x = -0.607843, by
    # 0.9 - sigmoid(-0.607843) = 0.547449.
    assert figures["max_difference"] == pytest.approx(0.547449, abs=1e-6)


def test_agreement_of_empty_masks_is_one():
    answers = np.zeros((1, RESOLUTION, RESOLUTION, 1))
    assert agreement(pixel_network([1.0, 0.0, 0.0]), lambda _: answers, grey(0))["iou"] == 1.0


@pytest.mark.parametrize("answers", [np.full((1, 32, 32, 1), np.nan), np.zeros((1, 32, 32))])
def test_agreement_refuses_what_is_no_probability(answers):
    with pytest.raises(ValueError, match="finite probabilities"):
        agreement(pixel_network([1.0, 0.0, 0.0]), lambda _: answers, grey(0))


def test_require_agreement_names_the_figure(capsys):
    answers = np.zeros((2, RESOLUTION, RESOLUTION, 1))
    answers[0] = 1  # of two foreground pictures the other model finds one: IoU 0.5
    with pytest.raises(ValueError, match="halved.tflite was not kept.* 0.50000, below 0.95"):
        require_agreement(
            "halved.tflite", pixel_network([1.0, 0, 0]), lambda _: answers, grey(255, 255), least_iou=0.95
        )
    printed = capsys.readouterr().out
    assert "IoU 0.50000 (at least 0.95) with the Keras model's masks, which cover 100.0% of 2 held-out" in printed


def test_an_agreement_on_nothing_can_be_told(capsys):
    answers = np.zeros((1, RESOLUTION, RESOLUTION, 1))
    require_agreement("empty", pixel_network([1.0, 0, 0]), lambda _: answers, grey(0), least_iou=0.95)
    printed = capsys.readouterr().out
    assert "IoU 1.00000 (at least 0.95) with the Keras model's masks, which cover 0.0% of 1" in printed
    assert "warning: the Keras model finds nothing on these pictures, so empty was verified on nothing" in printed


def test_other_photos_than_the_runs_are_refused(workdir, exported, tmp_path):
    photos = pathlib.Path(load_config(workdir).data.path)
    gone = (photos / "05.png").rename(tmp_path / "05.png")
    with pytest.raises(ValueError, match=r"begun with other photos \(1 / 16 / 16 to train, .* now 1 / 16 / 15\)"):
        export_run(workdir, tmp_path / "export")
    gone.rename(photos / "05.png")


def test_directory_without_a_run_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no config.json"):
        export_run(tmp_path, tmp_path / "export")
