"""Tests of a run whose photos are moved after it has begun."""

import shutil

import numpy as np
import pytest
import tiny
from PIL import Image

from configs import folder
from tf_layered_gan.data import sources
from tf_layered_gan.runs.config_record import check_config, load_config, move_photos, record_config
from tf_layered_gan.runs.photo_record import check_photos
from tf_layered_gan.runs.run_photos import load_run_photos


@pytest.fixture
def photos(tmp_path):
    path = tmp_path / "photos"
    path.mkdir()
    for i in range(6):
        Image.new("RGB", (20, 20), (40 * i, 9, 9)).save(path / f"{i}.png")
    return path


@pytest.fixture
def workdir(photos, tmp_path):
    """A run that has read its photos."""
    config, workdir = tiny.run_config(folder, **{"data.path": str(photos)}), tmp_path / "run"
    record_config(config, workdir)
    check_photos(sources.load_photos(config, cache=workdir / "photos"), workdir)
    return workdir


def damage(photos, how):
    if how == "deleted":
        shutil.rmtree(photos)
    elif how == "moved":
        photos.rename(photos.with_name("elsewhere"))
    else:
        (photos / "3.png").rename(photos / "z.png")


@pytest.mark.parametrize("how", ["deleted", "moved", "renamed"])
def test_copies_are_used_if_the_photos_are_missing_or_different(photos, workdir, how, caplog):
    config = load_config(workdir)
    before = load_run_photos(config, workdir)
    damage(photos, how)
    after = load_run_photos(config, workdir)
    assert after.test.names == before.test.names
    np.testing.assert_array_equal(after.train.images, before.train.images)
    assert "the copies in" in caplog.text and "--photos=DIR" in caplog.text


def test_without_copies_the_flag_is_named(photos, workdir):
    damage(photos, "moved")
    shutil.rmtree(workdir / "photos")
    with pytest.raises(
        ValueError, match="photos is not a folder; if the photos were moved, name their new place with --photos"
    ):
        load_run_photos(load_config(workdir), workdir)


def test_new_place_of_the_same_photos_is_accepted(photos, workdir):
    damage(photos, "moved")
    config = load_config(workdir)
    move_photos(config, str(photos.with_name("elsewhere")), None)
    check_config(config, workdir)
    assert len(load_run_photos(config, workdir).train) == 4


def test_new_place_of_other_photos_is_refused(photos, workdir):
    damage(photos, "renamed")
    shutil.copytree(photos, photos.with_name("others"))
    config = load_config(workdir)
    move_photos(config, str(photos.with_name("others")), None)
    with pytest.raises(ValueError, match="was begun with other photos"):
        load_run_photos(config, workdir)
