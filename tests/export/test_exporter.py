import json
import re

import keras
import numpy as np
import pytest
from discs import FILES, RESOLUTION, TRAINING, grey, pixel_network, unlabelled
from PIL import Image

from edge_segmenter import progress as edge_progress
from edge_segmenter.fit import FITS, foreground_probability
from export import exporter, formats, verify
from export.documentation.facts import segmenter_facts
from export.documentation.metadata import fit_of_segmenter, read_metadata
from export.exporter import Exporter, export_segmenter
from export.formats import INT8, Conversion, conversions
from export.tflite.convert import to_tflite_float32
from export.verify import reference
from tf_layered_gan.labelling.any_segmenter import load_segmenter

RED = [1.0, 0.0, 0.0]
FACTS = segmenter_facts(TRAINING)


def export(network, photos, output, **settings):
    images = {"calibration": photos[::2], "tuning": photos[::4]}
    return export_segmenter(network, images, unlabelled(photos[1::2]), output, facts=FACTS, **settings)


@pytest.fixture(scope="module")
def red_model():
    """The float32 model of the network that marks red pixels."""
    return to_tflite_float32(pixel_network(RED))


@pytest.fixture
def red_exporter(photos, tmp_path):
    """An exporter for the network that marks red pixels."""
    return Exporter(tmp_path, reference(pixel_network(RED), unlabelled(photos[1::2])), FACTS, max_iou_loss=0.01)


def test_format_that_loses_too_much_is_not_written(photos, tmp_path):
    # The mask depends on the green channel of a feature map. The values of the other channel are a thousand times as
    # large as the green values. Both channels have the same int8 scale, so all green values are rounded to 0.
    image = keras.Input((RESOLUTION, RESOLUTION, 3))
    features = keras.layers.Conv2D(2, 1, activation="relu")(image)
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(features))
    first = np.reshape([[1000.0, 0.0], [0.0, 1.0], [0.0, 0.0]], (1, 1, 3, 2))
    model.set_weights([first, np.array([1000.0, 1.0]), np.reshape([0.0, 1.0], (1, 1, 2, 1)), np.array([-1.0])])
    refused = "refused.*: segmenter_int8.tflite: its IoU .* is 0.*, allowed: 0.99 or more$"
    with pytest.raises(ValueError, match=refused):
        export(model, photos, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES - {INT8}
    assert "| segmenter_int8.tflite |" in (tmp_path / "model_card.md").read_text()
    figures = json.loads((tmp_path / "export.json").read_text())["formats"][INT8]
    assert figures["iou"] < 0.99 and f"masks is {figures['iou']:.5g}, " in figures["refused"]


@pytest.mark.parametrize("first_is_good", [True, False])
def test_second_conversion_is_tried_if_the_first_is_refused(red_exporter, red_model, tmp_path, first_is_good):
    first = red_model if first_is_good else to_tflite_float32(pixel_network(RED, bias=2.0))
    red_exporter.tflite(INT8, [Conversion(lambda: first), Conversion(lambda: red_model, tuning_photos=8)])
    figures = red_exporter.figures[INT8]
    assert figures["refused"] is None and figures["iou"] == 1 and figures["fine_tuned"] == (0 if first_is_good else 8)
    assert read_metadata(tmp_path / INT8)["fine_tuned_on_photos"] == figures["fine_tuned"]
    assert (tmp_path / INT8).stat().st_size == figures["bytes"]


def test_second_int8_conversion_fine_tunes_the_network(photos, monkeypatch):
    tuned_on = []
    monkeypatch.setattr(formats, "fine_tune", lambda network, images: tuned_on.append(images) or network)
    _, second = conversions(pixel_network(RED), photos[::2], photos[::4])[INT8]
    second.convert()
    np.testing.assert_array_equal(tuned_on, [photos[::4]])
    assert second.tuning_photos == 8


def test_file_whose_signatures_differ_is_refused(red_exporter, red_model, tmp_path, monkeypatch):
    monkeypatch.setattr(verify, "load_any_size", lambda path: lambda image: np.zeros(image.shape[:2], "uint8"))
    red_exporter.tflite("segmenter_float32.tflite", [Conversion(lambda: red_model)])
    assert (
        "signatures serving_default and any_size differ" in red_exporter.figures["segmenter_float32.tflite"]["refused"]
    )
    assert not list(tmp_path.iterdir())


def test_formats_that_cannot_be_made_leave_the_others(photos, red_model, tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise ValueError("TensorFlow cannot convert the model: no kernel")

    made = {"segmenter_float16.tflite": [Conversion(fail)], "segmenter_float32.tflite": [Conversion(lambda: red_model)]}
    monkeypatch.setattr(exporter, "conversions", lambda *_, **__: made)
    monkeypatch.setattr(exporter, "write_savedmodel", lambda network, path, fit: path.mkdir() or fail())
    refused = "refused.*: saved_model: TensorFlow cannot .*; segmenter_float16.tflite: TensorFlow cannot"
    with pytest.raises(ValueError, match=refused):
        export(pixel_network(RED), photos, tmp_path)
    written = {"lock", "segmenter_float32.tflite", "export.json", "model_card.md"}
    assert {path.name for path in tmp_path.iterdir()} == written
    lines = capsys.readouterr().out.splitlines()
    refused = [line.split()[0] for line in lines if line.endswith("REFUSED")]
    assert refused == ["saved_model", "segmenter_float16.tflite"]


@pytest.mark.parametrize("fit", FITS)
def test_files_and_savedmodel_see_the_fit_of_the_run(photos, red_model, tmp_path, fit):
    facts = segmenter_facts(TRAINING | {"fit": fit})
    network = pixel_network(RED)
    writer = Exporter(tmp_path, reference(network, unlabelled(photos[1::2])), facts, max_iou_loss=0.01)
    writer.savedmodel(network)
    writer.tflite("segmenter_float32.tflite", [Conversion(lambda: red_model)])
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), "uint8")
    used = "squeeze" if fit == "squeeze" else "pad"
    for path in (tmp_path / "saved_model", tmp_path / "segmenter_float32.tflite"):
        assert read_metadata(path)["training"]["fit"] == fit and fit_of_segmenter(path) == used
        expected = foreground_probability(Image.fromarray(image), *load_segmenter(path), used) * 255
        assert np.abs(verify.load_any_size(path)(image) - expected).max() <= 3


@pytest.mark.parametrize("loss", [-0.1, 1.5, float("nan")])
def test_max_iou_loss_out_of_range_is_refused(photos, tmp_path, loss):
    with pytest.raises(ValueError, match=f"max_iou_loss is {loss}, allowed: 0 to 1"):
        export(pixel_network(RED), photos, tmp_path, max_iou_loss=loss)


def test_agreement_on_nothing_is_a_warning(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(exporter, "conversions", lambda *_, **__: {})
    monkeypatch.setattr(Exporter, "savedmodel", lambda *_: None)
    export(pixel_network([0.0, 0.0, 0.0], bias=-1.0), grey(0, 255), tmp_path)
    printed = capsys.readouterr().out
    assert "Verifying on 1 held-out photos. The Keras model marks 0.0% of the pixels as foreground." in printed
    assert "warning: the Keras model finds no object on these photos" in printed


def test_export_shows_the_time_left(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(edge_progress, "FIRST", 0.0)
    monkeypatch.setattr(exporter, "conversions", lambda network, **images: {"a": [], "b": []})
    for write in ("savedmodel", "tflite"):
        monkeypatch.setattr(Exporter, write, lambda *_: None)
    export(pixel_network(RED), grey(0, 255), tmp_path)
    assert re.match(r"exporting: 1 of 3 formats, .* left\n$", capsys.readouterr().err)
