"""Tests of a labeller: another segmenter, which makes the masks of the bootstrap."""

import types

import numpy as np
import pytest
import tensorflow as tf
import tiny
from model_files import write_model

from configs import shapes
from tf_layered_gan.config import validate
from tf_layered_gan.data import sources
from tf_layered_gan.labelling import labels
from tf_layered_gan.training import photo_passes, session
from tf_layered_gan.training.dry_run import dry_run
from tf_layered_gan.training.labeller import mask_finder

BRIGHT_LEFT = np.zeros((2, 16, 16, 3), np.uint8)
BRIGHT_LEFT[:, :, :6] = 200
TWO_CLASSES = {"refine.labeller_range": (-1.0, 1.0), "refine.labeller_logits": True, "refine.labeller_channel": 1}


def config_with(path, **settings):
    return tiny.run_config(shapes, **{"refine.bootstrap": True, "refine.labeller": str(path), **settings})


def is_bright(pixels):
    """Takes uint8 pixels and marks bright objects."""
    return tf.cast(pixels[..., :1], tf.float32) / 255


@pytest.mark.parametrize("name", ["model", "model.tflite"])
def test_the_labeller_makes_the_masks(tmp_path, name):
    path = write_model(tmp_path / name, is_bright, (1, 32, 32, 3), tf.uint8)
    np.testing.assert_array_equal(mask_finder(config_with(path))(BRIGHT_LEFT), BRIGHT_LEFT[..., 0] > 0)


def test_the_config_describes_a_labeller_with_another_input_and_output(tmp_path):
    path = write_model(tmp_path / "model.tflite", lambda x: tf.concat([-x[..., :1], x[..., :1]], -1), (1, 8, 8, 3))
    masks = mask_finder(config_with(path, **TWO_CLASSES))(BRIGHT_LEFT)
    np.testing.assert_array_equal(masks, BRIGHT_LEFT[..., 0] > 0)
    with pytest.raises(ValueError, match="is float32 .* with no size, allowed: uint8"):
        mask_finder(config_with(path))


def test_without_a_labeller_grabcut_makes_the_masks():
    assert mask_finder(tiny.run_config(shapes, **{"refine.bootstrap": True})) is labels.find_masks


def test_the_bootstrap_learns_the_masks_of_the_labeller(tmp_path):
    path = write_model(tmp_path / "model.tflite", lambda x: x[..., :1], (1, 8, 8, 3))
    config = config_with(path, **{"refine.labeller_range": (0.0, 1.0), "refine.mask_size": (0.0, 1.0)})
    find_masks, splits = mask_finder(config), sources.load_photos(config)
    run = types.SimpleNamespace(config=config, splits=splits, find_masks=find_masks)
    photos, _, _ = photo_passes._labelled_photos(run, tmp_path, {})
    np.testing.assert_array_equal(photos.masks, find_masks(splits.train.images))
    assert (photos.masks != labels.find_masks(splits.train.images)).any()


@pytest.mark.parametrize("name", ["no_model", "missing", "logits"])
def test_a_labeller_that_cannot_be_used_is_refused_before_anything_is_written(tmp_path, name):
    (tmp_path / "no_model").write_bytes(b"no model")
    write_model(tmp_path / "logits.tflite", lambda x: 100 * x[..., :1], (1, 8, 8, 3))
    path = tmp_path / ("logits.tflite" if name == "logits" else name)
    config = config_with(path, **({"refine.labeller_range": (-1.0, 1.0)} if name == "logits" else {}))
    with pytest.raises(ValueError, match=name), session.open_session(config, tmp_path / "run"):
        pass
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match=name):
        dry_run(config, tmp_path / "run")


def test_a_labeller_without_a_bootstrap_and_settings_without_a_labeller_are_refused():
    with pytest.raises(ValueError, match="refine.labeller is .*none if refine.bootstrap is False"):
        validate(config_with("model.tflite", **{"refine.bootstrap": False}))
    config = tiny.run_config(shapes, **{"refine.labeller_size": 8})
    with pytest.raises(ValueError, match="refine.labeller_size is 8, allowed: 0 if refine.labeller is none"):
        validate(config)
