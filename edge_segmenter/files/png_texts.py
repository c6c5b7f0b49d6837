"""PNG files whose texts or colour profile are too large for Pillow, although the image itself is intact."""

import io
from typing import IO

_SIGNATURE_LENGTH = 8
_LEFT_OUT = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")


def without_texts(file: IO[bytes]) -> IO[bytes]:
    """Returns a copy of a PNG file in memory, without its texts and its colour profile."""
    file.seek(0)
    kept = [file.read(_SIGNATURE_LENGTH)]
    while len(head := file.read(8)) == 8:
        body = file.read(int.from_bytes(head[:4], "big") + 4)  # with its checksum
        if head[4:] not in _LEFT_OUT:
            kept += [head, body]
    return io.BytesIO(b"".join(kept))
