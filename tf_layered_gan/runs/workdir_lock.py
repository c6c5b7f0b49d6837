"""One run at a time in a workdir, and of its workers the one that writes."""

import contextlib
import pathlib
import tempfile

from tf_layered_gan.files.file_lock import file_lock


@contextlib.contextmanager
def locked(workdir):
    """Holds the workdir's lock.

    Args:
        workdir: the run's directory; made where it is missing.

    Raises:
        ValueError: if another process holds it.
        OSError: see `file_lock`.
    """

    def refuse():
        raise ValueError(f"another run is at work in {workdir}; wait for it, or take another workdir")

    with file_lock(workdir, taken=refuse):
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
