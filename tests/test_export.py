import json
import pathlib

import keras
import numpy as np
import pytest
import tiny
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from configs import default
from export import formats
from export.centring import centre_threshold
from export.facts import run_facts, segmenter_facts
from export.formats import export_segmenter
from export.main import export_run
from export.metadata import read
from export.serving import serving_model
from export.tflite import to_tflite_dynamic, to_tflite_float16, to_tflite_float32, to_tflite_int8
from export.verify import agreement, reference, savedmodel_runner, tflite_runner, true_iou
from tf_layered_gan import builders
from tf_layered_gan.checkpointing import Checkpointer, load_config, record_config
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.networks.unet import unet

RESOLUTION = 32
TFLITE = ("segmenter_float32.tflite", "segmenter_float16.tflite", "segmenter_dynamic.tflite", "segmenter_int8.tflite")
FILES = {"saved_model", *TFLITE, "export.json", "model_card.md"}
TRAINING = run_facts(
    "folder",
    photos={"train": 514, "validation": 16, "test": 16},
    supervised=False,
    rounds=1,
    images_seen=16000,
    segmenter_steps=600,
)


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
    for number, (photo, mask) in enumerate(zip(*disc_photos(32, seed=1), strict=True)):
        Image.fromarray(photo).save(folder / f"{number:02}.png")
        Image.fromarray((mask[..., 0] * 255).astype("uint8")).save(masks / f"{number:02}.png")
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
    export_run(workdir, workdir / "export", licence="CC0-1.0", max_iou_loss=0.05)
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
    facts = json.loads((exported / "saved_model" / "assets.extra" / "tf_layered_gan.json").read_text())
    assert facts["licence"] == "CC0-1.0"
    assert predict(photos[:1]).shape == (1, RESOLUTION, RESOLUTION, 1)
    assert_agrees(network, predict, photos)


def assert_agrees(network, predict, photos):
    figures = reference(network, Photos(photos, None, ("",) * len(photos))).compare(predict)
    assert figures["iou"] >= 0.999 and figures["max_difference"] < 1e-4


def test_float32_tflite_takes_uint8_and_agrees(network, exported, photos):
    content = (exported / "segmenter_float32.tflite").read_bytes()
    source, target, _ = tensors(content)
    assert (source["dtype"], target["dtype"]) == (np.uint8, np.float32)
    assert source["shape"].tolist() == [1, RESOLUTION, RESOLUTION, 3]
    assert_agrees(network, tflite_runner(content), photos)


def test_weights_take_half_and_a_quarter():
    network = unet(16, 32, 1)
    whole = len(to_tflite_float32(network))
    assert whole > 4 * network.count_params() > 0.9 * whole  # so that weights are most of it
    assert 0.5 < len(to_tflite_float16(network)) / whole < 0.58
    assert 0.25 < len(to_tflite_dynamic(network)) / whole < 0.33


def test_export_json_holds_sizes_and_figures(exported, photos, network):
    record = json.loads((exported / "export.json").read_text())
    masks = disc_photos(32, seed=1)[1][1::2, ..., 0]
    keras = keras_iou(network, photos[1::2], masks)
    assert record["keras_model"]["pictures"] == len(photos) // 2 and record["keras_model"]["true_iou"] == keras
    assert 0.1 < record["keras_model"]["foreground"] < 0.9  # an agreement on something
    assert list(record["formats"]) == ["saved_model", *TFLITE]
    for name in TFLITE:
        figures = record["formats"][name]
        assert figures["bytes"] == (exported / name).stat().st_size and figures["refused"] is None
        assert figures["iou"] >= 0.95
        assert figures["true_iou"] + figures["true_iou_loss"] == pytest.approx(keras)
    assert record["formats"][TFLITE[0]]["true_iou"] == keras


def keras_iou(network, photos, masks):
    found = keras.ops.convert_to_numpy(network(photos / np.float32(127.5) - 1))[..., 0] > 0
    return (found & (masks == 1)).sum() / (found | (masks == 1)).sum()


def test_each_file_tells_what_it_is(exported, photos):
    record = json.loads((exported / "export.json").read_text())
    for name in TFLITE:
        facts, figures = read(exported / name), record["formats"][name]
        assert facts["figures"] == {
            "test_photos": len(photos) // 2,
            "iou_with_test_masks": round(figures["true_iou"], 4),
            "keras_model_iou_with_test_masks": round(record["keras_model"]["true_iou"], 4),
            "centred_disc_iou_with_test_masks": round(record["keras_model"]["centred_disc_true_iou"], 4),
            "iou_with_keras_model": round(figures["iou"], 4),
        }
        assert (facts["licence"], facts["classes"]) == ("CC0-1.0", ["background", "foreground"])
        assert facts["training"]["photos"] == {"train": 1, "validation": 16, "test": 16}
        for key, signature in Interpreter(str(exported / name)).get_signature_list().items():
            told = facts["signatures"][key]
            assert signature == {"inputs": [told["input"]["name"]], "outputs": [told["output"]["name"]]}


@pytest.mark.parametrize("name", TFLITE)
def test_files_tell_the_tensors_that_they_have(exported, name):
    told, tensor = read(exported / name)["signatures"]["serving_default"], tensors((exported / name).read_bytes())
    for side, detail in zip(("input", "output"), tensor, strict=False):
        assert told[side]["shape"] == detail["shape"].tolist() and told[side]["type"] == np.dtype(detail["dtype"]).name


def test_no_path_is_told(exported, workdir):
    private = [str(workdir), str(load_config(workdir).data.path), "to_train_on", str(pathlib.Path.home())]
    for name in (*TFLITE, "export.json", "model_card.md"):
        content = (exported / name).read_bytes()
        assert not [text for text in private if text.encode() in content], name


def test_validation_photos_calibrate_and_test_photos_verify(workdir, photos, monkeypatch):
    given = []
    monkeypatch.setattr("export.main.export_segmenter", lambda *arguments, **_: given.extend(arguments))
    export_run(workdir, workdir / "nowhere")
    np.testing.assert_array_equal(given[1]["calibration"], photos[::2])
    np.testing.assert_array_equal(given[1]["tuning"], builders.load_photos(load_config(workdir)).train.images)
    np.testing.assert_array_equal(given[2].images, photos[1::2])


def test_format_below_its_bar_is_not_kept(photos, tmp_path):
    # The mask hangs on the green of a feature map whose other channel is a thousand times as large: one int8
    # scale for both leaves nothing of the green.
    image = keras.Input((RESOLUTION, RESOLUTION, 3))
    features = keras.layers.Conv2D(2, 1, activation="relu")(image)
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(features))
    first = np.reshape([[1000.0, 0.0], [0.0, 1.0], [0.0, 0.0]], (1, 1, 3, 2))
    model.set_weights([first, np.array([1000.0, 1.0]), np.reshape([0.0, 1.0], (1, 1, 2, 1)), np.array([-1.0])])
    (tmp_path / "segmenter_int8.tflite").write_bytes(b"of an earlier export")
    with pytest.raises(ValueError, match=r"refused.*: segmenter_int8.tflite: its IoU .* is 0\.\d+, below 0.99$"):
        export(model, photos, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES - {"segmenter_int8.tflite"}
    assert "| segmenter_int8.tflite |" in (tmp_path / "model_card.md").read_text()
    figures = json.loads((tmp_path / "export.json").read_text())["formats"]["segmenter_int8.tflite"]
    assert figures["iou"] < 0.99 and "below 0.99" in figures["refused"]


def export(network, photos, output, **settings):
    facts = segmenter_facts(TRAINING)
    test = Photos(photos[1::2], None, ("",) * len(photos[1::2]))
    images = {"calibration": photos[::2], "tuning": photos[::4]}
    return export_segmenter(network, images, test, output, facts=facts, **settings)


@pytest.mark.parametrize("shift, tuned_on", [(0.0, []), (2.0, [8])])
def test_int8_below_its_bar_is_fine_tuned_and_tried_again(photos, tmp_path, monkeypatch, shift, tuned_on):
    network, tuned = pixel_network([1.0, 0.0, 0.0]), []

    def fine_tune(network, images):
        tuned.append(len(images))
        return network

    monkeypatch.setattr(formats, "fine_tune", fine_tune)
    # Before it is tuned, the int8 model is another one.
    monkeypatch.setattr(
        formats,
        "to_tflite_int8",
        lambda network, _: to_tflite_float32(network if tuned else pixel_network([1.0, 0.0, 0.0], bias=shift)),
    )
    monkeypatch.setattr(formats, "centre_threshold", lambda network, images: network)
    figures = export(network, photos, tmp_path)["formats"]["segmenter_int8.tflite"]
    assert tuned == tuned_on and figures["refused"] is None and figures["iou"] == 1
    assert (tmp_path / "segmenter_int8.tflite").exists()


def test_centred_logits_have_int8_masks_agree_better(network, photos):
    keras_model = reference(network, Photos(photos, None, ("",) * len(photos)))
    plain, centred = (
        keras_model.compare(tflite_runner(to_tflite_int8(candidate, photos)))["iou"]
        for candidate in (network, centre_threshold(network, photos))
    )
    assert centred > plain


@pytest.mark.parametrize("kind", ["saved_model", "segmenter_float32.tflite"])
def test_a_file_whose_two_signatures_differ_is_refused(photos, tmp_path, monkeypatch, kind):
    loader = "savedmodel_any_size" if kind == "saved_model" else "tflite_any_size"
    monkeypatch.setattr(formats, loader, lambda _: lambda picture: np.zeros(picture.shape[:2], "uint8"))
    with pytest.raises(ValueError, match=f"{kind}: its signatures serving_default and any_size are .* apart"):
        export(pixel_network([1.0, 0.0, 0.0]), photos, tmp_path)
    assert not (tmp_path / kind).exists()


def test_true_masks_decide_where_there_are_some():
    # Of 0.5 the one loses 0.005 and the other 0.02; how far they agree with the Keras model does not matter then.
    assert formats._refusal({"iou": 0.9, "true_iou": 0.495}, 0.5, 0.01) is None
    assert formats._refusal({"iou": 1.0, "true_iou": 0.48}, 0.5, 0.01) == (
        "its IoU with the true ones is 0.4800, below 0.49"
    )
    assert "Keras model's masks is 0.9800, below 0.99" in formats._refusal({"iou": 0.98, "true_iou": None}, None, 0.01)


def test_a_format_that_cannot_be_made_costs_no_other(photos, tmp_path, monkeypatch, capsys):
    def fail(network):
        raise ValueError("TensorFlow cannot convert it: no kernel")

    monkeypatch.setattr(formats, "to_tflite_float16", fail)
    monkeypatch.setattr(formats, "write_savedmodel", lambda network, path: path.mkdir() or fail(network))
    refused = "refused.*: saved_model: TensorFlow cannot .*; segmenter_float16.tflite: TensorFlow cannot"
    with pytest.raises(ValueError, match=refused):
        export(pixel_network([1.0, 0.0, 0.0]), photos, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES - {"saved_model", "segmenter_float16.tflite"}
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line.endswith("REFUSED")] == [
        "saved_model",
        "segmenter_float16.tflite",
    ]


def test_an_export_that_breaks_leaves_the_earlier_one(photos, tmp_path, monkeypatch):
    for name in FILES:
        (tmp_path / name).write_text("of an earlier export")
    (tmp_path / ".unverified-of-a-kill").mkdir()
    monkeypatch.setattr(formats, "model_card", lambda *_: 1 / 0)
    monkeypatch.setattr(formats, "_conversions", lambda *_, **__: {})
    monkeypatch.setattr(formats, "write_savedmodel", lambda network, path: path.mkdir())
    monkeypatch.setattr(formats, "savedmodel_runner", lambda path: lambda pixels: np.zeros((*pixels.shape[:3], 1)))
    monkeypatch.setattr(formats, "savedmodel_any_size", lambda path: lambda picture: np.zeros(picture.shape[:2]))
    with pytest.raises(ZeroDivisionError):
        export(pixel_network([1.0, 0.0, 0.0]), photos, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    assert all((tmp_path / name).read_text() == "of an earlier export" for name in FILES)


@pytest.mark.parametrize("name", TFLITE)
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
    # Of four pictures the Keras model calls the last three foreground, the other model the first two. Intersection 1
    # of 4 pictures, union 4 of 4: IoU 0.25. They differ most at the first, by 0.9 - 0.3.
    pixel = np.ones((1, RESOLUTION, RESOLUTION, 1))
    expected, actual = (np.reshape(p, (4, 1, 1, 1)) * pixel for p in ([0.3, 0.8, 0.6, 0.6], [0.9, 0.9, 0.1, 0.1]))
    figures = agreement(expected, actual)
    assert figures["iou"] == 0.25 and figures["max_difference"] == pytest.approx(0.6)


def test_agreement_of_empty_masks_is_one():
    answers = np.zeros((1, RESOLUTION, RESOLUTION, 1))
    assert agreement(answers, answers)["iou"] == 1.0


@pytest.mark.parametrize("answers", [np.full((1, 32, 32, 1), np.nan), np.zeros((1, 32, 32))])
def test_agreement_refuses_what_is_no_probability(answers):
    with pytest.raises(ValueError, match="finite probabilities"):
        agreement(np.zeros((1, 32, 32, 1)), answers)


def test_what_is_lost_on_true_masks_by_hand():
    # True masks: the first picture of two. The Keras model finds it alone, IoU 1; the other both, IoU 1 / 2.
    masks = np.zeros((2, RESOLUTION, RESOLUTION), "uint8")
    masks[0] = 1
    keras_model = reference(pixel_network([1.0, 0.0, 0.0]), Photos(grey(255, 0), masks, ("a", "b")))
    figures = keras_model.compare(lambda pixels: np.ones((2, RESOLUTION, RESOLUTION, 1)))
    assert (figures["iou"], figures["true_iou"], figures["true_iou_loss"]) == (0.5, 0.5, 0.5)
    assert keras_model.figures()["true_iou"] == 1 and keras_model.figures()["foreground"] == 0.5
    assert true_iou(np.ones((2, RESOLUTION, RESOLUTION, 1), bool), None) is None


def test_an_agreement_on_nothing_can_be_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(formats, "_conversions", lambda *_, **__: {})
    export(pixel_network([0.0, 0.0, 0.0], bias=-1.0), grey(0, 255), tmp_path)
    printed = capsys.readouterr().out
    assert "Verifying on 1 held-out photos, where the Keras model's masks cover 0.0%." in printed
    assert "warning: the Keras model finds nothing on these photos, so every format is verified on nothing" in printed


@pytest.mark.slow
def test_the_command_ends_with_an_error_that_names_what_was_refused(workdir, tmp_path):
    command = ("-m", "export.main", f"--workdir={workdir}", f"--output={tmp_path}", "--max_iou_loss=0")
    code, printed = tiny.finish(tiny.python(*command))
    assert code == 1 and "error: refused, so not written: " in printed and "segmenter_int8.tflite: its IoU" in printed
    assert (tmp_path / "segmenter_float32.tflite").exists() and not (tmp_path / "segmenter_int8.tflite").exists()


def test_other_photos_than_the_runs_are_refused(workdir, exported, tmp_path):
    photos = pathlib.Path(load_config(workdir).data.path)
    gone = (photos / "05.png").rename(tmp_path / "05.png")
    with pytest.raises(ValueError, match=r"begun with other photos \(1 / 16 / 16 to train, .* now 1 / 16 / 15\)"):
        export_run(workdir, tmp_path / "export")
    gone.rename(photos / "05.png")


def test_directory_without_a_run_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no config.json"):
        export_run(tmp_path, tmp_path / "export")
