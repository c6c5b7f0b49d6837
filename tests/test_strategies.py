"""Two replicas, or XLA, train what one device trains."""

import json

import numpy as np
import pytest
import tiny


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


def test_two_replicas_are_evaluated_as_one_device(runs):
    plain, two = (json.loads((runs / way / "metrics.json").read_text()) for way in ("plain", "two_replicas"))
    assert two["images_seen"] == plain["images_seen"] == 12
    assert two["test"]["segmenter"] == pytest.approx(plain["test"]["segmenter"], abs=0.02)


def test_xla_trains_as_one_device_does_without(runs):
    train(runs, "jit")
    assert_equal_runs(runs / "plain", runs / "jit", tolerance=1e-4)
