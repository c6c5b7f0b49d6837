"""Tests that links and pipes in a workdir cannot make a run write elsewhere."""

import os
import shutil

import numpy as np
import pytest
import tiny

from configs import shapes
from export.export_run import export_run
from tf_layered_gan import evaluate, synthesize, train
from tf_layered_gan.evaluation.image_grid import save_png
from tf_layered_gan.files import cache_folder
from tf_layered_gan.files.records import write_record
from tf_layered_gan.runs.config_record import load_config, record_config
from tf_layered_gan.runs.workdir_links import check_links

FILES = (
    "config.json",
    "photos.json",
    "metrics.json",
    "curve.csv",
    "lock",
    "samples/step_0000001.png",
    "test/sheet.png",
)
FOLDERS = ("checkpoints", "samples", "test/images", "tensorboard", "synthetic", "export", "photos", "fid")


@pytest.fixture
def outside(tmp_path):
    """A folder outside the workdir, in which a run must change nothing."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("mine")
    return tmp_path / "outside"


@pytest.fixture
def workdir(tmp_path):
    (tmp_path / "sweep" / "cub" / "run").mkdir(parents=True)
    record_config(tiny.run_config(shapes), tmp_path / "sweep" / "cub" / "run")
    return tmp_path / "sweep" / "cub" / "run"


def link(path, target):
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def assert_refused_everywhere(workdir, message):
    config = tiny.run_config(shapes)
    for mode in (train.train, evaluate.evaluate, lambda *given: synthesize.write_dataset(*given, count=1)):
        with pytest.raises(ValueError, match=message):
            mode(config, workdir)
    with pytest.raises(ValueError, match=message):
        load_config(workdir)
    with pytest.raises(ValueError, match=message):
        export_run(workdir, workdir / "export")


@pytest.mark.parametrize("name", FILES)
def test_link_to_a_file_elsewhere_is_refused(workdir, outside, name):
    link(workdir / name, outside / "file")
    assert_refused_everywhere(workdir, f"{workdir / name} leads out of the workdir, to {outside / 'file'}: remove it")
    assert (outside / "file").read_text() == "mine"


@pytest.mark.parametrize("name", FOLDERS)
def test_link_to_a_folder_elsewhere_is_refused(workdir, outside, name):
    link(workdir / name, os.path.relpath(outside, (workdir / name).parent))
    assert_refused_everywhere(workdir, f"{workdir / name} leads out of the workdir, to {outside}: remove it")
    assert os.listdir(outside) == ["file"]


@pytest.mark.parametrize("target", ["../new", "/nowhere/at/all", "../../../../../../../../etc"])
def test_link_to_a_missing_file_elsewhere_is_refused(workdir, target):
    link(workdir / "metrics.json", target)
    with pytest.raises(ValueError, match="metrics.json leads out of the workdir"):
        check_links(workdir)


def test_link_that_leads_out_through_others_is_refused(workdir, outside):
    link(workdir / "samples", "a")
    link(workdir / "a", "b")
    link(workdir / "b", outside)
    with pytest.raises(ValueError, match="leads out of the workdir"):
        check_links(workdir)


@pytest.mark.parametrize("name", ["config.json", "lock", "curve.csv"])
def test_pipe_is_refused_without_waiting(workdir, name):
    (workdir / name).unlink(missing_ok=True)
    os.mkfifo(workdir / name)
    assert_refused_everywhere(workdir, f"{workdir / name} is neither a file nor a folder: remove it")


def test_links_within_a_workdir_and_to_the_workdir_are_allowed(workdir, tmp_path):
    link(workdir / "latest", "checkpoints")
    link(workdir / "round", "round")
    link(tmp_path / "elsewhere", workdir)
    check_links(tmp_path / "elsewhere")
    check_links(tmp_path / "not_there_yet")


def test_links_to_the_caches_of_a_sweep_are_allowed(workdir, outside):
    for name in ("photos", "fid"):
        cache_folder.claim(workdir.parents[1] / name)
        link(workdir / name, f"../../{name}")
    check_links(workdir)
    link(workdir / "photos", "../../fid")
    with pytest.raises(ValueError, match="photos leads out of the workdir"):
        check_links(workdir)


def test_links_to_other_folders_in_a_caches_place_are_refused(workdir, outside):
    shared = workdir.parents[1] / "photos"
    shared.mkdir()
    (shared / "mine.jpg").touch()
    link(workdir / "photos", "../../photos")
    with pytest.raises(ValueError, match="photos leads out of the workdir"):
        check_links(workdir)
    shutil.rmtree(shared)
    cache_folder.claim(outside / "cache")
    shared.symlink_to(outside / "cache")
    with pytest.raises(ValueError, match="photos leads out of the workdir"):
        check_links(workdir)


@pytest.mark.parametrize("name", ["photos", "fid"])
@pytest.mark.parametrize("below", ["tmp_trip/mine.jpg", "CACHEDIR.TAG"])
def test_folder_of_the_user_is_not_taken_for_a_cache(workdir, name, below):
    mine = workdir / name / below
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    refused = pytest.raises(ValueError, match=f"{name} is used as a cache, but holds other files")
    with refused:
        check_links(workdir)
    with refused:
        cache_folder.claim(workdir / name)
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("make", [os.link, os.symlink])
@pytest.mark.parametrize(
    "write", [lambda path: save_png(np.zeros((2, 2), np.uint8), path), lambda path: write_record(path, {})]
)
def test_written_file_replaces_a_link(outside, tmp_path, make, write):
    make(outside / "file", tmp_path / "result")
    write(tmp_path / "result")
    assert (outside / "file").read_text() == "mine" != (tmp_path / "result").read_bytes()
    assert not (tmp_path / "result").is_symlink()
