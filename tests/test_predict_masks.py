import archives
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from test_edge import bright_network

from configs import cars, cub
from export.predict_masks import load_segmenter, predict_masks
from export.savedmodel import write_savedmodel
from export.tflite import to_tflite_float32
from tf_layered_gan.data import datasets


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


def test_savedmodel_of_another_input_is_refused(tmp_path):
    module = tf.Module()
    module.f = tf.function(lambda x: x, input_signature=[tf.TensorSpec([None, 8, 8, 3], tf.float32)])
    tf.saved_model.save(module, str(tmp_path), signatures=module.f.get_concrete_function())
    with pytest.raises(ValueError, match=r"must take uint8 \[batch, R, R, 3\], got .*float32"):
        load_segmenter(tmp_path)
