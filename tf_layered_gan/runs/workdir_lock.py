"""The lock of a workdir, which only one command can hold at a time. If there are several workers, only the chief has
the lock."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator

from tf_layered_gan.files.file_lock import file_lock


@contextlib.contextmanager
def locked(workdir: str | os.PathLike) -> Iterator[None]:
    """Holds the lock of a workdir. Creates the workdir if it is missing.

    Raises:
        ValueError: another process holds the lock.
        OSError: see `file_lock`.
    """

    def refuse() -> None:
        raise ValueError(f"another run is at work in {workdir}; wait for it, or take another workdir")

    with file_lock(workdir, taken=refuse):
        yield


@contextlib.contextmanager
def output(workdir: str | os.PathLike, chief: bool) -> Iterator[pathlib.Path]:
    """Yields the directory that a worker writes to, and holds the lock if the worker is the chief.

    Args:
        workdir: the run's directory.
        chief: whether this worker writes there and holds the lock. Other workers get a temporary directory.

    Raises:
        ValueError: see `locked`.
    """
    if chief:
        with locked(workdir):
            yield pathlib.Path(workdir)
    else:
        with tempfile.TemporaryDirectory() as directory:
            yield pathlib.Path(directory)
