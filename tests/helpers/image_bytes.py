"""Image files as bytes, for the tests that read them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

ENDINGS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "bmp": "BMP"}
SIZE = (24, 16)
PNG = b"\x89PNG\r\n\x1a\n"


def noise(size=SIZE, mode="RGB"):
    """Returns an image that compresses badly. The image is the same every time."""
    width, height = size
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels).convert(mode)


def encoded(image, kind, **options):
    """Returns the bytes of an image file of this kind."""
    content = io.BytesIO()
    image.save(content, ENDINGS.get(kind, kind), **options)
    return content.getvalue()


def many_scans(image, count):
    """Returns a progressive JPEG that repeats its last scan.

    Each copy of the scan has few bytes, but decoding it takes work for every pixel.
    """
    content = encoded(image, "jpg", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * count + content[-2:]


def png(width, height, *, depth=8, color=2, rows=None, chunks=()):
    """Returns a PNG file with `chunks` between its header and its rows. By default, the rows are all 0."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    if rows is None:
        packer, row = zlib.compressobj(1), b"\0" * (1 + (width * channels * depth + 7) // 8)
        rows = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", rows), (b"IEND", b"")]
    return PNG + b"".join(chunk(*part) for part in parts)


def chunk(name, content, crc=None):
    """Returns a chunk of a PNG file."""
    crc = zlib.crc32(name + content) if crc is None else crc
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)


def orientation(turn):
    """Returns EXIF data with only an orientation.

    The bytes are put together here, because Pillow cannot write a wrong orientation.
    """
    return b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, turn, 0) + bytes(4)
