"""Tests of the edge command's progress, in a terminal and elsewhere."""

import io
import sys

import pytest
from edge_command import run
from PIL import Image

from edge_segmenter import progress as module
from edge_segmenter.progress import clear_line, duration, progress


class Terminal(io.StringIO):
    """A terminal that keeps what was written to it."""

    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Replaces the clock, so that 0.5 s seem to pass between two readings."""
    times = iter(i * 0.5 for i in range(10_000))
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(times))


def test_lines_outside_a_terminal(clock, capsys):
    assert list(progress(range(50), "segmenting", 50, "images")) == list(range(50))
    assert capsys.readouterr().err.splitlines() == [
        "segmenting: 3 of 50 images, 1.5 images/s, 31 s left",
        "segmenting: 23 of 50 images, 1.92 images/s, 14 s left",
        "segmenting: 43 of 50 images, 1.95 images/s, 4 s left",
    ]


def test_a_camera_has_no_end(clock, capsys):
    list(progress(range(5), "segmenting", 0, "frames"))
    assert capsys.readouterr().err == "segmenting: 3 frames, 1.5 frames/s\n"


def test_short_work_is_silent(clock, capsys):
    list(progress(range(3), "segmenting", 3, "images"))
    assert not capsys.readouterr().err


def test_one_line_in_a_terminal(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    for i in progress(range(8), "segmenting", 8, "images"):
        if i == 5:
            clear_line()
            print("skipped", file=sys.stderr)
            break
    *shown, last = sys.stderr.getvalue().split("\r")
    assert last in ("skipped\n", "")
    assert [line.strip() for line in shown if line.strip()][:1] == ["segmenting: 3 of 8 images, 1.5 images/s, 3 s left"]
    assert sys.stderr.getvalue().rstrip("\r ").endswith("skipped\n") and sys.stderr.getvalue().count("\n") == 1


def test_the_command_shows_its_progress(model, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FIRST", 0.0)
    (tmp_path / "photos").mkdir()
    for name in "abc":
        Image.new("RGB", (8, 8)).save(tmp_path / "photos" / f"{name}.png")
    printed = run(model, tmp_path / "photos", tmp_path / "out").stderr
    assert printed.startswith("segmenting: 1 of 3 images, ") and printed.count("\n") == 1


@pytest.mark.parametrize(
    "seconds, words", [(5.4, "5 s"), (119, "2 min"), (3000, "50 min"), (7800, "2 h 10 min"), (0, "0 s")]
)
def test_duration_in_words(seconds, words):
    assert duration(seconds) == words
