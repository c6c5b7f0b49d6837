import json
import resource
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tiny

from configs import folder, shapes
from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.models import build
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import check_config, load_config, record_config
from tf_layered_gan.runs.photo_record import check_photos
from tf_layered_gan.runs.restore import restore_run


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


def rewrite(workdir, change):
    """Changes a run's config.json as another version would have written it."""
    recorded = json.loads((workdir / "config.json").read_text())
    change(recorded)
    (workdir / "config.json").write_text(json.dumps(recorded))


def lack_two_and_hold_one(recorded):
    del recorded["gan"]["ema_decay"], recorded["codes"]["prior"]
    recorded["gan"]["gamma_old"] = 1.0


OTHER_FIELDS = r"config.json lacks codes.prior, gan.ema_decay and has the unknown gan.gamma_old: another version wrote"


def test_a_config_of_another_version_is_refused_by_its_fields(begun):
    rewrite(begun, lack_two_and_hold_one)
    with pytest.raises(ValueError, match=OTHER_FIELDS):
        load_config(begun)
    with pytest.raises(ValueError, match=OTHER_FIELDS):
        check_config(tiny.run_config(shapes), begun)


def test_a_section_that_is_missing_is_refused_by_its_fields(begun):
    rewrite(begun, lambda recorded: recorded.pop("metrics"))
    with pytest.raises(ValueError, match="config.json lacks metrics.fid_samples, metrics.inception: another version"):
        load_config(begun)


def test_a_run_of_another_version_goes_on_where_only_what_may_change_is_missing(begun):
    rewrite(begun, lambda recorded: recorded["metrics"].pop("fid_samples"))
    check_config(tiny.run_config(shapes), begun)


@pytest.mark.parametrize("read", [load_config, lambda workdir: check_config(tiny.run_config(shapes), workdir)])
def test_a_config_that_was_cut_off_is_named(begun, read):
    path = begun / "config.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(ValueError, match=f"{path} is damaged: "):
        read(begun)


def test_a_config_with_a_value_of_another_kind_is_named(begun):
    rewrite(begun, lambda recorded: recorded.update(batch_size="4"))
    with pytest.raises(ValueError, match="config.json is damaged: .*batch_size"):
        load_config(begun)


def test_a_new_workdir_takes_any_config(tmp_path):
    check_config(tiny.run_config(shapes), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_same_config_may_go_on(begun):
    check_config(tiny.run_config(shapes), begun)


def test_another_config_is_refused_by_its_fields(begun):
    other = {"gan.gamma_mi": 3.0, "seed": 7, "data.crop_scale": (0.5, 1.0), "schedule.gan_images_per_round": 99}
    fields = "data.crop_scale, gan.gamma_mi, schedule.gan_images_per_round, seed"
    with pytest.raises(ValueError, match=f"other values of {fields}; take another"):
        check_config(tiny.run_config(shapes, **other), begun)


def test_what_leaves_earlier_steps_as_they_were_may_change(begun):
    changes = {"schedule.rounds": 9, "schedule.final_segmenter_steps": 9, "schedule.annealed_rounds": 1}
    changes |= {"monitoring.scalars_every": 7, "jit": True, "distribution": "mirrored", "data.classes": r"^\d+"}
    changes |= {"metrics.inception": "inception.npz"}
    check_config(tiny.run_config(shapes, **changes), begun)


def test_a_workdir_among_the_photos_is_refused(tmp_path):
    photos = tmp_path / "around" / "photos"
    config = tiny.run_config(folder, **{"data.path": str(photos)})
    with pytest.raises(ValueError, match="in the folder of photos, which would take its pictures for photos too"):
        check_config(config, photos / "runs" / "mine")
    check_config(config, photos.parent)


def test_a_run_goes_on_with_the_photos_it_was_begun_with_alone(tmp_path):
    def splits(*train):
        held_out = Photos(np.zeros((1, 2, 2, 3), np.uint8), None, ("v",))
        return Splits(Photos(np.zeros((len(train), 2, 2, 3), np.uint8), None, train), held_out, held_out)

    for _ in range(2):
        check_photos(splits("a", "b"), tmp_path)
    for other in (("a", "c"), ("a", "b", "c"), ("b", "a")):
        with pytest.raises(ValueError, match=r"begun with other photos \(2 / 1 / 1 to train, .*, now \d / 1 / 1\)"):
            check_photos(splits(*other), tmp_path)


@pytest.mark.parametrize("content", ['{"train": 5}', '{"train": {}}', '{"train": null, "test": {"photos": 1}}'])
def test_a_damaged_record_of_the_photos_is_named(tmp_path, content):
    photos = Photos(np.zeros((1, 2, 2, 3), np.uint8), None, ("a",))
    (tmp_path / "photos.json").write_text(content)
    with pytest.raises(ValueError, match=f"{tmp_path / 'photos.json'} is damaged: "):
        check_photos(Splits(photos, photos, photos), tmp_path)


@pytest.fixture(scope="module")
def checkpointed(tmp_path_factory):
    """A workdir with two checkpoints, after steps 1 and 2; its config."""
    workdir, config = tmp_path_factory.mktemp("checkpointed"), tiny.run_config(shapes)
    record_config(config, workdir)
    segmenter = build.build_segmenter(config)
    checkpointer = Checkpointer(workdir, build.build_gan(config, segmenter), segmenter)
    for step in (1, 2):
        checkpointer.gan_step.assign(step)
        checkpointer.save()
    return workdir, config


def cut(path, share):
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


DATA = "ckpt-{}.data-00000-of-00001"


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["ckpt-2.index", DATA.format(2)])
def test_of_a_checkpoint_that_was_cut_off_the_one_before_is_taken(checkpointed, name, share, tmp_path, caplog):
    workdir, config = shutil.copytree(checkpointed[0], tmp_path / "run"), checkpointed[1]
    cut(workdir / "checkpoints" / name, share)
    _, _, checkpointer = restore_run(config, workdir)
    assert checkpointer.gan_step.numpy() == 1
    assert f"{workdir}/checkpoints/ckpt-2 is damaged and left out" in caplog.text
    checkpointer.gan_step.assign(3)
    checkpointer.save()
    (workdir / "checkpoints" / "ckpt-1.index").unlink()
    assert restore_run(config, workdir)[2].gan_step.numpy() == 3


def test_what_is_not_the_files_fault_damages_no_checkpoint(checkpointed, monkeypatch):
    def fail(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "no memory")

    monkeypatch.setattr(tf.train.Checkpoint, "read", fail)
    with pytest.raises(tf.errors.ResourceExhaustedError, match="no memory"):
        restore_run(checkpointed[1], checkpointed[0])


def test_a_run_none_of_whose_checkpoints_can_be_read_is_refused(checkpointed, tmp_path):
    workdir, config = shutil.copytree(checkpointed[0], tmp_path / "run"), checkpointed[1]
    for number in (1, 2):
        cut(workdir / "checkpoints" / DATA.format(number), 0.1)
    with pytest.raises(ValueError, match=f"no checkpoint in {workdir}/checkpoints can be read, so the run cannot go"):
        restore_run(config, workdir)


def test_a_full_disk_is_said_and_leaves_what_was_saved(checkpointed, tmp_path):
    workdir, config = shutil.copytree(checkpointed[0], tmp_path / "run"), checkpointed[1]
    _, _, checkpointer = restore_run(config, workdir)
    checkpointer.gan_step.assign(3)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))  # no file beyond this can be written
    try:
        with pytest.raises(OSError, match=f"no checkpoint could be written to {workdir}/checkpoints: "):
            checkpointer.save()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert restore_run(config, workdir)[2].gan_step.numpy() == 2


@pytest.mark.parametrize("part", ["weight", "average", "optimizer"])
def test_what_is_not_finite_is_never_saved(checkpointed, tmp_path, part):
    workdir, config = shutil.copytree(checkpointed[0], tmp_path / "run"), checkpointed[1]
    gan, segmenter, checkpointer = restore_run(config, workdir)
    holders = {"weight": gan.discriminator, "average": segmenter.average_network, "optimizer": gan.optimizer}
    variable = holders[part].variables[-1]
    variable.assign(variable * np.nan)
    with pytest.raises(FloatingPointError, match="is not finite, so no checkpoint is written"):
        checkpointer.save()
    assert restore_run(config, workdir)[2].gan_step.numpy() == 2


def test_a_workdir_without_a_checkpoint_cannot_be_restored(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"no checkpoint in {tmp_path}: train first"):
        restore_run(tiny.run_config(shapes), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_that_lacks_a_variable_is_refused(begun):
    written = tf.train.Checkpoint(gan_step=tf.Variable(3, dtype=tf.int64))
    written.write(str(begun / "checkpoints" / "ckpt-1"))
    with pytest.raises(ValueError, match="was written by another version of this program; take another workdir"):
        restore_run(tiny.run_config(shapes), begun)
