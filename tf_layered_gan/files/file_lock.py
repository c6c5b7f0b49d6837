"""Waits for a lock on a folder, or refuses, if another process holds it."""

import contextlib
import os
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import IO

from absl import logging

from edge_segmenter.files import lock

_PAUSE = 0.2  # seconds between two attempts


@contextlib.contextmanager
def file_lock(folder: str | os.PathLike, taken: Callable[[], None]) -> Iterator[None]:
    """Holds a lock on the file FOLDER/lock. Warns if this system has no locks, and goes on without one.

    Args:
        folder: made if it is missing.
        taken: called before waiting if another process holds the lock. It may raise an error to avoid the wait.

    Raises:
        OSError: if the file system has no locks.
    """
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    with open(path / "lock", "a") as file:
        if not _acquired(file, folder):
            taken()
            while not _acquired(file, folder):
                time.sleep(_PAUSE)
        yield


def _acquired(file: IO, folder: str | os.PathLike) -> bool:
    if not lock.system_has_locks():
        logging.warning("this system has no file locks: start no second command on %s meanwhile", folder)
    try:
        return lock.acquired(file)
    except OSError as error:
        raise OSError(error.errno, f"{folder} cannot be locked, use another folder: {error.strerror}") from error
