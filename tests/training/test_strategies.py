"""Tests that training with replicas, workers or XLA gives the same variables as training on one device."""

import concurrent.futures
import json
import re
import signal
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
import tiny

from tf_layered_gan.training import preemption

pytestmark = pytest.mark.slow  # slow, because each test trains in one or more processes


def train(folder, *ways):
    code, output = tiny.finish(tiny.python("tests/helpers/strategies.py", folder, *ways))
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
    for kind in ("_optimizer/", "/u", "/moving_mean", "/moving_variance", "/average_", "gan_step"):
        assert any(kind in name for name in ours), kind
    for name, value in ours.items():
        np.testing.assert_allclose(theirs[name], value, rtol=0, atol=tolerance, err_msg=name)


def test_two_replicas_train_as_one_device(runs, two_replicas):
    assert_equal_runs(runs / "plain", two_replicas, tolerance=1e-5)


def test_four_replicas_train_as_one_device(runs):
    train(runs, "four_replicas")
    assert_equal_runs(runs / "plain", runs / "four_replicas", tolerance=1e-5)


def test_two_replicas_with_the_cures_train_as_one_device(tmp_path):
    for way in ("cures_plain", "cures_two_replicas"):
        train(tmp_path, way)
    assert any("augmentation" in name for name in tiny.checkpoint_values(tmp_path / "cures_plain"))
    assert_equal_runs(tmp_path / "cures_plain", tmp_path / "cures_two_replicas", tolerance=1e-5)


@pytest.mark.parametrize("replicas", ["two_replicas", "four_replicas"])
def test_replicas_train_as_one_device_with_adam(tmp_path, replicas):
    for way in ("adam_plain", f"adam_{replicas}"):
        train(tmp_path, way)
    assert_equal_runs(tmp_path / "adam_plain", tmp_path / f"adam_{replicas}", tolerance=1e-3)


def finish_each(workers):
    """Waits for processes, and reads the output of all of them at the same time.

    Returns the exit code and the output of each.
    """
    with concurrent.futures.ThreadPoolExecutor() as readers:
        return list(readers.map(tiny.finish, workers))


def finish_all(workers):
    """Waits for processes. Returns a list of their exit codes, and one text with all their outputs."""
    codes, outputs = zip(*finish_each(workers), strict=True)
    return list(codes), "\n".join(outputs)


def test_two_workers_train_as_one_device_and_only_the_chief_writes(runs, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    workers = tiny.workers(2, "tests/helpers/strategies.py", runs, "multi_worker", TMPDIR=str(temporary))
    codes, output = finish_all(workers)
    assert codes == [0, 0], output
    assert_equal_runs(runs / "plain", runs / "multi_worker", tolerance=1e-5)
    assert {path.name for path in (runs / "multi_worker").iterdir()} == {
        path.name for path in (runs / "plain").iterdir()
    }
    assert not list(temporary.iterdir())  # the worker that is not the chief has deleted its temporary files


def test_two_workers_train_as_one_device_with_adam(tmp_path):
    train(tmp_path, "adam_plain")
    codes, output = finish_all(tiny.workers(2, "tests/helpers/strategies.py", tmp_path, "adam_multi_worker"))
    assert codes == [0, 0], output
    assert_equal_runs(tmp_path / "adam_plain", tmp_path / "adam_multi_worker", tolerance=1e-3)


def test_workers_name_what_differs_and_a_lost_worker():
    (first, one), (second, other) = finish_each(tiny.workers(2, "tests/helpers/workers.py"))
    assert (first, second) == (1, -signal.SIGKILL), one + other
    differ = "the same facts, but some differ from worker 0: step on worker 1 (this is worker {}, which has {})"
    assert differ.format(0, 5) in one and differ.format(1, 6) in other
    names = 'the version of this program, on worker 1 (this is worker 0, which has ["seed"])'
    assert names in one
    assert "worker 0 is here" in one and "worker 1 is here" in other
    assert "ConnectionError: another worker cannot be reached any more: start all workers again" in one


@pytest.mark.parametrize("told", [(1,), (0, 1)])
def test_workers_that_are_told_to_stop_save_the_same_step_and_go_on(runs, tmp_path, told):
    workers = tiny.workers(2, "tests/helpers/strategies.py", tmp_path, "multi_worker")
    codes, output = finish_signalled(workers, told, signal.SIGTERM, 1, tmp_path / "multi_worker")
    assert codes == [preemption.EXIT_CODE] * 2, output
    saved = re.findall(r"told to stop: step (\d+) is saved", output)
    assert len(saved) == 2 and saved[0] == saved[1], output
    assert int(saved[0]) in tiny.counters(tmp_path / "multi_worker", "gan_step", "segmenter_step")
    codes, output = finish_all(tiny.workers(2, "tests/helpers/strategies.py", tmp_path, "multi_worker"))
    assert codes == [0, 0], output
    assert_equal_runs(runs / "plain", tmp_path / "multi_worker", tolerance=1e-5)


def finish_signalled(workers, told, number, checkpoint, workdir):
    """Sends a signal to some workers once their run has a checkpoint. Returns the result of `finish_all`."""

    def tell():
        while workers[told[0]].poll() is None and not (workdir / f"checkpoints/ckpt-{checkpoint}.index").exists():
            time.sleep(0.05)
        for index in told:
            workers[index].send_signal(number)

    teller = threading.Thread(target=tell)
    teller.start()
    result = finish_all(workers)
    teller.join()
    return result


def test_two_workers_go_on_after_one_was_killed(runs, tmp_path):
    workers = tiny.workers(2, "tests/helpers/strategies.py", tmp_path, "multi_worker")
    codes, output = finish_signalled(workers, [1], signal.SIGKILL, 1, tmp_path / "multi_worker")
    assert codes[0] not in (0, None) and codes[1] == -signal.SIGKILL, output
    assert "another worker cannot be reached any more: start all workers again" in output
    codes, output = finish_all(tiny.workers(2, "tests/helpers/strategies.py", tmp_path, "multi_worker"))
    assert codes == [0, 0] and "going on from step" in output, output
    assert_equal_runs(runs / "plain", tmp_path / "multi_worker", tolerance=1e-5)


def test_two_workers_go_on_in_the_second_round_after_either_was_killed(tmp_path):
    train(tmp_path, "two_rounds_plain")
    # Both kills are in the second round. The first kill is in the steps of the GAN, and the second kill is in the steps
    # of the segmenter.
    for killed, checkpoint in ((0, 5), (1, 7)):
        workers = tiny.workers(2, "tests/helpers/strategies.py", tmp_path, "two_rounds_multi_worker")
        workdir = tmp_path / "two_rounds_multi_worker"
        codes, output = finish_signalled(workers, [killed], signal.SIGKILL, checkpoint, workdir)
        assert codes[killed] == -signal.SIGKILL and codes[1 - killed] not in (0, None), output
        assert "another worker cannot be reached any more: start all workers again" in output
    codes, output = finish_all(tiny.workers(2, "tests/helpers/strategies.py", tmp_path, "two_rounds_multi_worker"))
    assert codes == [0, 0] and "going on from step 20" in output, output
    assert_equal_runs(tmp_path / "two_rounds_plain", tmp_path / "two_rounds_multi_worker", tolerance=1e-5)
    curves = [(tmp_path / f"two_rounds_{way}" / "curve.csv").read_text() for way in ("plain", "multi_worker")]
    assert [curve.count("\n") for curve in curves] == [4, 4]  # the lines are the header, two rounds and the final steps


def gradient_norms(workdir):
    """Returns the gradient norms in TensorBoard by name, one value for each step."""
    events = tiny.events(workdir).items()
    return {
        tag: [float(tf.make_ndarray(event.tensor_proto)) for event in listed]
        for tag, listed in events
        if tag.endswith("gradient_norm")
    }


def test_two_replicas_report_the_norms_of_one_device(runs, two_replicas):
    plain, two = gradient_norms(runs / "plain"), gradient_norms(two_replicas)
    # The networks are G, D, the segmenter in the round, and the segmenter in the final step.
    assert [len(norms) for norms in plain.values()] == [20, 20, 20, 1]
    for name, norms in plain.items():
        assert two[name] == pytest.approx(norms, rel=1e-3), name


def test_two_replicas_are_evaluated_as_one_device(runs, two_replicas):
    plain, two = (json.loads((path / "metrics.json").read_text()) for path in (runs / "plain", two_replicas))
    assert two["images_seen"] == plain["images_seen"] == 80
    assert two["test"]["segmenter"] == pytest.approx(plain["test"]["segmenter"], abs=0.02)


def test_xla_trains_the_same_variables(runs):
    train(runs, "jit")
    assert_equal_runs(runs / "plain", runs / "jit", tolerance=1e-4)
