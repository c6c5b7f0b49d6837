"""Tests that the program works without modules and functions that macOS or Windows lack.

The tests hide these modules and functions from Python.
"""

import ast
import pathlib

import pytest
import tiny

ROOT = pathlib.Path(__file__).parents[1]
POSIX = {"fcntl", "grp", "pwd", "resource", "termios", "tty", "pty", "curses", "readline", "syslog"}
LOCKS = "edge_segmenter/files/lock.py"  # has substitutes

LACKING = """
import os, signal, sys
sys.modules["fcntl"] = sys.modules["resource"] = None
for name in "posix_fallocate sysconf sched_getaffinity getuid mkfifo".split():
    delattr(os, name)
for name in "SIGHUP SIGALRM setitimer".split():
    delattr(signal, name)
"""
USES = """
from tf_layered_gan.command_line import run_command
from tf_layered_gan.files.allocation import reserve
from tf_layered_gan.files.file_lock import file_lock
from tf_layered_gan.files.time_limit import time_limit

def main(folder):
    with file_lock(folder, taken=print), time_limit(1), open(folder + "/a", "wb") as file:
        file.write(b"header")
        file.truncate(3_000_000)
    reserve(folder + "/a")
    print(open(folder + "/a", "rb").read(6), os.path.getsize(folder + "/a"), os.stat(folder + "/a").st_blocks >= 5800)

run_command(main, "FOLDER")
"""


def test_files_are_locked_and_reserved_by_other_means(tmp_path):
    status, printed = tiny.finish(tiny.python("-c", LACKING + USES, tmp_path))
    assert (status, printed.splitlines()[-1]) == (0, "b'header' 3000000 True")
    assert "this system has no file locks" in printed


def test_windows_lock_is_held_by_one_process(tmp_path, monkeypatch):
    from edge_segmenter.files import lock as system_lock
    from tf_layered_gan.files.file_lock import file_lock

    class Msvcrt:
        LK_NBLCK, held = 1, False

        def locking(self, *_):
            if self.held:
                raise OSError(13, "Permission denied")
            self.held = True

    def refuse():
        raise ValueError("taken")

    monkeypatch.setattr(system_lock, "fcntl", None)
    monkeypatch.setattr(system_lock, "msvcrt", Msvcrt())
    held = file_lock(tmp_path, taken=refuse)
    with held, pytest.raises(ValueError, match="taken"), file_lock(tmp_path, taken=refuse):
        pass


@pytest.mark.parametrize("folder", ["tf_layered_gan", "export", "edge_segmenter"])
def test_no_module_needs_what_only_posix_has(folder):
    for path in (ROOT / folder).rglob("*.py"):
        if "build" in path.relative_to(ROOT).parts:  # the folder `build` holds a copy of the package, left by pip
            continue
        trees = ast.walk(ast.parse(path.read_text()))
        names = {alias.name for node in trees if isinstance(node, ast.Import) for alias in node.names}
        assert not names & POSIX or path == ROOT / LOCKS, path


FOREIGN = """{"floatx": "float16", "image_data_format": "channels_first", "backend": "jax", "epsilon": 0.1}"""
IMPORT = "from tf_layered_gan import models"
USE = """
from tf_layered_gan import load_segmenter
try:
    load_segmenter("docs")
except FileNotFoundError:  # it is no run
    pass
"""
SETTINGS = """
import keras
print(keras.config.floatx(), keras.config.image_data_format(), keras.config.backend(), keras.config.epsilon())
print(keras.layers.Dense(1).dtype_policy.name)
"""


@pytest.mark.parametrize("program", [IMPORT, USE], ids=["import", "use"])
def test_settings_of_keras_do_not_come_from_the_home_folder(tmp_path, program):
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(FOREIGN)
    home = {"HOME": str(tmp_path), "KERAS_HOME": str(tmp_path / ".keras"), "KERAS_BACKEND": "jax"}
    status, printed = tiny.finish(tiny.python("-c", program + SETTINGS, **home))
    assert status == 0 and printed.splitlines()[-2:] == ["float32 channels_last tensorflow 1e-07", "float32"]
    assert "Keras's floatx is float16" in printed
