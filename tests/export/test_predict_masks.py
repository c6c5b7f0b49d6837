import hashlib
import json
import subprocess

import archives
import pytest
import tensorflow as tf
import tiny
from edge_command import bright_network
from model_files import write_model
from PIL import Image

from configs import cars, cub
from export import mask_record
from export.predict_masks import predict_masks
from export.serving.savedmodel import write_savedmodel
from export.tflite.convert import to_tflite_float32
from tf_layered_gan.data.folder.photo_files import find_photos
from tf_layered_gan.data.paper_datasets import catalogue, datasets
from tf_layered_gan.files.file_lock import file_lock


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A segmenter as a SavedModel and as TFLite. It marks pixels that are brighter than grey 5 as foreground.

    The logits are 4 (r + g + b) + 11.5 with colours in [-1, 1]. At grey 0 the logit is -12 + 11.5 = -0.5, and at grey
    10 it is 12 (10 / 127.5 - 1) + 11.5 = 0.44.
    """
    network, folder = bright_network(), tmp_path_factory.mktemp("models")
    network.layers[-1].bias.assign([11.5])
    write_savedmodel(network, folder / "saved_model", "pad")
    (folder / "segmenter.tflite").write_bytes(to_tflite_float32(network))
    return folder


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A directory with the prepared cars. Car n has the grey 10 n."""
    path = tmp_path_factory.mktemp("tfds")
    with pytest.MonkeyPatch.context() as patch:
        archives.write("cars", path, patch)
        catalogue.prepare("cars", path)
    return path


def config(path, masks, module=cars):
    config = module.get_config()
    config.data.update({"path": str(path), "masks": str(masks) if masks else None, "holdout": 2})
    return config


@pytest.mark.parametrize("name", ["saved_model", "segmenter.tflite"])
def test_dataset_reads_the_masks(models, path, tmp_path, name):
    # There are 2 photos for validation and 2 for the test.
    assert predict_masks(config(path, tmp_path), models / name) == 4
    splits = datasets.load("cars", path=path, holdout=2, resolution=8, storage_size=8, masks=tmp_path)
    for photos in (splits.validation, splits.test):
        expected = photos.images[..., 0] > 5
        assert photos.masks.tolist() == expected.tolist()
    assert splits.test.masks.min() == 0 and splits.test.masks.max() == 1
    with Image.open(tmp_path / "cars_test" / "00002.png") as mask:
        assert mask.size == (30, 20) and mask.getextrema() == (255, 255)


def test_tilde_is_the_home_folder(models, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(datasets, "held_out", lambda *_, **__: [("1.png", Image.new("RGB", (4, 4)))])
    assert predict_masks(config("~", "~/masks [v2]"), models / "segmenter.tflite") == 1
    assert (tmp_path / "masks [v2]" / "1.png").exists()


def test_masks_that_exist_are_kept(models, path, tmp_path):
    (tmp_path / "cars_test").mkdir()
    Image.new("L", (30, 20), 77).save(tmp_path / "cars_test" / "00001.png")
    assert predict_masks(config(path, tmp_path), models / "saved_model") == 3
    with Image.open(tmp_path / "cars_test" / "00001.png") as mask:
        assert mask.getextrema() == (77, 77)


def test_record_says_how_the_masks_were_made(models, path, tmp_path):
    model, masks = models / "segmenter.tflite", tmp_path / "masks"
    predict_masks(config(path, masks), model, input_range=None, channel=0)
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    record = {"model": {"name": "segmenter.tflite", "sha256": sha256}, "flags": {"input_range": None, "channel": 0}}
    record["data"] = {"source": "cars", "path": str(path), "holdout": 2}
    assert json.loads((masks / "predicted_by.json").read_text()) == record
    # The file predicted_by.json is ignored when the masks are read, both for a dataset and for a folder of photos.
    assert datasets.load("cars", path=path, holdout=2, resolution=8, storage_size=8, masks=masks).test.masks.any()
    (tmp_path / "photos" / "cars_test").mkdir(parents=True)
    for name in ("00001", "00002"):
        Image.new("RGB", (30, 20)).save(tmp_path / "photos" / "cars_test" / f"{name}.jpg")
    sources = find_photos(tmp_path / "photos", masks)
    assert [source.mask.name for source in sources] == ["00001.png", "00002.png"]


def test_masks_of_two_models_are_not_mixed(models, path, tmp_path):
    predict_masks(config(path, tmp_path), models / "segmenter.tflite")
    (tmp_path / "cars_test" / "00001.png").unlink()
    for model, settings, what in (
        ("saved_model", {}, "model [0-9a-f]{64} instead of [0-9a-f]{64}"),
        ("segmenter.tflite", {"channel": 0}, r"flags {} instead of {'channel': 0}"),
    ):
        with pytest.raises(ValueError, match=f"were made with {what}: use the values in .*, or a new directory"):
            predict_masks(config(path, tmp_path), models / model, **settings)
    assert not (tmp_path / "cars_test" / "00001.png").exists()
    assert predict_masks(config(path, tmp_path), models / "segmenter.tflite") == 1


def test_second_command_on_the_same_masks_is_refused(models, tmp_path):
    masks = tmp_path / "masks"
    with (
        file_lock(masks, taken=pytest.fail),
        pytest.raises(ValueError, match=f"another command writes masks to {masks}"),
    ):
        predict_masks(config(tmp_path, masks), models / "segmenter.tflite")


def test_flags_that_wrote_no_mask_can_be_changed(models, path, tmp_path):
    model = write_model(tmp_path / "model", lambda x: tf.cast(x[..., :2], tf.float32) / 255, (1, 8, 8, 3), tf.uint8)
    with pytest.raises(ValueError, match="with no channel"):
        predict_masks(config(path, tmp_path / "masks"), model)
    assert predict_masks(config(path, tmp_path / "masks"), model, channel=1) == 4


def test_sha256_of_a_savedmodel_is_that_of_its_list_of_files(tmp_path):
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


def test_error_names_a_damaged_record(models, path, tmp_path):
    (tmp_path / "predicted_by.json").write_text("[]")
    with pytest.raises(ValueError, match="predicted_by.json is damaged"):
        predict_masks(config(path, tmp_path), models / "segmenter.tflite")


def test_dataset_with_true_masks_is_refused(models, path):
    with pytest.raises(ValueError, match="data.source is 'cub', allowed: dogs or cars"):
        predict_masks(config(path, None, module=cub), models / "saved_model")


def test_missing_directory_of_masks_is_refused(models, path):
    with pytest.raises(ValueError, match="data.masks is None, allowed: a directory"):
        predict_masks(config(path, None), models / "saved_model")


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", "link/out.png"])
def test_mask_outside_the_directory_is_refused(models, tmp_path, monkeypatch, name):
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "link").symlink_to(tmp_path)
    monkeypatch.setattr(datasets, "held_out", lambda *_, **__: [(name, Image.new("RGB", (4, 4)))])
    with pytest.raises(ValueError, match=f"the mask {name} would be written to {tmp_path}, which is not in data.masks"):
        predict_masks(config(tmp_path, tmp_path / "masks"), models / "segmenter.tflite")
    assert not (tmp_path / "out.png").exists()


@pytest.mark.slow
def test_command_line(tmp_path):
    model = write_model(tmp_path / "model", lambda x: x[..., :1])
    flags = (f"--model={model}", "--config=configs/cars.py", f"--config.data.masks={tmp_path / 'masks'}")
    code, output = tiny.finish(tiny.python("-m", "export.predict_masks", *flags, "--input_range=1,0"))
    assert code == 1 and output.endswith(
        "error: input_range is (1.0, 0.0), allowed: LOW,HIGH with LOW less than HIGH\n"
    )
