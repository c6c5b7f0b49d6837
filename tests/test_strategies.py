"""Two replicas, or XLA, train what one device trains."""

import json

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
    train(folder, "plain", "two_replicas")
    return folder


def assert_equal_runs(first, second, tolerance):
    ours, theirs = tiny.checkpoint_values(first), tiny.checkpoint_values(second)
    assert ours.keys() == theirs.keys()
    for kind in ("_optimizer/", "/u/", "/moving_mean/", "/moving_variance/", "/average_", "gan_step"):
        assert any(kind in name for name in ours)
    for name, value in ours.items():
        np.testing.assert_allclose(theirs[name], value, rtol=0, atol=tolerance, err_msg=name)


def test_two_replicas_train_as_one_device(runs):
    assert_equal_runs(runs / "plain", runs / "two_replicas", tolerance=1e-5)


def gradient_norms(workdir):
    """What TensorBoard shows of the gradients: a value a step, by name."""
    accumulator = EventAccumulator(str(workdir / "tensorboard"), size_guidance={"tensors": 0})
    accumulator.Reload()
    tags = [tag for tag in accumulator.Tags()["tensors"] if tag.endswith("gradient_norm")]
    return {tag: [float(tf.make_ndarray(event.tensor_proto)) for event in accumulator.Tensors(tag)] for tag in tags}


def test_two_replicas_report_the_norms_of_one_device(runs):
    plain, two = gradient_norms(runs / "plain"), gradient_norms(runs / "two_replicas")
    assert [len(norms) for norms in plain.values()] == [3, 3, 2, 1]  # of G and D, of F in its round and at the end
    for name, norms in plain.items():
        assert two[name] == pytest.approx(norms, rel=1e-3), name


def test_two_replicas_are_evaluated_as_one_device(runs):
    plain, two = (json.loads((runs / way / "metrics.json").read_text()) for way in ("plain", "two_replicas"))
    assert two["images_seen"] == plain["images_seen"] == 12
    assert two["test"]["segmenter"] == pytest.approx(plain["test"]["segmenter"], abs=0.02)


def test_xla_trains_as_one_device_does_without(runs):
    train(runs, "jit")
    assert_equal_runs(runs / "plain", runs / "jit", tolerance=1e-4)
