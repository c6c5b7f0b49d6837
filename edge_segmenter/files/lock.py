"""A lock on a file, which the operating system releases even if the process is killed."""

import errno
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
try:
    import msvcrt
except ImportError:  # everywhere else
    msvcrt = None  # type: ignore[assignment]

_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


def system_has_locks() -> bool:
    """Returns whether this system has file locks. If it has none, `acquired` returns True without locking the file."""
    return fcntl is not None or msvcrt is not None


def acquired(file: IO) -> bool:
    """Locks an open file until it is closed. Returns False if another process holds the lock.

    Raises:
        OSError: if the file system has no locks.
    """
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt is not None:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            file.seek(0, 2)
    except OSError as error:
        if error.errno in _HELD:
            return False
        raise
    return True
