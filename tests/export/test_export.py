import json
import pathlib

import keras
import numpy as np
import pytest
import tiny
from ai_edge_litert.interpreter import Interpreter
from discs import RESOLUTION, TFLITE, disc_photos
from discs import network as network  # a fixture, as are the photos
from discs import photos as photos
from PIL import Image

from configs import default
from export.main import export_run
from export.tflite.metadata import read
from export.verify import reference, savedmodel_runner, tflite_runner
from tf_layered_gan.data import sources
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.models import build
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import load_config, record_config


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
    segmenter = build.build_segmenter(config)
    checkpointer = Checkpointer(workdir, build.build_gan(config, segmenter), segmenter)
    segmenter.average_network.set_weights(network.get_weights())
    checkpointer.save()
    return workdir


@pytest.fixture(scope="module")
def exported(workdir):
    export_run(workdir, workdir / "export", licence="CC0-1.0", masks_made="by hand", max_iou_loss=0.05)
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


def tensors(content):
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    return (
        interpreter.get_input_details()[0],
        interpreter.get_output_details()[0],
        interpreter.get_tensor_details(),
    )


def test_savedmodel_takes_any_batch_and_agrees(network, exported, photos):
    predict = savedmodel_runner(exported / "saved_model")
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
        assert facts["allowed"] == {"iou_loss": 0.05, "least_iou_with_keras_model": 0.9}
        assert (facts["licence"], facts["classes"]) == ("CC0-1.0", ["background", "foreground"])
        assert facts["training"]["test_masks"] == "from a folder (by hand)"
        assert facts["training"]["photos"] == {"train": 1, "validation": 16, "test": 16}
        for key, signature in Interpreter(str(exported / name)).get_signature_list().items():
            told = facts["signatures"][key]
            assert signature == {"inputs": [told["input"]["name"]], "outputs": [told["output"]["name"]]}


def test_savedmodel_tells_the_same_but_for_its_batch(exported):
    facts, float32 = read(exported / "saved_model"), read(exported / TFLITE[0])
    assert facts.pop("format") == "saved_model" and float32.pop("format") == "float32"
    told = facts["signatures"]["serving_default"]
    for side in ("input", "output"):
        assert told[side]["shape"][0] == "pictures"
        told[side]["shape"][0] = 1
    assert facts == float32  # which agrees with the Keras model as well


def test_savedmodels_size_is_all_of_it(exported):
    record = json.loads((exported / "export.json").read_text())
    files = [path for path in (exported / "saved_model").rglob("*") if path.is_file()]
    assert record["formats"]["saved_model"]["bytes"] == sum(path.stat().st_size for path in files)


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
    np.testing.assert_array_equal(given[1]["tuning"], sources.load_photos(load_config(workdir)).train.images)
    np.testing.assert_array_equal(given[2].images, photos[1::2])


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


def test_the_runs_own_directory_is_no_output(workdir):
    with pytest.raises(ValueError, match="which is the run's own; allowed: folders of exports"):
        export_run(workdir, workdir)
    with pytest.raises(ValueError, match="which is the run's own"):
        export_run(workdir, workdir / "checkpoints")


def test_directory_without_a_run_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no config.json"):
        export_run(tmp_path, tmp_path / "export")
