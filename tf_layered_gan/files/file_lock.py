"""A lock on a folder. If another process holds the lock, the caller waits for the lock or raises an error."""

import contextlib
import os
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import IO

from absl import logging

from edge_segmenter.files import lock

_PAUSE = 0.2  # seconds between two attempts to acquire the lock


@contextlib.contextmanager
def file_lock(folder: str | os.PathLike, taken: Callable[[], None]) -> Iterator[None]:
    """Holds a lock on the file FOLDER/lock.

    If the operating system or the file system has no locks, logs a warning and continues without a lock.

    Args:
        folder: the folder to lock; created if it is missing.
        taken: function that is called if another process holds the lock. It is called before the wait for the lock. If
            it raises an error, there is no wait.

    Raises:
        OSError: the folder cannot be created, or it contains no file `lock` and cannot be written to.
    """
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    with _opened(path / "lock") as file:
        if not _acquired(file, folder):
            taken()
            while not _acquired(file, folder):
                time.sleep(_PAUSE)
        yield


def _opened(path: pathlib.Path) -> IO:
    try:
        return open(path, "a")
    except OSError:
        if os.access(path.parent, os.W_OK) or not path.exists():
            raise
        return open(path)  # only for reading, so that a run on a read-only disk can be exported


def _acquired(file: IO, folder: str | os.PathLike) -> bool:
    try:
        if lock.system_has_locks():
            return lock.acquired(file)
        reason = "this system has no file locks"
    except OSError as error:
        reason = f"its file system has no locks ({error.strerror})"
    logging.warning("%s cannot be locked: %s; start only one command at a time in this folder", folder, reason)
    return True
