"""Picture files of any mode and size to squares of labelled pixels."""

import numpy as np
from PIL import Image, ImageOps

from tf_layered_gan.data.photos import FOREGROUND, UNLABELLED, mask_to_square, to_square

FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
MAX_PIXELS = 2**26  # 67 million, enough for a 64-megapixel camera; a file of some kB can claim far more


def decode(file, *, size=None, backdrop="white"):
    """Reads the upright picture in a file.

    Grey, 16-bit grey, palette, CMYK, RGB. EXIF orientation is applied, transparency is laid over the backdrop, of an
    animation the first picture is taken.

    Args:
        file: path, or binary file object.
        size: None, or pixels: one much bigger may come smaller, but its sides not below twice that.
        backdrop: a colour's name.

    Returns:
        A PIL image, RGB.

    Raises:
        Exception: almost any, from Pillow, for a broken file or another format; ValueError for more than `MAX_PIXELS`.
    """
    with Image.open(file, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"{image.width} x {image.height} is more than {MAX_PIXELS} pixels")
        if size is not None:
            image.draft(None, (2 * size, 2 * size))  # big JPEGs at 1/2 to 1/8, quicker, and yet twice `size`
        return _flatten(ImageOps.exif_transpose(image), backdrop)


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
        image = Image.alpha_composite(Image.new("RGBA", image.size, backdrop), image.convert("RGBA"))
    return image.convert("RGB")
