"""A lock on a file, which the operating system releases even if the process is killed."""

from typing import IO


def acquired(file: IO) -> bool:
    """Locks an open file until it is closed. Returns False if another process holds the lock.

    A system or a file system without locks counts as free.
    """
    try:
        import fcntl  # not above: Windows has none
    except ImportError:
        return _acquired_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _acquired_on_windows(file: IO) -> bool:
    try:
        import msvcrt
    except ImportError:
        return True
    try:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError:
        return False
    finally:
        file.seek(0, 2)
    return True
