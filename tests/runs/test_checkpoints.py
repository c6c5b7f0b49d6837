import gc
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tiny

from configs import shapes
from tf_layered_gan.models import build
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import record_config
from tf_layered_gan.runs.restore import restore_run

DATA = "ckpt-{}.data-00000-of-00001"


@pytest.fixture(scope="module")
def models():
    """The GAN and the segmenter. Both are built once, and each test restores or changes their values."""
    config = tiny.run_config(shapes)
    segmenter = build.build_segmenter(config)
    return build.build_gan(config, segmenter), segmenter


@pytest.fixture(scope="module")
def two_checkpoints(models, tmp_path_factory):
    """A workdir with checkpoints after the steps 1 and 2."""
    workdir = tmp_path_factory.mktemp("checkpoints")
    checkpointer = Checkpointer(workdir, *models)
    for step in (1, 2):
        checkpointer.gan_step.assign(step)
        checkpointer.save()
    return workdir


@pytest.fixture
def workdir(two_checkpoints, tmp_path):
    return shutil.copytree(two_checkpoints, tmp_path / "run")


@pytest.fixture
def restored(models):
    """Restores the models from a workdir, and returns their Checkpointer."""

    def restore(workdir):
        checkpointer = Checkpointer(workdir, *models)
        assert checkpointer.restore()
        return checkpointer

    return restore


def truncate(path, share):
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["ckpt-2.index", DATA.format(2)])
def test_truncated_checkpoint_gives_way_to_the_one_before(workdir, restored, name, share, caplog):
    truncate(workdir / "checkpoints" / name, share)
    checkpointer = restored(workdir)
    assert checkpointer.gan_step.numpy() == 1
    assert f"{workdir}/checkpoints/ckpt-2 is damaged and left out" in caplog.text
    # The next checkpoint replaces the damaged one.
    checkpointer.gan_step.assign(3)
    checkpointer.save()
    (workdir / "checkpoints" / "ckpt-1.index").unlink()
    assert restored(workdir).gan_step.numpy() == 3


def test_lack_of_memory_is_no_damage(workdir, restored, monkeypatch):
    def fail(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "no memory")

    monkeypatch.setattr(tf.train.Checkpoint, "read", fail)
    with pytest.raises(tf.errors.ResourceExhaustedError, match="no memory"):
        restored(workdir)


def test_run_without_a_readable_checkpoint_is_refused(workdir, restored):
    for number in (1, 2):
        truncate(workdir / "checkpoints" / DATA.format(number), 0.1)
    with pytest.raises(
        ValueError, match=f"no checkpoint in {workdir}/checkpoints can be read, so the run cannot be continued"
    ):
        restored(workdir)


def test_full_disk_is_named_and_leaves_earlier_checkpoints(workdir, restored):
    checkpointer = restored(workdir)
    checkpointer.gan_step.assign(3)
    message = f"no checkpoint could be written to {workdir}/checkpoints: "
    with tiny.full_disk(10_000), pytest.raises(OSError, match=message):
        checkpointer.save()
    assert restored(workdir).gan_step.numpy() == 2


@pytest.mark.parametrize("part", ["weight", "average", "optimizer"])
def test_value_that_is_not_finite_is_never_saved(workdir, models, restored, part):
    (gan, segmenter), checkpointer = models, restored(workdir)
    owners = {"weight": gan.discriminator, "average": segmenter.average_network, "optimizer": gan.optimizer}
    variable = owners[part].variables[-1]
    variable.assign(variable * np.nan)
    with pytest.raises(FloatingPointError, match="is not finite, so no checkpoint is written"):
        checkpointer.save()
    assert restored(workdir).gan_step.numpy() == 2


def test_run_is_restored_into_new_models(workdir):
    config = tiny.run_config(shapes)
    record_config(config, workdir)
    gan, segmenter, checkpointer = restore_run(config, workdir)
    assert checkpointer.gan_step.numpy() == 2
    assert gan.segmenter is segmenter.average_network


def test_segmenter_alone_is_restored_without_warnings(workdir, models, monkeypatch):
    warnings = []
    monkeypatch.setattr(tf.get_logger(), "warning", lambda *message, **_: warnings.append(message))
    assert Checkpointer(workdir, None, models[1]).restore()
    gc.collect()  # when its checkpoint object is deleted, TensorFlow warns of values that were not restored
    assert not warnings


def test_workdir_without_a_checkpoint_cannot_be_restored(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"no checkpoint in {tmp_path}: train first"):
        restore_run(tiny.run_config(shapes), tmp_path)
    assert not list(tmp_path.iterdir())


def test_checkpoint_of_another_version_is_refused(restored, tmp_path):
    tf.train.Checkpoint(gan_step=tf.Variable(3, dtype=tf.int64)).write(str(tmp_path / "checkpoints" / "ckpt-1"))
    with pytest.raises(ValueError, match="was written by another version of this program; take another workdir"):
        restored(tmp_path)


@pytest.mark.parametrize("name", ["birds [v2]", "a\\b", b"\xff".decode("utf-8", "surrogateescape")], ids=ascii)
def test_checkpoints_are_restored_from_a_folder_of_any_name(workdir, restored, name):
    renamed = workdir.rename(workdir.with_name(name))  # TensorFlow interprets a path as a pattern
    checkpointer = restored(renamed)
    checkpointer.save()
    assert restored(renamed).gan_step == 2 and (renamed / "checkpoints" / "ckpt-3.index").exists()
