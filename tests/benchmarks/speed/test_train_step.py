"""Tests of the comparison of training steps.

The workers are fakes that need only Python's standard library, not PyTorch.
"""

import json
import sys
import types

import numpy as np
import pytest

from benchmarks.speed import gan_step, train_step
from benchmarks.speed.turns import Worker

SERVE = (
    "from benchmarks.speed.turns import serve; losses = iter({losses}); "
    "serve(dict(step=lambda: dict(loss=next(losses, 0)), product=lambda: 3))"
)


@pytest.fixture
def worker():
    started = []

    def start(losses):
        started.append(Worker([sys.executable, "-c", SERVE.format(losses=losses)]))
        return started[-1]

    yield start
    for process in started:
        process.close()


def test_workers_take_turns(worker):
    workers = {"ours": worker([]), "torch": worker([])}
    steps, product = train_step.take_turns(workers, pairs=3)
    assert {name: len(turns) for name, turns in steps.items()} == {"ours": 3, "torch": 3}
    assert all(seconds >= 0 for turns in steps.values() for turn in turns for seconds in turn)
    assert product > 0


def test_first_steps_must_agree(worker):
    ours = worker([1.0, 1.0, 1.0, 1.0])
    assert train_step.compare_first_steps({"ours": ours, "torch": worker([1.00005, 1.01, 1.0])}) == {
        "torch": pytest.approx(5e-5)
    }
    with pytest.raises(ValueError, match="step 1 of torch differs from ours by 0.001, allowed: 0.0001"):
        train_step.compare_first_steps({"ours": ours, "torch": worker([1.001])})


def test_reports_must_have_the_same_names():
    with pytest.raises(ValueError, match="only one side reports r1"):
        train_step.difference({"loss": 1.0, "r1": 1.0}, {"loss": 1.0})


def test_a_worker_that_ends_is_reported():
    with pytest.raises(RuntimeError, match="ended with status 3"):
        Worker([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_ratio_is_their_time_by_ours():
    ours, theirs = [(0.5, 0.25)] * 3, [(0.75, 0.25)] * 3
    first, second, ratio = train_step.describe(32, 50.0, {"ours": ours, "torch": theirs}, product=200.0)
    assert "64.0 images/s" in first and "500 ms" in first and "100.0 GFLOP/s   50%" in first
    assert "33%" in second
    assert ratio == "  torch: ratio 1.50 (quartiles 1.50 to 1.50; CPU time 1.00)"


def test_arithmetic_counts_the_passes_of_each_network(monkeypatch):
    cost = {"background_generator": 1, "foreground_generator": 10, "discriminator": 100, "mask_encoder": 1000}
    gan = types.SimpleNamespace(**{name: name for name in cost}, segmenter="segmenter", uses_segmenter=True)
    monkeypatch.setattr(gan_step, "multiply_adds", (cost | {"segmenter": 10_000}).get)
    multiply_adds = 3 * 11 + 7 * 100 + 4 * 1000 + 2 * 10_000
    assert gan_step.step_gflop(gan, batch_size=32) == pytest.approx(2 * 32 * multiply_adds / 1e9)
    gan.uses_segmenter = False
    assert gan_step.step_gflop(gan, batch_size=32) == pytest.approx(2 * 32 * (multiply_adds - 20_000) / 1e9)


def test_worker_saves_all_that_the_other_side_needs(tmp_path):
    config = gan_step.row_config(resolution=16, width=1, batch_size=2)
    config.networks.residual_blocks, config.networks.unet_depth = 0, 1
    gan, _, batch = gan_step.prepare(config, uses_segmenter=True)
    gan_step.save(tmp_path, config, gan, batch)
    weights, batch = np.load(tmp_path / "weights.npz"), np.load(tmp_path / "batch.npz")
    assert {name.split("/")[0] for name in weights} == {
        "background_generator",
        "foreground_generator",
        "discriminator",
        "mask_encoder",
        "segmenter",
    }
    assert {name.split("/")[2] for name in weights if name.startswith("discriminator/")} == {"kernel", "bias", "u"}
    assert batch["image"].shape == (2, 16, 16, 3)
    settings = json.loads((tmp_path / "settings.json").read_text())
    assert settings["uses_segmenter"] and settings["generator_width"] == 1 and settings["gflop"] > 0
