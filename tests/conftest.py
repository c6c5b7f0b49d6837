"""Fixtures for the tests in every folder.

TensorFlow is imported inside the fixtures, because the main process of pytest-xdist does not need it.
"""

import os
import pathlib
import shutil

import pytest

from tf_layered_gan.interruption import Interrupted

# TensorFlow uses one thread in each worker of pytest-xdist. With one thread, the order of sums is fixed, so equal runs
# give exactly equal results.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup():
    """Ends pytest if a signal ends a run in a fixture."""
    return (yield from _ended_by_signals())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    """Ends pytest if a signal ends a run in a test."""
    return (yield from _ended_by_signals())


def _ended_by_signals():
    try:
        return (yield)
    # Interrupted is a SystemExit. Without pytest.exit, pytest would count a failed test and go on with the next test.
    except Interrupted as stopped:
        pytest.exit(f"stopped by {stopped.name}", returncode=stopped.code)


@pytest.fixture
def eagerly():
    """Runs TensorFlow without graphs, see `tiny.eager`."""
    import tiny

    with tiny.eager():
        yield


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory) -> pathlib.Path:
    """The workdir of a finished tiny run, trained once for all workers of pytest-xdist.

    Tests must not change this workdir.
    """
    import tiny

    from configs import shapes
    from tf_layered_gan import train
    from tf_layered_gan.files.file_lock import file_lock

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    workdir = shared / "finished_run"
    with file_lock(shared / "finished_run_lock", taken=lambda: None):  # one worker trains, and the others wait
        if not workdir.exists():
            with tiny.eager():
                train.train(tiny.run_config(shapes), base / "training")
            (base / "training").rename(workdir)
    return workdir


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> pathlib.Path:
    """A .tflite file that marks all bright pixels as foreground, see `edge_command.bright_network`."""
    from edge_command import bright_network

    from export.tflite.convert import to_tflite_float32

    path = tmp_path_factory.mktemp("model") / "segmenter_float32.tflite"
    path.write_bytes(to_tflite_float32(bright_network()))
    return path


@pytest.fixture
def run_copy(finished_run, tmp_path) -> pathlib.Path:
    """A copy of the finished run for tests that change a run."""
    return shutil.copytree(finished_run, tmp_path / "run")
