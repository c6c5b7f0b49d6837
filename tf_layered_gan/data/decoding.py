"""Picture files of any mode and size to squares of labelled pixels.

A file is refused before it can cost more than 1.25 GiB of memory, or minutes: see the limits.
"""

import os

import numpy as np
from PIL import ExifTags, Image

from tf_layered_gan.data.photos import FOREGROUND, UNLABELLED, mask_to_square, to_square

FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
MAX_PIXELS = 2**26  # 67 million, enough for a 64-megapixel camera; a file of some kB can claim far more
MAX_BYTES = 2**28  # the same camera's BMP has 201 MB; Pillow reads a WebP file whole before it looks at it
MAX_SCANS = 100  # of a progressive JPEG, which has some ten; each goes over all pixels, and takes a few bytes

Image.core.set_block_size(2**26)  # blocks beyond 32 MiB go back to the system at once, whichever thread had them

_Transpose = Image.Transpose
_TURNS = {
    2: _Transpose.FLIP_LEFT_RIGHT,
    3: _Transpose.ROTATE_180,
    4: _Transpose.FLIP_TOP_BOTTOM,
    5: _Transpose.TRANSPOSE,
    6: _Transpose.ROTATE_270,
    7: _Transpose.TRANSVERSE,
    8: _Transpose.ROTATE_90,
}


def decode(file, *, size=None, backdrop="white"):
    """Reads the upright picture in a file.

    Grey, 16-bit grey, palette, CMYK, RGB. EXIF orientation is applied where it can be read, transparency is laid over
    the backdrop, of an animation the first picture is taken.

    Args:
        file: path, or binary file object.
        size: None, or pixels: one much bigger may come smaller, but its sides not below twice that.
        backdrop: a colour's name.

    Returns:
        A PIL image, RGB.

    Raises:
        Exception: almost any, from Pillow, for a broken file or another format; ValueError for more than `MAX_PIXELS`,
            `MAX_BYTES` or `MAX_SCANS`.
    """
    with _opened(file) as image:
        if image.info.get("progressive"):
            _check_scans(image)
        if size is not None:
            _shrink(image, size)
        return _flatten(_upright(image), backdrop)


def pixels_to_decode(file, *, size=None):
    """Reads from a file's header how many pixels `decode` has to keep in memory at once.

    Args:
        file, size: as for `decode`.

    Returns:
        int.

    Raises:
        Exception: as `decode`.
    """
    with _opened(file) as image:
        if size is not None and not image.info.get("progressive"):  # of that libjpeg keeps all coefficients
            _shrink(image, size)
        return image.width * image.height


def _opened(file):
    length = os.path.getsize(file) if isinstance(file, (str, os.PathLike)) else file.seek(0, os.SEEK_END)
    if length > MAX_BYTES:
        raise ValueError(f"{length} is more than {MAX_BYTES} bytes")
    image = Image.open(file, formats=FORMATS)
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise ValueError(f"{image.width} x {image.height} is more than {MAX_PIXELS} pixels")
    return image


def _shrink(image, size):
    image.draft(None, (2 * size, 2 * size))  # big JPEGs at 1/2 to 1/8, quicker, and yet twice `size`


def _check_scans(image):
    image.fp.seek(0)
    scans = image.fp.read().count(b"\xff\xda")
    if scans > MAX_SCANS:
        raise ValueError(f"{scans} is more than {MAX_SCANS} scans of a progressive JPEG")


def _upright(image):
    """Turns as EXIF says. `ImageOps.exif_transpose` also writes EXIF again, and fails where only that is broken."""
    image.load()  # PNG may have its EXIF last
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except Exception:  # almost any, and a picture with broken EXIF is a whole one
        turn = None
    return image if turn is None else image.transpose(turn)


def labelled_square(photo, mask, *, size, unlabelled=None, mask_name="the mask"):
    """Crops a photo and its mask to the same square, see `photos.to_square`.

    Args:
        photo: a PIL image, RGB.
        mask: None, or a PIL image of any size, with the photo's aspect ratio; grey of 128 and more is foreground.
        size: pixels, the side of the square.
        unlabelled: None, or the grey of mask pixels that have no label.
        mask_name: what an error calls the mask.

    Returns:
        uint8 [size, size, rgb], with the labels 0, 1 and 255 as fourth channel if there is a mask.

    Raises:
        ValueError: if the mask has another aspect ratio than the photo.
    """
    square = np.asarray(to_square(photo, size))
    if mask is None:
        return square
    _check_aspect(photo, mask, mask_name)
    return np.dstack([square, _labels(mask_to_square(mask, size), unlabelled)])


def full_labels(photo, mask, *, unlabelled=None, mask_name="the mask"):
    """Brings a mask to its photo's own size, each pixel the label nearest to its centre.

    Args:
        photo, mask, unlabelled, mask_name: as for `labelled_square`.

    Returns:
        uint8 [height, width] of the labels 0, 1 and 255.

    Raises:
        ValueError: if the mask has another aspect ratio than the photo.
    """
    _check_aspect(photo, mask, mask_name)
    return _labels(mask.resize(photo.size, Image.Resampling.NEAREST), unlabelled)


def _check_aspect(photo, mask, mask_name):
    (width, height), (mask_width, mask_height) = photo.size, mask.size
    if abs(width * mask_height - height * mask_width) > max(photo.size + mask.size):  # a pixel, for rounding
        raise ValueError(f"{mask_name} has another aspect ratio than its photo: {mask.size}, {photo.size}")


def _labels(mask, unlabelled):
    grey = np.asarray(mask.convert("L"))
    labels = np.where(grey >= 128, FOREGROUND, 0).astype(np.uint8)
    if unlabelled is not None:
        labels[grey == unlabelled] = UNLABELLED
    return labels


def _flatten(image, backdrop):
    if image.mode.startswith("I"):  # 16-bit grey, which convert would clip at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, backdrop), image)
    return image.convert("RGB")
