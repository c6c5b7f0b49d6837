"""Replicas, workers and XLA train what one device trains."""

import concurrent.futures
import json
import signal
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
import tiny
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def train(folder, *ways):
    code, output = tiny.finish(tiny.python("tests/strategies.py", folder, *ways))
    assert code == 0, output


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    train(folder, "plain")
    return folder


@pytest.fixture(scope="module")
def two_replicas(runs):
    train(runs, "two_replicas")
    return runs / "two_replicas"


def assert_equal_runs(first, second, tolerance):
    ours, theirs = tiny.checkpoint_values(first), tiny.checkpoint_values(second)
    assert ours.keys() == theirs.keys()
    for kind in ("_optimizer/", "/u/", "/moving_mean/", "/moving_variance/", "/average_", "gan_step"):
        assert any(kind in name for name in ours)
    for name, value in ours.items():
        np.testing.assert_allclose(theirs[name], value, rtol=0, atol=tolerance, err_msg=name)


def test_two_replicas_train_as_one_device(runs, two_replicas):
    assert_equal_runs(runs / "plain", two_replicas, tolerance=1e-5)


def test_four_replicas_train_as_one_device(runs):
    train(runs, "four_replicas")
    assert_equal_runs(runs / "plain", runs / "four_replicas", tolerance=1e-5)


@pytest.mark.slow
def test_two_replicas_train_as_one_device_with_adam(tmp_path):
    for way in ("adam_plain", "adam_two_replicas"):
        train(tmp_path, way)
    assert_equal_runs(tmp_path / "adam_plain", tmp_path / "adam_two_replicas", tolerance=1e-3)


def finish_all(workers):
    """Waits for processes, reading of all of them at once; returns their exit codes and all that they printed."""
    with concurrent.futures.ThreadPoolExecutor() as readers:
        codes, outputs = zip(*readers.map(tiny.finish, workers), strict=True)
    return list(codes), "\n".join(outputs)


def test_two_workers_train_as_one_device_and_only_the_chief_writes(runs, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    workers = tiny.workers(2, "tests/strategies.py", runs, "multi_worker", TMPDIR=str(temporary))
    codes, output = finish_all(workers)
    assert codes == [0, 0], output
    assert_equal_runs(runs / "plain", runs / "multi_worker", tolerance=1e-5)
    assert {path.name for path in (runs / "multi_worker").iterdir()} == {
        path.name for path in (runs / "plain").iterdir()
    }
    assert not list(temporary.iterdir())  # what the other wrote is thrown away


def kill_once_saved(worker, workdir):
    """Kills a worker as soon as its run has a checkpoint."""
    while worker.poll() is None and not list(workdir.glob("checkpoints/*.index")):
        time.sleep(0.05)
    worker.kill()


def test_two_workers_one_of_which_was_killed_go_on_as_if_nothing_had_been(runs, tmp_path):
    workers = tiny.workers(2, "tests/strategies.py", tmp_path, "multi_worker")
    killer = threading.Thread(target=kill_once_saved, args=(workers[1], tmp_path / "multi_worker"))
    killer.start()
    codes, output = finish_all(workers)
    killer.join()
    assert codes[0] not in (0, None) and codes[1] == -signal.SIGKILL, output
    assert "another worker cannot be reached any more: start all of them again" in output
    codes, output = finish_all(tiny.workers(2, "tests/strategies.py", tmp_path, "multi_worker"))
    assert codes == [0, 0] and "going on from step" in output, output
    assert_equal_runs(runs / "plain", tmp_path / "multi_worker", tolerance=1e-5)


def gradient_norms(workdir):
    """What TensorBoard shows of the gradients: a value a step, by name."""
    accumulator = EventAccumulator(str(workdir / "tensorboard"), size_guidance={"tensors": 0})
    accumulator.Reload()
    tags = [tag for tag in accumulator.Tags()["tensors"] if tag.endswith("gradient_norm")]
    return {tag: [float(tf.make_ndarray(event.tensor_proto)) for event in accumulator.Tensors(tag)] for tag in tags}


def test_two_replicas_report_the_norms_of_one_device(runs, two_replicas):
    plain, two = gradient_norms(runs / "plain"), gradient_norms(two_replicas)
    assert [len(norms) for norms in plain.values()] == [20, 20, 20, 1]  # of G and D, of F in its round and at the end
    for name, norms in plain.items():
        assert two[name] == pytest.approx(norms, rel=1e-3), name


def test_two_replicas_are_evaluated_as_one_device(runs, two_replicas):
    plain, two = (json.loads((path / "metrics.json").read_text()) for path in (runs / "plain", two_replicas))
    assert two["images_seen"] == plain["images_seen"] == 80
    assert two["test"]["segmenter"] == pytest.approx(plain["test"]["segmenter"], abs=0.02)


def test_xla_trains_as_one_device_does_without(runs):
    train(runs, "jit")
    assert_equal_runs(runs / "plain", runs / "jit", tolerance=1e-4)
