"""Progress of work that takes more than two seconds.

A terminal shows the progress as a bar. Without a terminal, the progress is written to the log, line by line.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from absl import logging
from tqdm import tqdm

from edge_segmenter.progress import EVERY, FIRST, state

T = TypeVar("T")


def progress(
    items: Iterable[T], what: str, total: int, *, unit: str = "images", size: Callable[[Any], int] = lambda item: 1
) -> Iterator[T]:
    """Yields the items. Shows how many items are done, how many are done per second, and how much time is left.

    Shows nothing if absl's verbosity is below INFO, as it is by default.

    Args:
        items: the items. An item counts as done when the next item is requested.
        what: the work, such as "reading photos".
        total: the sum of the sizes of all items, or 0 if it is not known.
        unit: the unit of the sizes, such as "photos".
        size: function that returns the size of an item, such as `len` for batches.
    """
    if logging.get_verbosity() < logging.INFO:
        yield from items
    elif sys.stderr.isatty():
        with tqdm(total=total or None, desc=what, unit=f" {unit}", delay=FIRST, leave=False) as bar:
            for item in items:
                yield item
                bar.update(size(item))
    else:
        yield from _logged(items, what, total, unit, size)


def _logged(items: Iterable[T], what: str, total: int, unit: str, size: Callable[[Any], int]) -> Iterator[T]:
    started, wait, done = time.perf_counter(), FIRST, 0
    for item in items:
        yield item
        done += size(item)
        seconds = time.perf_counter() - started
        if seconds >= wait and (done < total or not total):
            wait = seconds + EVERY
            logging.info("%s: %s", what, state(done, total, unit, seconds))
