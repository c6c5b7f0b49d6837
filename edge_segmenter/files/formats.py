"""The image formats that can be read, and the suffixes of their files. HEIC needs the package pillow-heif."""

import importlib.util
import struct
from typing import IO

from PIL import Image, ImageFile, UnidentifiedImageError

from . import png_texts
from .wrong_files import description

# Some of Pillow's formats are left out. For example, Pillow starts another program to read PostScript.
FORMATS: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF")
SUFFIXES: tuple[str, ...] = (".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff")
SUFFIXES += (".webp",)
HEIC_SUFFIXES = (".heic", ".heif", ".hif")
VIDEO_SUFFIXES: tuple[str, ...] = (".3g2", ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg")
VIDEO_SUFFIXES += (".mpg", ".mts", ".ogv", ".ts", ".vob", ".webm", ".wmv")
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_NEEDS_HEIF = "pip install pillow-heif"

if importlib.util.find_spec("pillow_heif"):
    import pillow_heif

    pillow_heif.register_heif_opener()
    FORMATS, SUFFIXES = (*FORMATS, "HEIF"), (*SUFFIXES, *HEIC_SUFFIXES)


def has_image_suffix(name: str) -> bool:
    """Returns whether a file name ends in one of `SUFFIXES`, in upper or lower case."""
    return name.lower().endswith(SUFFIXES)


def advice(suffix: str) -> str:
    """Returns advice for a user whose files with this suffix were not read, or "" if there is none."""
    if suffix in HEIC_SUFFIXES:
        return _NEEDS_HEIF
    return "videos: pass each video to edge-segmenter by its name" if suffix in VIDEO_SUFFIXES else ""


def open_image(file: IO[bytes], formats: tuple[str, ...] | None = None) -> ImageFile.ImageFile:
    """Opens an image by its content, without decoding it.

    `Image.open` warns of large images and refuses very large images. This function does neither, because its callers
    have their own limits.

    Raises:
        UnidentifiedImageError: if the file has none of the given `formats`. By default, these are `FORMATS`. Broken
            files raise almost any error.
    """
    Image.init()
    file.seek(0)
    start = file.read(64)
    for name in formats or FORMATS:
        factory, accept = Image.OPEN[name]
        accepted = accept is None or accept(start)
        if isinstance(accepted, str):
            raise UnidentifiedImageError(accepted)
        if accepted:
            file.seek(0)
            try:
                return factory(file, "")
            except ValueError:
                if name != "PNG":
                    raise
                return factory(png_texts.without_texts(file), "")
            # Image.open ignores these errors too, because another format may fit.
            except (SyntaxError, IndexError, TypeError, struct.error):
                continue
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS:
        raise UnidentifiedImageError(f"the file is HEIC: {_NEEDS_HEIF}")
    found = description(start) or "cannot identify image file"
    raise UnidentifiedImageError(f"{found}, allowed: {', '.join(FORMATS)}")
