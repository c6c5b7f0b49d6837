import os
import pathlib

import pytest
import tensorflow as tf

from tf_layered_gan.config import default_config, resolve_paths
from tf_layered_gan.files.paths import for_tensorflow, resolved

ODD = [
    "a [v2]",
    "a*b",
    "a?b",
    "{a,b}",
    "100%",
    "#1",
    "ü 鳥",
    "a\nb",
    "a\\b",
    "12:30",
    "~x",
    "$HOME",
    "-x",
    b"\xff".decode("utf-8", "surrogateescape"),
]


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_tensorflow_reads_what_it_wrote_in_every_folder(tmp_path, name):
    (tmp_path / name).mkdir()
    variable = tf.Variable(1.0)
    with for_tensorflow(tmp_path / name) as folder:
        path = tf.train.Checkpoint(v=variable).write(os.path.join(folder, "ckpt-1"))
        variable.assign(2.0)
        tf.train.Checkpoint(v=variable).read(path).assert_existing_objects_matched()
    assert variable.numpy() == 1 and (tmp_path / name / "ckpt-1.index").exists()


def test_paths_become_absolute_and_a_tilde_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "~x").mkdir()
    given = ["~/photos", "~", "photos", "/a/../b", "a:b", "~x", ""]
    home, here = str(tmp_path / "home"), str(tmp_path)
    expected = [f"{home}/photos", home, f"{here}/photos", "/a/../b", f"{here}/a:b", f"{here}/~x", ""]
    assert [resolved(path, "--workdir") for path in given] == expected


@pytest.mark.parametrize("path", ["photos/*.jpg", "photos/IMG_????", "[ab]"])
def test_pattern_that_the_shell_left_alone_is_refused_where_something_must_exist(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="which does not exist: the shell has not replaced the"):
        resolved(path, "--photos", exists=True)
    assert resolved(path, "--workdir") == str(tmp_path / path)  # a path that does not have to exist may have any name
    pathlib.Path(path).mkdir(parents=True)
    assert resolved(path, "--photos", exists=True) == str(tmp_path / path)


def test_home_of_nobody_is_refused():
    with pytest.raises(ValueError, match="--workdir is ~nobody-here/runs, but there is no home folder ~nobody-here"):
        resolved("~nobody-here/runs", "--workdir")


def test_every_path_in_a_config_is_resolved(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    config = default_config()
    config.data.path, config.data.masks, config.metrics.inception = "~/photos", "~/masks", "~/weights.npz"
    resolve_paths(config)
    assert (config.data.path, config.data.masks) == (f"{tmp_path}/photos", f"{tmp_path}/masks")
    assert config.metrics.inception == f"{tmp_path}/weights.npz"
