import json

import keras
import numpy as np
import pytest
from discs import FILES, RESOLUTION, TRAINING, disc_photos, grey, pixel_network, unlabelled

from export import exporter, verify
from export.documentation.facts import segmenter_facts
from export.documentation.metadata import read_metadata
from export.exporter import Exporter, export_segmenter
from export.formats import INT8, Conversion, conversions
from export.tflite.convert import to_tflite_float32
from export.verify import reference

RED = [1.0, 0.0, 0.0]
FACTS = segmenter_facts(TRAINING)


def export(network, photos, output, **settings):
    images = {"calibration": photos[::2], "tuning": photos[::4]}
    return export_segmenter(network, images, unlabelled(photos[1::2]), output, facts=FACTS, **settings)


def make_exporter(network, photos, folder, max_iou_loss=0.01):
    return Exporter(folder, reference(network, unlabelled(photos[1::2])), FACTS, max_iou_loss)


@pytest.fixture(scope="module")
def red_model():
    """The float32 model of the network that marks red pixels."""
    return to_tflite_float32(pixel_network(RED))


@pytest.fixture
def red_exporter(photos, tmp_path):
    """An exporter for the network that marks red pixels."""
    return make_exporter(pixel_network(RED), photos, tmp_path)


def test_format_that_loses_too_much_is_not_written(photos, tmp_path):
    # The mask depends on the green of a feature map whose other channel is a thousand times as large. Both share one
    # int8 scale, so nothing of the green is left.
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


@pytest.mark.slow
def test_fine_tuning_helps_an_int8_model_that_would_be_refused(photos, tmp_path):
    network = scaled_channel(disc_network(), 192)
    int8_exporter = make_exporter(network, photos, tmp_path, max_iou_loss=0.1)
    int8_exporter.tflite(INT8, conversions(network, photos[::2], photos[::4])[INT8])
    # The IoU with the Keras model was 0.83 without fine-tuning and 0.98 with it.
    figures = int8_exporter.figures[INT8]
    assert figures["fine_tuned"] == 8 and figures["iou"] > 0.9 and (tmp_path / INT8).exists()


def disc_network():
    """Trains two convolutions of four filters each, and the logits, to find discs."""
    keras.utils.set_random_seed(0)
    image = keras.Input((RESOLUTION, RESOLUTION, 3))
    features = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    features = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(features)
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(features))
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.BinaryCrossentropy(from_logits=True))
    images, masks = disc_photos(64, seed=2)
    model.fit(images / np.float32(127.5) - 1, masks, epochs=40, batch_size=16, verbose=0)
    return model


def scaled_channel(network, factor):
    """Keeps the masks, but makes one channel so large that the others get few of the 256 steps that they share."""
    kernel, bias, next_kernel, *others = network.get_weights()
    kernel[..., 0] *= factor
    bias[0] *= factor
    next_kernel[:, :, 0] /= factor
    network.set_weights([kernel, bias, next_kernel, *others])
    return network


def test_file_whose_signatures_differ_is_refused(red_exporter, red_model, tmp_path, monkeypatch):
    monkeypatch.setattr(verify, "load_any_size", lambda path: lambda image: np.zeros(image.shape[:2], "uint8"))
    red_exporter.tflite("segmenter_float32.tflite", [Conversion(lambda: red_model)])
    assert (
        "signatures serving_default and any_size differ" in red_exporter.figures["segmenter_float32.tflite"]["refused"]
    )
    assert not list(tmp_path.iterdir())


def test_formats_that_cannot_be_made_leave_the_others(photos, red_model, tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise ValueError("TensorFlow cannot convert it: no kernel")

    formats = {"segmenter_float16.tflite": fail, "segmenter_float32.tflite": lambda: red_model}
    formats = {name: [Conversion(convert)] for name, convert in formats.items()}
    monkeypatch.setattr(exporter, "conversions", lambda *_, **__: formats)
    monkeypatch.setattr(exporter, "write_savedmodel", lambda network, path: path.mkdir() or fail())
    refused = "refused.*: saved_model: TensorFlow cannot .*; segmenter_float16.tflite: TensorFlow cannot"
    with pytest.raises(ValueError, match=refused):
        export(pixel_network(RED), photos, tmp_path)
    written = {"lock", "segmenter_float32.tflite", "export.json", "model_card.md"}
    assert {path.name for path in tmp_path.iterdir()} == written
    lines = capsys.readouterr().out.splitlines()
    refused = [line.split()[0] for line in lines if line.endswith("REFUSED")]
    assert refused == ["saved_model", "segmenter_float16.tflite"]


@pytest.mark.parametrize("loss", [-0.1, 1.5, float("nan")])
def test_max_iou_loss_out_of_range_is_refused(photos, tmp_path, loss):
    with pytest.raises(ValueError, match=f"max_iou_loss is {loss}, allowed: 0 to 1"):
        export(pixel_network(RED), photos, tmp_path, max_iou_loss=loss)


def test_agreement_on_nothing_is_a_warning(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(exporter, "conversions", lambda *_, **__: {})
    monkeypatch.setattr(Exporter, "savedmodel", lambda *_: None)
    export(pixel_network([0.0, 0.0, 0.0], bias=-1.0), grey(0, 255), tmp_path)
    printed = capsys.readouterr().out
    assert "Verifying on 1 held-out photos. The Keras model's masks cover 0.0% of them." in printed
    assert "warning: the Keras model finds no object on these photos" in printed
