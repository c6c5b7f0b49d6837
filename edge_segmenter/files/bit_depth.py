"""Conversion of images with more than 8 bits per channel to 8 bits.

Cameras and microscopes write 10-, 12- and 14-bit values into 16-bit files. These files do not state how many bits are
used. So the number of bits follows from the largest value in the file: 8 bits up to 255, 10 up to 1023, 12 up to 4095,
14 up to 16383, otherwise 16. All colour channels of an image have the same number of bits. Alpha may have a different
number of bits.
"""

import sys
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageFile

_BITS = (8, 10, 12, 14, 16)
# Pillow keeps only the high byte of each 16-bit colour. If Pillow is told the opposite byte order, it keeps the low
# byte.
_LOW_BYTE = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def to_8_bits(grey: Image.Image) -> Image.Image:
    """Scales a grey image of mode I or F, or of a 16-bit mode such as I;16, to mode L.

    Integers keep their 8 highest bits. The docstring of the module says how many bits an integer has. Negative values
    become 0. Floats are multiplied by 255. If some floats are above 1, all are divided by the largest float first.
    Values that are not finite become 0.
    """
    values = np.asarray(grey)
    if values.dtype.kind == "f":
        values = np.where(np.isfinite(values), values, 0)
        values = values * np.float32(255 / max(1, values.max())) + np.float32(0.5)
        return Image.fromarray(values.clip(0, 255).astype(np.uint8))
    bits = _bits(int(values.max()))
    return Image.fromarray((values.clip(0) >> (bits - 8)).astype(np.uint8))


def sixteen_bit_colours(image: ImageFile.ImageFile) -> bool:
    """Returns whether an image has 16-bit colours, or 16-bit grey with alpha. The image must not be decoded yet."""
    deep = [_rawmode(tile)[:-1] in ("RGB;16", "RGBA;16", "RGBX;16", "LA;16") for tile in image.tile]
    return bool(deep) and all(deep)


def might_have_fewer_bits(high: Image.Image) -> bool:
    """Returns whether colours may have fewer than 16 bits. `high` has the high bytes of the colours."""
    return max(_tops(high)[:3]) < 64


def low_bytes(image: ImageFile.ImageFile) -> Image.Image:
    """Decodes the low bytes of 16-bit colours. The image must not be decoded yet."""
    grey_alpha = [_rawmode(tile).startswith("LA") for tile in image.tile]
    image.tile = [tile._replace(args=_for_low_bytes(tile)) for tile in image.tile]
    image.load()
    if not any(grey_alpha):
        return image
    # A pixel has four bytes: high and low byte of grey, then high and low byte of alpha.
    _, low, _, alpha = image.split()
    return Image.merge("RGBA", (low, low, low, alpha))


def joined(high: Image.Image, low: Image.Image) -> Image.Image:
    """Scales 16-bit colours to 8 bits. `high` and `low` are images of mode RGB or RGBA with the high and low bytes."""
    tops = _tops(high)
    bits = [_bits(max(tops[:3]) << 8)] * 3 + [_bits(top << 8) for top in tops[3:]]
    high_part = high.point([value << (16 - b) & 255 for b in bits for value in range(256)])
    low_part = low.point([value >> (b - 8) for b in bits for value in range(256)])
    return ImageChops.add(high_part, low_part)


def _bits(largest: int) -> int:
    return next((bits for bits in _BITS if largest < 1 << bits), largest.bit_length())


def _tops(image: Image.Image) -> list[int]:
    return [int(np.asarray(band).max()) for band in image.split()]


def _rawmode(tile: Any) -> str:
    return tile.args if isinstance(tile.args, str) else str((tile.args or ("",))[0])


def _for_low_bytes(tile: Any) -> str | tuple:
    rawmode = _rawmode(tile)
    swapped = "RGBA" if rawmode.startswith("LA") else rawmode[:-1] + _LOW_BYTE[rawmode[-1]]
    return swapped if isinstance(tile.args, str) else (swapped, *tile.args[1:])
