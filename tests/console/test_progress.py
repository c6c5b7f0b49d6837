"""Tests of progress in a terminal and in a log."""

import io
import sys

import pytest
from absl import logging

from tf_layered_gan.console import progress as module
from tf_layered_gan.console.progress import progress


@pytest.fixture
def verbosity(monkeypatch):
    """Sets absl's verbosity for a test."""
    return lambda level: monkeypatch.setattr(logging, "get_verbosity", lambda: level)


@pytest.fixture
def clock(monkeypatch):
    """Replaces the clock, so that the work on each item seems to take 0.5 s."""
    times = iter(i * 0.5 for i in range(10_000))
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(times))


def test_lines_in_a_log(verbosity, clock, caplog):
    verbosity(logging.INFO)
    with caplog.at_level("INFO", logger="absl"):
        assert list(progress(range(50), "reading photos", 50)) == list(range(50))
    assert caplog.messages == [
        "reading photos: 4 of 50 images, 2 images/s, 23 s left",
        "reading photos: 24 of 50 images, 2 images/s, 13 s left",
        "reading photos: 44 of 50 images, 2 images/s, 3 s left",
    ]


def test_short_work_is_silent(verbosity, clock, caplog):
    verbosity(logging.INFO)
    with caplog.at_level("INFO", logger="absl"):
        assert list(progress(range(3), "reading photos", 3)) == [0, 1, 2]
    assert not caplog.messages


def test_verbosity_is_respected(verbosity, clock, caplog):
    verbosity(logging.WARNING)
    with caplog.at_level("INFO", logger="absl"):
        assert list(progress(range(50), "reading photos", 50)) == list(range(50))
    assert not caplog.messages


def test_batches_count_their_items(verbosity, clock, caplog):
    verbosity(logging.INFO)
    with caplog.at_level("INFO", logger="absl"):
        list(progress([[0] * 64] * 8, "FID", 512, size=len))
    assert caplog.messages[0] == "FID: 256 of 512 images, 128 images/s, 2 s left"


def test_bar_in_a_terminal(verbosity, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    verbosity(logging.INFO)
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(module, "FIRST", 0)
    assert list(progress(range(3), "reading photos", 3)) == [0, 1, 2]
    assert "reading photos" in sys.stderr.getvalue() and "/3" in sys.stderr.getvalue()
