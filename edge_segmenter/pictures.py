"""Picture files, read as they are displayed, or refused before they take too much memory or time."""

import os
import pathlib

import numpy as np
from PIL import ExifTags, Image

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
FORMATS = ("BMP", "JPEG", "PNG", "WEBP")  # not all of Pillow's: that of PostScript, for one, starts another program
MAX_PIXELS, MAX_BYTES = 2**26, 2**28
MAX_SCANS = 100  # of a progressive JPEG, which has some ten; each goes over all pixels, and takes a few bytes
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by EXIF's orientation


def as_picture(picture):
    """Returns a PIL.Image of mode RGB.

    Args:
        picture: path of a file, see `read_picture`; a PIL.Image of mode RGB; or uint8 [height, width, rgb].

    Raises:
        ValueError: for anything else.
    """
    if isinstance(picture, str | os.PathLike):
        return read_picture(pathlib.Path(picture))
    if isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3:
        return Image.fromarray(picture)
    if isinstance(picture, Image.Image) and picture.mode == "RGB":
        return picture
    allowed = "a path, a PIL.Image of mode RGB or a uint8 array [height, width, rgb]"
    raise ValueError(f"a picture must be {allowed}, got {_description(picture)}")


def _description(value):
    """Returns in words what was given for a picture."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    return f"mode {value.mode}" if isinstance(value, Image.Image) else type(value).__name__


def read_picture(path):
    """Returns the picture as displayed: upright, 8-bit RGB, its colour profile kept if that is one of RGB."""
    with open_picture(path) as picture:
        has_rgb_profile = picture.mode in ("RGB", "RGBA", "P")
        picture = upright(picture)
        if picture.mode.startswith("I"):  # 16-bit grey, which Pillow would clip at 255
            picture = Image.fromarray((np.asarray(picture) >> 8).astype("uint8"))
        if picture.has_transparency_data:
            picture = picture if picture.mode == "RGBA" else picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        picture = picture.convert("RGB")
        if not has_rgb_profile:  # one of CMYK or grey would be written into the cut-out, which is neither
            picture.info.pop("icc_profile", None)
        return picture


def open_picture(path):
    """Returns the picture, not decoded yet; ValueError if that would take too much memory or time."""
    if not path.is_file():
        raise ValueError("it is no file")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path.stat().st_size} is more than {MAX_BYTES} bytes")
    picture = Image.open(path, formats=FORMATS)
    if picture.width * picture.height > MAX_PIXELS:
        raise ValueError(f"{picture.width} x {picture.height} is more than {MAX_PIXELS} pixels")
    if picture.info.get("progressive") and (scans := path.read_bytes().count(b"\xff\xda")) > MAX_SCANS:
        raise ValueError(f"{scans} is more than {MAX_SCANS} scans of a progressive JPEG")
    return picture


def upright(picture):
    """Returns the picture turned as its EXIF says, where that can be read: it may be broken and the picture whole."""
    picture.load()  # PNG may have its EXIF last
    try:
        turn = TURNS.get(picture.getexif().get(ExifTags.Base.Orientation))
    except Exception:
        turn = None
    return picture if turn is None else picture.transpose(turn)


def has_picture_suffix(name):
    """Whether a file of this name is taken for a picture."""
    return name.lower().endswith(SUFFIXES)
