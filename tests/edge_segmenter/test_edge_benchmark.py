"""Tests of the edge command's benchmark."""

import re

import numpy as np
import pytest
from edge_command import run_main
from PIL import Image

from edge_segmenter import Segmenter
from edge_segmenter.command import benchmark


@pytest.fixture(autouse=True)
def short_warm_up(monkeypatch):
    monkeypatch.setattr(benchmark, "WARM_UP", 2)


def test_percentiles_and_rate_are_those_of_the_times():
    # The times are 1, 2, ..., 101 ms. So the median is 51 ms, the 90th percentile is 91 ms, and the 99th percentile is
    # 100 ms. The sum is 5.151 s, so the rate is 101 / 5.151 = 19.6 images per second.
    times = np.arange(1, 102) / 1000
    header, row, memory = benchmark.report({"model alone": times}).splitlines()
    assert header.split() == ["p50", "p90", "p99", "images/s"]
    assert row.split() == ["model", "alone", "51.00", "ms", "91.00", "ms", "100.00", "ms", "19.6"]
    assert 20 < int(re.fullmatch(r"peak memory (\d+) MiB", memory)[1]) < 100_000


def test_images_are_taken_in_turn(model, tmp_path, monkeypatch):
    for name in "ab":
        Image.new("RGB", (20, 10)).save(tmp_path / f"{name}.png")
    taken = []

    def time(segmenter, paths):
        taken.append([path.name for path in paths])
        return len(taken), 0

    monkeypatch.setattr(benchmark, "_time", time)
    times = benchmark.measure(Segmenter(model), tmp_path, runs=3)
    assert taken == [["a.png"], ["b.png"], ["a.png"], ["b.png"], ["a.png"]]
    assert times["model alone"].tolist() == [3, 4, 5]  # the times of the warm-up are left out
    taken.clear()
    times = benchmark.measure(Segmenter(model), tmp_path, runs=1, batch=3)
    assert taken[:2] == [["a.png", "b.png", "a.png"], ["b.png", "a.png", "b.png"]]
    assert times["model alone"].tolist() == [3 / 3]  # per image


@pytest.mark.parametrize(
    "options, images",
    [
        (("--runs", 5, "--threads", 2), "threads 2, 5 images"),
        (("--runs", 2, "--batch", 3), "threads 1, 2 calls of 3 images"),
    ],
)
def test_random_image(model, options, images):
    finished = run_main("benchmark", "--model", model, *options)
    first, *_, memory = finished.stdout.splitlines()
    assert finished.returncode == 0 and memory.startswith("peak memory ")
    assert first == f"segmenter_float32.tflite: 16 x 16, {images}"


@pytest.mark.parametrize(
    "options, message",
    [
        (("--runs", 0), "runs is 0"),
        (("--batch", 0), "batch is 0"),
        (("--input", "no"), "no such image"),
        (("--input", "."), "bad.jpg cannot be read"),
    ],
)
def test_bad_arguments_and_images_are_named(model, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    finished = run_main("benchmark", "--model", model, *options)
    assert finished.returncode == 2 and message in finished.stderr
