"""The number of scans in a progressive JPEG. A scan may have few bytes, but decoding it takes work for every pixel."""

import os
import re
from typing import IO

_END, _SCAN = 0xD9, 0xDA
_CHUNK = 2**14  # bytes
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # the excluded codes do not end the data of a scan


def count_scans(file: IO[bytes], limit: int) -> int:
    """Counts the scans up to the end of the image. Stops counting at `limit` + 1.

    Bytes after the end of the image are not read, because phones write a video there, which may contain any bytes.
    """
    file.seek(2)
    scans = 0
    while scans <= limit:
        marker = _next_marker(file)
        if marker in (None, _END):
            break
        scans += marker == _SCAN
        file.seek(max(0, int.from_bytes(file.read(2), "big") - 2), os.SEEK_CUR)  # the length includes these two bytes
    return scans


def _next_marker(file: IO[bytes]) -> int | None:
    """Returns the code of the next marker, or None at the end of the file.

    Afterwards, the position in the file is after the marker.
    """
    while chunk := file.read(_CHUNK):
        if found := _MARKER.search(chunk):
            file.seek(found.end() - len(chunk), os.SEEK_CUR)
            return chunk[found.end() - 1]
        if len(chunk) == _CHUNK and chunk[-1] == 0xFF:  # the marker's second byte is in the next chunk
            file.seek(-1, os.SEEK_CUR)
    return None
