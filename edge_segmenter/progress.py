"""Progress of work, printed to stderr: how much is done, how fast, and how much time is left."""

import contextlib
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from .files.printing import say

T = TypeVar("T")
FIRST, EVERY = 2.0, 10.0  # seconds before the first line, and between two lines
_EVERY_IN_TERMINAL = 0.3


def progress(items: Iterable[T], what: str, total: int, unit: str) -> Iterator[T]:
    """Yields the items and shows progress.

    In a terminal, one line is updated. Otherwise, a new line is printed every ten seconds.

    Args:
        items: the items. An item counts as done when the next item is requested.
        what: the work, such as "segmenting".
        total: the number of items, or 0 if it is not known.
        unit: what is counted.
    """
    every = _EVERY_IN_TERMINAL if _in_terminal() else EVERY
    started, wait = time.perf_counter(), FIRST
    try:
        for done, item in enumerate(items):
            seconds = time.perf_counter() - started
            if done and seconds >= wait:
                wait = seconds + every
                _show(f"{what}: {state(done, total, unit, seconds)}")
            yield item
    finally:
        clear_line()


def clear_line() -> None:
    """Clears the line of progress in a terminal. Call this function before you print anything else during the work."""
    if _in_terminal():
        _write_line("")


def state(done: int, total: int, unit: str, seconds: float) -> str:
    """Returns a text such as "4 of 50 images, 2 images/s, 23 s left".

    Args:
        done: the number of items that are done, 1 or more.
        total: the number of all items, or 0 if it is not known.
        unit: what is counted.
        seconds: the time that the finished items took in total.
    """
    rate = done / seconds
    if not total:
        return f"{done:,} {unit}, {rate:.3g} {unit}/s"
    left = duration(max(0, total - done) / rate)
    return f"{done:,} of {total:,} {unit}, {rate:.3g} {unit}/s, {left} left"


def duration(seconds: float) -> str:
    """Returns a time in words, such as "40 s", "35 min" or "2 h 10 min"."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def _in_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _show(line: str) -> None:
    if _in_terminal():
        _write_line(line)
    else:
        say(line, sys.stderr)


def _write_line(line: str) -> None:
    """Overwrites the line of the terminal.

    Spaces erase the rest of the line, because older consoles print escape codes as text.
    """
    width = shutil.get_terminal_size().columns - 1
    with contextlib.suppress(OSError):  # the terminal was closed
        print(f"\r{line[:width]:<{width}}", end="\r" if not line else "", file=sys.stderr, flush=True)
