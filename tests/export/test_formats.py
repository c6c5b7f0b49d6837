import contextlib
import json
import resource

import keras
import numpy as np
import pytest
from discs import FILES, RESOLUTION, TRAINING, disc_photos, grey, pixel_network
from discs import photos as photos  # a fixture

from export import formats
from export.facts import segmenter_facts
from export.formats import export_segmenter
from export.serving.savedmodel import write_savedmodel
from export.tflite.convert import to_tflite_float32
from export.tflite.metadata import read
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.files.file_lock import file_lock


def test_format_below_its_bar_is_not_kept(photos, tmp_path):
    # The mask hangs on the green of a feature map whose other channel is a thousand times as large: one int8
    # scale for both leaves nothing of the green.
    image = keras.Input((RESOLUTION, RESOLUTION, 3))
    features = keras.layers.Conv2D(2, 1, activation="relu")(image)
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(features))
    first = np.reshape([[1000.0, 0.0], [0.0, 1.0], [0.0, 0.0]], (1, 1, 3, 2))
    model.set_weights([first, np.array([1000.0, 1.0]), np.reshape([0.0, 1.0], (1, 1, 2, 1)), np.array([-1.0])])
    (tmp_path / "segmenter_int8.tflite").write_bytes(b"of an earlier export")
    (tmp_path / "export.json").write_text("{}")
    refused = "refused.*: segmenter_int8.tflite: its IoU .* is 0.*, allowed: 0.99 or more$"
    with pytest.raises(ValueError, match=refused):
        export(model, photos, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES - {"segmenter_int8.tflite"}
    assert "| segmenter_int8.tflite |" in (tmp_path / "model_card.md").read_text()
    figures = json.loads((tmp_path / "export.json").read_text())["formats"]["segmenter_int8.tflite"]
    assert figures["iou"] < 0.99 and f"masks is {figures['iou']:.5g}, " in figures["refused"]


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
    assert figures["fine_tuned"] == read(tmp_path / "segmenter_int8.tflite")["fine_tuned_on_photos"] == sum(tuned_on)
    assert ("| written, tuned on 8 photos |" in (tmp_path / "model_card.md").read_text()) == bool(tuned_on)
    assert (tmp_path / "segmenter_int8.tflite").exists()


@pytest.mark.parametrize("tuning", [True, False])
def test_tuning_has_int8_written_that_would_be_refused(photos, tmp_path, monkeypatch, tuning):
    network = scaled_channel(disc_network(), 192)
    if not tuning:
        monkeypatch.setattr(formats, "fine_tune", lambda network, images: network)
    # Without tuning its IoU with the Keras model was 0.83, with it 0.98.
    with (
        contextlib.nullcontext()
        if tuning
        else pytest.raises(ValueError, match=r"int8.tflite: its IoU .* allowed: 0.9 or more$")
    ):
        export(network, photos, tmp_path, max_iou_loss=0.1)
    assert (tmp_path / "segmenter_int8.tflite").exists() == tuning
    figures = json.loads((tmp_path / "export.json").read_text())["formats"]["segmenter_int8.tflite"]
    assert (figures["iou"] > 0.9) == tuning


def disc_network():
    """Two convolutions of four filters each, trained to find discs, and the logits; some seconds."""
    keras.utils.set_random_seed(0)
    image = keras.Input((RESOLUTION, RESOLUTION, 3))
    features = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    features = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(features)
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(features))
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.BinaryCrossentropy(from_logits=True))
    pictures, masks = disc_photos(64, seed=2)
    model.fit(pictures / np.float32(127.5) - 1, masks, epochs=40, batch_size=16, verbose=0)
    return model


def scaled_channel(network, factor):
    """The same masks, but one channel so large that the others have few of the 256 steps that they share with it."""
    kernel, bias, next_kernel, *others = network.get_weights()
    kernel[..., 0] *= factor
    bias[0] *= factor
    next_kernel[:, :, 0] /= factor
    network.set_weights([kernel, bias, next_kernel, *others])
    return network


@pytest.mark.parametrize("kind", ["saved_model", "segmenter_float32.tflite"])
def test_a_file_whose_two_signatures_differ_is_refused(photos, tmp_path, monkeypatch, kind):
    loader = "savedmodel_any_size" if kind == "saved_model" else "tflite_any_size"
    monkeypatch.setattr(formats, loader, lambda _: lambda picture: np.zeros(picture.shape[:2], "uint8"))
    with pytest.raises(ValueError, match=f"{kind}: its signatures serving_default and any_size are .* apart"):
        export(pixel_network([1.0, 0.0, 0.0]), photos, tmp_path)
    assert not (tmp_path / kind).exists()


def test_true_masks_decide_where_there_are_some():
    # Of 0.5 the one loses 0.005 and the other 0.02.
    assert formats._refusal({"iou": 0.9, "true_iou": 0.495}, 0.5, 0.01) is None
    assert formats._refusal({"iou": 1.0, "true_iou": 0.48}, 0.5, 0.01) == (
        "its IoU with the true ones is 0.4800, 0.02 below the Keras model's, allowed: 0.01"
    )
    assert formats._refusal({"iou": 1.0, "true_iou": 0.49996}, 0.5, 0) == (
        "its IoU with the true ones is 0.5000, 4e-05 below the Keras model's, allowed: 0"
    )
    assert formats._refusal({"iou": 0.98, "true_iou": None}, None, 0.01) == (
        "its IoU with the Keras model's masks is 0.98, allowed: 0.99 or more"
    )
    assert formats._refusal({"iou": 0.99, "true_iou": None}, None, 0.01) is None


def test_a_file_that_finds_something_else_is_refused_though_its_iou_is_as_good():
    refusal = "its IoU with the Keras model's masks is 0.89999, allowed: 0.9 or more"
    assert formats._refusal({"iou": 0.89999, "true_iou": 0.5}, 0.5, 0.01) == refusal
    assert formats._refusal({"iou": 0.8, "true_iou": 0.5}, 0.5, 0.3) is None  # who allows that much, allows this


def test_two_exports_do_not_write_to_one_folder_at_once(photos, tmp_path):
    with (
        file_lock(tmp_path, taken=None),
        pytest.raises(ValueError, match=f"another export is at work in {tmp_path}; wait for it, or name another"),
    ):
        export(pixel_network([1.0, 0.0, 0.0]), photos, tmp_path)


def test_a_folder_of_somebody_elses_is_left_alone(photos, tmp_path):
    (tmp_path / "saved_model").mkdir()
    (tmp_path / "saved_model" / "mine").write_text("mine")
    with pytest.raises(ValueError, match="holds saved_model that are not an earlier export's"):
        export(pixel_network([1.0, 0.0, 0.0]), photos, tmp_path)
    assert (tmp_path / "saved_model" / "mine").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("loss", [-0.1, 1.5, float("nan")])
def test_a_loss_that_is_none_is_refused(photos, tmp_path, loss):
    with pytest.raises(ValueError, match=f"max_iou_loss is {loss}, allowed: 0 to 1"):
        export(pixel_network([1.0, 0.0, 0.0]), photos, tmp_path, max_iou_loss=loss)


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


def test_an_agreement_on_nothing_can_be_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(formats, "_conversions", lambda *_, **__: {})
    export(pixel_network([0.0, 0.0, 0.0], bias=-1.0), grey(0, 255), tmp_path)
    printed = capsys.readouterr().out
    assert "Verifying on 1 held-out photos, where the Keras model's masks cover 0.0%." in printed
    assert "warning: the Keras model finds nothing on these photos, so every format is verified on nothing" in printed


def test_a_savedmodel_that_the_disk_cannot_hold_is_an_error_in_words(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limits[1]))  # no file beyond this can be written
    try:
        with pytest.raises(OSError, match=f"no SavedModel could be written to {tmp_path}/saved_model: "):
            write_savedmodel(pixel_network([1.0, 0.0, 0.0]), tmp_path / "saved_model")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
