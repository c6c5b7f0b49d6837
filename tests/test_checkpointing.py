import json

import pytest
import tensorflow as tf
import tiny

from configs import shapes
from tf_layered_gan.checkpointing import check_config, load_config, record_config, restore_run


@pytest.fixture
def begun(tmp_path):
    record_config(tiny.run_config(shapes), tmp_path)
    return tmp_path


def test_resolved_config_is_recorded(tmp_path):
    record_config(tiny.run_config(shapes, seed=5), tmp_path / "new")
    recorded = json.loads((tmp_path / "new" / "config.json").read_text())
    assert recorded["seed"] == 5
    assert recorded["data"]["crop_scale"] == [1.0, 1.0]
    assert recorded["data"]["path"] is None


def test_a_recorded_config_is_read_back_as_it_was(begun):
    assert load_config(begun).to_dict() == tiny.run_config(shapes).to_dict()


def test_a_new_workdir_takes_any_config(tmp_path):
    check_config(tiny.run_config(shapes), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_same_config_may_go_on(begun):
    check_config(tiny.run_config(shapes), begun)


def test_another_config_is_refused_by_its_fields(begun):
    other = {"gan.gamma_mi": 3.0, "seed": 7, "data.crop_scale": (0.5, 1.0)}
    with pytest.raises(ValueError, match="other values of data.crop_scale, gan.gamma_mi, seed; take another"):
        check_config(tiny.run_config(shapes, **other), begun)


def test_what_leaves_earlier_steps_as_they_were_may_change(begun):
    changes = {"schedule.rounds": 9, "monitoring.scalars_every": 7, "jit": True, "distribution": "mirrored"}
    changes |= {"metrics.inception": "inception.npz"}
    check_config(tiny.run_config(shapes, **changes), begun)


def test_a_workdir_without_a_checkpoint_cannot_be_restored(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"no checkpoint in {tmp_path}: train first"):
        restore_run(tiny.run_config(shapes), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_that_lacks_a_variable_is_refused(begun):
    written = tf.train.Checkpoint(gan_step=tf.Variable(3, dtype=tf.int64))
    tf.train.CheckpointManager(written, begun / "checkpoints", max_to_keep=1).save()
    with pytest.raises(ValueError, match="was written by another version of this program; take another workdir"):
        restore_run(tiny.run_config(shapes), begun)
