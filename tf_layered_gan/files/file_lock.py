"""Of several processes one at a time, by a lock that the system lets go of however a process ends."""

import contextlib
import fcntl
import pathlib


@contextlib.contextmanager
def file_lock(folder, taken):
    """Holds the file FOLDER/lock.

    Args:
        folder: where it is; made where it is missing.
        taken: function of nothing, called where another process holds it, before this one waits for it; it may raise
            instead.

    Raises:
        OSError: if the file system knows no locks.
    """
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    with open(path / "lock", "a") as file:
        if not _acquired(file, folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            taken()
            _acquired(file, folder, fcntl.LOCK_EX)
        yield


def _acquired(file, folder, how):
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return False
    except OSError as error:
        raise OSError(error.errno, f"{folder} cannot be locked, take one elsewhere: {error.strerror}") from error
    return True
