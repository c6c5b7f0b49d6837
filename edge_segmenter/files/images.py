"""Image files, decoded as they are displayed, or refused before they cost too much memory or time.

Training reads its photos with this module as well, so a device sees the pixels that training saw.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import IO

import numpy as np
from PIL import ExifTags, Image, ImageFile

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
FORMATS = ("BMP", "JPEG", "PNG", "WEBP")  # not all of Pillow's: for PostScript, Pillow starts another program
MAX_PIXELS = 2**26  # 67 million, enough for a 64-megapixel camera; a file of a few kB can claim far more
MAX_BYTES = 2**28  # a 64-megapixel BMP has 201 MB; Pillow reads a whole WebP file before it checks the header
MAX_SCANS = 100  # of a progressive JPEG; ten are usual. A scan takes few bytes but costs work on every pixel
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by EXIF orientation

File = str | os.PathLike | IO[bytes]
AnyImage = str | os.PathLike | Image.Image | np.ndarray


class UnreadableImage(ValueError):
    """An image file that is broken, has another format or exceeds a limit; the message says why."""


def has_image_suffix(name: str) -> bool:
    """Returns whether a file name ends in one of `SUFFIXES`, in upper or lower case."""
    return name.lower().endswith(SUFFIXES)


def as_image(value: AnyImage) -> Image.Image:
    """Returns an image in mode RGB.

    Args:
        value: the path of a file, see `read_image`; a PIL.Image in mode RGB; or uint8 [height, width, rgb].

    Raises:
        ValueError: for anything else; `UnreadableImage` if the file cannot be read.
    """
    if isinstance(value, str | os.PathLike):
        return read_image(value)
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3:
        return Image.fromarray(value)
    if isinstance(value, Image.Image) and value.mode == "RGB":
        return value
    allowed = "a path, a PIL.Image of mode RGB or a uint8 array [height, width, rgb]"
    raise ValueError(f"the image is {_description(value)}, allowed: {allowed}")


def _description(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    return f"of mode {value.mode}" if isinstance(value, Image.Image) else f"a {type(value).__name__}"


def read_image(file: File, *, size: int | None = None, backdrop: str = "white") -> Image.Image:
    """Decodes an image file to 8-bit RGB, upright as it is displayed.

    Grey, 16-bit grey, palette and CMYK images become RGB. The EXIF orientation is applied where it can be read.
    Transparency is laid over the backdrop. The first frame of an animation is read. A colour profile for RGB stays in
    `Image.info`.

    Args:
        file: a path, or a binary file object.
        size: None, or pixels. A large JPEG is then decoded at 1/2, 1/4 or 1/8 of its size, which is faster. Its sides
            stay at least twice as long as `size`.
        backdrop: name of the colour behind transparent pixels.

    Returns:
        PIL.Image in mode RGB.

    Raises:
        UnreadableImage: for a broken file, another format, or more than `MAX_PIXELS`, `MAX_BYTES` or `MAX_SCANS`.
    """
    with _opened(file) as image:
        if image.info.get("progressive"):
            _check_scans(image)
        if size is not None:
            _shrink(image, size)
        has_rgb_profile = image.mode in ("RGB", "RGBA", "P")
        result = _flattened(_upright(image), backdrop)
        if not has_rgb_profile:  # otherwise a cut-out, which is RGB, would be saved with a profile for CMYK or grey
            result.info.pop("icc_profile", None)
        return result


def pixels_to_decode(file: File, *, size: int | None = None) -> int:
    """Returns how many pixels `read_image` has to keep in memory at once, according to the file's header.

    Args:
        file, size: as for `read_image`.

    Raises:
        UnreadableImage: as for `read_image`.
    """
    with _opened(file) as image:
        if size is not None and not image.info.get("progressive"):  # if progressive, libjpeg keeps all coefficients
            _shrink(image, size)
        return image.width * image.height


@contextlib.contextmanager
def _opened(file: File) -> Iterator[ImageFile.ImageFile]:
    """Yields an image that is not decoded yet. Every exception inside becomes `UnreadableImage`."""
    try:
        length = _length(file)
        if length > MAX_BYTES:
            raise UnreadableImage(f"{length} is more than {MAX_BYTES} bytes")
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableImage(f"{image.width} x {image.height} is more than {MAX_PIXELS} pixels")
            yield image
    except UnreadableImage:
        raise
    except Exception as error:  # broken files make Pillow raise almost anything
        raise UnreadableImage(f"{type(error).__name__}: {error}") from error


def _length(file: File) -> int:
    if not isinstance(file, str | os.PathLike):
        return file.seek(0, os.SEEK_END)
    if not os.path.isfile(file):  # reading from a pipe would wait for ever
        raise UnreadableImage("it is not a file")
    return os.path.getsize(file)


def _check_scans(image: ImageFile.ImageFile) -> None:
    assert image.fp is not None  # it is open
    image.fp.seek(0)
    scans = image.fp.read().count(b"\xff\xda")
    if scans > MAX_SCANS:
        raise UnreadableImage(f"{scans} is more than {MAX_SCANS} scans of a progressive JPEG")


def _shrink(image: Image.Image, size: int) -> None:
    image.draft(None, (2 * size, 2 * size))


def _upright(image: Image.Image) -> Image.Image:
    """Returns the image, turned as its EXIF says.

    `ImageOps.exif_transpose` also writes the EXIF again. That would fail for an intact image with broken EXIF.
    """
    image.load()  # in a PNG file, the EXIF may come last
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # broken EXIF raises almost anything, but the image may be intact
        turn = None
    return image if turn is None else image.transpose(turn)


def _flattened(image: Image.Image, backdrop: str) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey, which convert would clip at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, backdrop), image)
    return image.convert("RGB")
