import errno
import fcntl
import os
import subprocess
import sys

import pytest
import tiny

from configs import shapes
from export.export_run import export_run
from tf_layered_gan import evaluate, synthesize, train
from tf_layered_gan.data import sources
from tf_layered_gan.files import file_lock
from tf_layered_gan.runs.config_record import load_config, record_config
from tf_layered_gan.runs.workdir_lock import locked

HOLD = """
import sys
from tf_layered_gan.runs.workdir_lock import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    input()
"""


@pytest.fixture
def held(tmp_path):
    """A workdir, and another process that holds the lock of the workdir."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "run")], cwd=tiny.ROOT, **pipes) as process:
        assert process.stdout.readline() == "held\n"
        yield tmp_path / "run", process
        process.kill()


def test_second_run_in_a_workdir_is_refused_and_writes_nothing(held):
    workdir, _ = held
    with pytest.raises(ValueError, match=f"another run is at work in {workdir}; wait for it, or take another workdir"):
        train.train(tiny.run_config(shapes), workdir)
    assert {path.name for path in workdir.iterdir()} == {"lock", "photos"}  # images are drawn before the lock is taken


def test_workdir_that_another_run_began_while_the_photos_were_read_is_refused(tmp_path, monkeypatch):
    load, other = sources.load_photos, tiny.run_config(shapes, seed=7)
    monkeypatch.setattr(sources, "load_photos", lambda *_, **__: record_config(other, tmp_path) or load(other))
    with pytest.raises(ValueError, match="begun with other values of seed"):
        train.train(tiny.run_config(shapes), tmp_path)
    assert load_config(tmp_path).seed == 7


def test_nothing_is_evaluated_synthesised_or_exported_beside_a_run(run_copy):
    config, before = load_config(run_copy), sorted(path.stat().st_mtime_ns for path in run_copy.rglob("*.*"))
    with locked(run_copy):
        for work in (evaluate.evaluate, lambda *given: synthesize.write_dataset(*given, count=1)):
            with pytest.raises(ValueError, match="another run is at work in"):
                work(config, run_copy)
        with pytest.raises(ValueError, match="another run is at work in"):
            export_run(run_copy)
    assert sorted(path.stat().st_mtime_ns for path in run_copy.rglob("*.*")) == before


def test_file_system_without_locks_is_named_and_the_run_goes_on(tmp_path, monkeypatch, caplog):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with locked(tmp_path):
        pass
    assert f"{tmp_path} cannot be locked: its file system has no locks (No locks available); start " in caplog.text


def test_a_folder_that_cannot_be_written_to_needs_a_lock_of_earlier(tmp_path, monkeypatch):
    def read_only(path, mode="r", **_):
        if mode != "r":
            raise OSError(errno.EROFS, "Read-only file system")
        return open(path)

    monkeypatch.setattr(file_lock, "open", read_only, raising=False)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OSError, match="Read-only"), locked(tmp_path):
        pass
    (tmp_path / "lock").touch()
    with locked(tmp_path), pytest.raises(ValueError, match="another run is at work"), locked(tmp_path):
        pass


def test_killed_run_holds_no_lock(held):
    workdir, process = held
    process.kill()
    process.wait()
    with locked(workdir):
        pass


def test_finished_run_holds_no_lock(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "run"):
            pass
