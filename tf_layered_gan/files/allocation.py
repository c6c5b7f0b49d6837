"""Space on a disk, taken before a file is mapped into memory: later, a full disk would kill the process."""

import os
import pathlib

_BLOCK = 2**20


def reserve(file: str | os.PathLike) -> None:
    """Takes the space of a file of zeros that may be sparse.

    Raises:
        OSError: if the disk is full.
    """
    size = pathlib.Path(file).stat().st_size
    with open(file, "r+b") as opened:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(opened.fileno(), 0, size)
            return
        # macOS and Windows lack it. The header, at the start, is kept.
        first = opened.read(_BLOCK)
        opened.seek(len(first))
        for start in range(len(first), size, _BLOCK):
            opened.write(bytes(min(_BLOCK, size - start)))
        os.fsync(opened.fileno())
