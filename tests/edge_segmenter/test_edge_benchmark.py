"""The edge command's benchmark."""

import re

import numpy as np
import pytest
from PIL import Image

from edge_segmenter import Segmenter, benchmark
from edge_segmenter.command import main


@pytest.fixture(autouse=True)
def short_warm_up(monkeypatch):
    monkeypatch.setattr(benchmark, "WARM_UP", 2)


def test_percentiles_and_rate_are_those_of_the_times():
    # 1 to 101 ms: the median is 51 ms, 90 % lie below 91, 99 % below 100; 101 images in 5.151 s.
    times = np.arange(1, 102) / 1000
    header, row, memory = benchmark.report({"model alone": times}).splitlines()
    assert header.split() == ["p50", "p90", "p99", "images/s"]
    assert row.split() == ["model", "alone", "51.00", "ms", "91.00", "ms", "100.00", "ms", "19.6"]
    assert 20 < int(re.fullmatch(r"peak memory (\d+) MiB", memory)[1]) < 100_000


def test_random_image(model, capsys):
    assert main(["benchmark", "--model", str(model), "--runs", "5", "--threads", "2"]) == 0
    first, *_, memory = capsys.readouterr().out.splitlines()
    assert first == "bright.tflite: 16 x 16, threads 2, 5 images" and memory.startswith("peak memory ")


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
    assert times["model alone"].tolist() == [3, 4, 5]  # without those of the warm-up
    taken.clear()
    times = benchmark.measure(Segmenter(model), tmp_path, runs=1, batch=3)
    assert taken[:2] == [["a.png", "b.png", "a.png"], ["b.png", "a.png", "b.png"]]
    assert times["model alone"].tolist() == [3 / 3]  # per image


def test_batches_are_printed(model, capsys):
    assert main(["benchmark", "--model", str(model), "--runs", "2", "--batch", "3"]) == 0
    assert capsys.readouterr().out.startswith("bright.tflite: 16 x 16, threads 1, 2 calls of 3 images\n")


def test_the_whole_takes_longer_than_the_model(model, tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), "uint8")).save(tmp_path / "a.png")
    times = benchmark.measure(Segmenter(model), tmp_path / "a.png", runs=5)
    assert (times["end to end"] > times["model alone"]).all()


@pytest.mark.parametrize(
    "options, message",
    [
        (["--runs", "0"], "runs is 0"),
        (["--batch", "0"], "batch is 0"),
        (["--input", "no"], "no such image"),
    ],
)
def test_bad_arguments_are_named(model, capsys, options, message):
    with pytest.raises(SystemExit) as ended:
        main(["benchmark", "--model", str(model), *options])
    assert ended.value.code == 2 and message in capsys.readouterr().err


def test_a_broken_image_is_named(model, tmp_path, capsys):
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    with pytest.raises(SystemExit):
        main(["benchmark", "--model", str(model), "--input", str(tmp_path)])
    assert "bad.jpg cannot be read" in capsys.readouterr().err
