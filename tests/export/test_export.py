import json
import pathlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from ai_edge_litert.interpreter import Interpreter
from discs import RESOLUTION, TFLITE, disc_photos, unlabelled

from export import export_run as exporting
from export.documentation.metadata import read_metadata
from export.export_run import export_run
from export.verify import reference
from tf_layered_gan.data import sources
from tf_layered_gan.models import build
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import load_config


def test_savedmodel_takes_any_batch(network, exported, photos):
    signature = tf.saved_model.load(exported / "saved_model").signatures["serving_default"]
    for batch in (photos[:1], photos):
        probabilities = signature(pixels=tf.constant(batch))["probability"]
        assert probabilities.shape == (len(batch), RESOLUTION, RESOLUTION, 1)
    figures = reference(network, unlabelled(photos)).compare(probabilities.numpy()[..., 0])
    assert figures["iou"] >= 0.999 and figures["max_difference"] < 1e-4


def test_export_json_holds_sizes_and_figures(exported, photos, network):
    record = json.loads((exported / "export.json").read_text())
    masks = disc_photos(32, seed=1)[1][1::2, ..., 0]
    keras_iou = iou(network, photos[1::2], masks)
    assert record["keras_model"]["pictures"] == len(photos) // 2 and record["keras_model"]["true_iou"] == keras_iou
    assert 0.1 < record["keras_model"]["foreground"] < 0.9
    assert list(record["formats"]) == ["saved_model", *TFLITE]
    for name in TFLITE:
        figures = record["formats"][name]
        assert figures["bytes"] == (exported / name).stat().st_size and figures["refused"] is None
        assert figures["iou"] >= 0.95
        assert figures["true_iou"] + figures["true_iou_loss"] == pytest.approx(keras_iou)
    assert record["formats"][TFLITE[0]]["true_iou"] == keras_iou
    assert record["formats"][TFLITE[0]]["max_difference"] < 1e-4
    files = [path for path in (exported / "saved_model").rglob("*") if path.is_file()]
    assert record["formats"]["saved_model"]["bytes"] == sum(path.stat().st_size for path in files)


def iou(network, photos, masks):
    predicted = keras.ops.convert_to_numpy(network(photos / np.float32(127.5) - 1))[..., 0] > 0
    return (predicted & (masks == 1)).sum() / (predicted | (masks == 1)).sum()


def test_metadata_of_each_file(exported, photos):
    record = json.loads((exported / "export.json").read_text())
    for name in TFLITE:
        facts, figures = read_metadata(exported / name), record["formats"][name]
        assert facts["figures"] == {
            "test_photos": len(photos) // 2,
            "iou_with_test_masks": round(figures["true_iou"], 4),
            "keras_model_iou_with_test_masks": round(record["keras_model"]["true_iou"], 4),
            "centred_disc_iou_with_test_masks": round(record["keras_model"]["centred_disc_true_iou"], 4),
            "iou_with_keras_model": round(figures["iou"], 4),
        }
        assert facts["allowed"] == {"iou_loss": 0.05, "least_iou_with_keras_model": 0.9}
        assert (facts["licence"], facts["classes"]) == ("CC0-1.0", ["background", "foreground"])
        assert facts["training"]["fit"] == record["fit"] == "crop"
        assert facts["training"]["test_masks"] == "from a folder (by hand)"
        assert facts["training"]["photos"] == {"train": 1, "validation": 16, "test": 16}
        for key, signature in Interpreter(str(exported / name)).get_signature_list().items():
            described = facts["signatures"][key]
            assert signature == {"inputs": [described["input"]["name"]], "outputs": [described["output"]["name"]]}


def test_metadata_of_the_savedmodel_differs_in_its_batch_only(exported):
    facts, float32 = read_metadata(exported / "saved_model"), read_metadata(exported / TFLITE[0])
    assert facts.pop("format") == "saved_model" and float32.pop("format") == "float32"
    described = facts["signatures"]["serving_default"]
    for side in ("input", "output"):
        assert described[side]["shape"][0] == "batch"
        described[side]["shape"][0] = 1
    assert facts == float32  # both files state the same figures


@pytest.mark.parametrize("name", TFLITE)
def test_tensors_are_as_the_metadata_says_and_of_fixed_shape(exported, name):
    described = read_metadata(exported / name)["signatures"]["serving_default"]
    interpreter = Interpreter(str(exported / name))
    tensors = {"input": interpreter.get_input_details()[0], "output": interpreter.get_output_details()[0]}
    for side, tensor in tensors.items():
        assert described[side]["shape"] == tensor["shape"].tolist() == tensor["shape_signature"].tolist()
        assert described[side]["type"] == np.dtype(tensor["dtype"]).name


def test_no_path_is_revealed(exported, workdir):
    private = [str(workdir), str(load_config(workdir).data.path), "to_train_on", str(pathlib.Path.home())]
    for name in (*TFLITE, "export.json", "model_card.md"):
        content = (exported / name).read_bytes()
        assert not [text for text in private if text.encode() in content], name


def test_int8_tflite_takes_raw_pixels_and_returns_256ths(exported, photos):
    # No pixel value is 0 or 255. So the scale of the input would not be 1 if it were estimated from these photos alone.
    assert photos.min() > 0 and photos.max() < 255
    interpreter = Interpreter(str(exported / "segmenter_int8.tflite"))
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert (source["quantization"], target["quantization"]) == ((1.0, 0), (1 / 256, 0))
    # Kernels and activations are int8, biases are int32, and the input and the output are uint8.
    assert {detail["dtype"] for detail in interpreter.get_tensor_details()} == {np.int8, np.int32, np.uint8}


def test_validation_photos_calibrate_and_test_photos_verify(workdir, photos, restored, monkeypatch):
    given = []
    monkeypatch.setattr(exporting, "export_segmenter", lambda *arguments, **_: given.extend(arguments))
    export_run(workdir, workdir / "nowhere")
    np.testing.assert_array_equal(given[1]["calibration"], photos[::2])
    np.testing.assert_array_equal(given[1]["tuning"], sources.load_photos(load_config(workdir)).train.images)
    np.testing.assert_array_equal(given[2].images, photos[1::2])


def test_photos_that_changed_since_the_training_are_refused(workdir, exported, restored, tmp_path):
    photos = pathlib.Path(load_config(workdir).data.path)
    gone, copies = (photos / "05.png").rename(tmp_path / "05.png"), (workdir / "photos").rename(tmp_path / "photos")
    with pytest.raises(ValueError, match=r"\(1 / 16 / 16 for training, .* now 1 / 16 / 15\)"):
        export_run(workdir, tmp_path / "export")
    gone.rename(photos / "05.png")
    shutil.rmtree(workdir / "photos")
    copies.rename(workdir / "photos")


@pytest.mark.parametrize("folder", [".", "checkpoints"])
def test_directory_of_the_run_is_no_output(workdir, folder):
    (workdir / folder).mkdir(exist_ok=True)
    with pytest.raises(ValueError, match="a directory of the run, allowed: a new directory"):
        export_run(workdir, workdir / folder)


@pytest.mark.slow
def test_command_ends_with_an_error_that_names_the_refused_formats(workdir, network, tmp_path):
    config = load_config(workdir)
    segmenter = build.build_segmenter(config)
    checkpointer = Checkpointer(workdir, build.build_gan(config, segmenter), segmenter)
    segmenter.average_network.set_weights(network.get_weights())
    checkpointer.save()
    command = ("-m", "export.main", f"--workdir={workdir}", f"--output={tmp_path}", "--max_iou_loss=0")
    code, printed = tiny.finish(tiny.python(*command))
    assert (
        code == 1 and "error: these formats were refused: " in printed and "segmenter_int8.tflite: its IoU" in printed
    )
    assert (tmp_path / "segmenter_float32.tflite").exists() and not (tmp_path / "segmenter_int8.tflite").exists()
