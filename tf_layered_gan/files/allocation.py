"""Reservation of disk space before a file is mapped into memory.

Without the reservation, a full disk would kill the process later.
"""

import os
import pathlib

_BLOCK = 2**20


def reserve(file: str | os.PathLike) -> None:
    """Reserves the disk space of a file that holds only zeros and may be sparse, so that later writes cannot fail.

    Raises:
        OSError: if the disk is full.
    """
    size = pathlib.Path(file).stat().st_size
    with open(file, "r+b") as opened:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(opened.fileno(), 0, size)
            return
        for start in range(0, size, _BLOCK):  # macOS and Windows have no posix_fallocate
            part = opened.read(_BLOCK)
            opened.seek(start)
            opened.write(part)
        os.fsync(opened.fileno())
