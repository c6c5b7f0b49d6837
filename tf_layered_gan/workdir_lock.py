"""One run at a time in a workdir, and of its workers the one that writes."""

import contextlib
import fcntl
import pathlib
import tempfile


@contextlib.contextmanager
def locked(workdir):
    """Holds the file WORKDIR/lock, which the system lets go of however the process ends.

    Args:
        workdir: the run's directory; made where it is missing.

    Raises:
        ValueError: if another process holds it.
        OSError: if the file system knows no locks.
    """
    path = pathlib.Path(workdir)
    path.mkdir(parents=True, exist_ok=True)
    with open(path / "lock", "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(f"another run is at work in {workdir}; wait for it, or take another workdir") from error
        except OSError as error:
            raise OSError(error.errno, f"{workdir} cannot be locked, take one elsewhere: {error.strerror}") from error
        yield


@contextlib.contextmanager
def output(workdir, chief):
    """Yields the directory that a worker writes to.

    Args:
        workdir: the run's directory.
        chief: whether this is the worker that writes there, and holds its lock; others get one that is thrown away.

    Raises:
        ValueError: see `locked`.
    """
    if chief:
        with locked(workdir):
            yield pathlib.Path(workdir)
    else:
        with tempfile.TemporaryDirectory() as directory:
            yield pathlib.Path(directory)
