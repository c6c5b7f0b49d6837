"""An inter-process lock that the operating system releases even if the process is killed."""

import contextlib
import fcntl
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import IO


@contextlib.contextmanager
def file_lock(folder: str | os.PathLike, taken: Callable[[], None]) -> Iterator[None]:
    """Holds a lock on the file FOLDER/lock.

    Args:
        folder: made if it is missing.
        taken: called before waiting if another process holds the lock. It may raise an error to avoid the wait.

    Raises:
        OSError: if the file system has no locks.
    """
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    with open(path / "lock", "a") as file:
        if not _acquired(file, folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            taken()
            _acquired(file, folder, fcntl.LOCK_EX)
        yield


def _acquired(file: IO, folder: str | os.PathLike, how: int) -> bool:
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return False
    except OSError as error:
        raise OSError(error.errno, f"{folder} cannot be locked, use another folder: {error.strerror}") from error
    return True
