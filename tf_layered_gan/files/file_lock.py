"""An inter-process lock that the operating system releases even if the process is killed."""

import contextlib
import errno
import os
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import IO

from absl import logging

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
try:
    import msvcrt
except ImportError:  # everywhere else
    msvcrt = None  # type: ignore[assignment]

_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
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
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt is not None:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            logging.warning("this system has no file locks: start no second command on %s meanwhile", folder)
    except OSError as error:
        if error.errno in _HELD:
            return False
        raise OSError(error.errno, f"{folder} cannot be locked, use another folder: {error.strerror}") from error
    return True
