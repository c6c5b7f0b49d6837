"""Decoding of image files, as viewers display them. Files that would need too much memory or time are not decoded.

Training reads its photos with this module too. So a device sees the same pixels as training.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import IO

import numpy as np
from PIL import ExifTags, Image, ImageChops, ImageFile, UnidentifiedImageError

from . import bit_depth
from .formats import open_image
from .jpeg_scans import count_scans

# 67 million, enough for a 64-megapixel camera. The limit is needed because the header of a small file can state many
# more pixels.
MAX_PIXELS = 2**26
MAX_SHRUNK_PIXELS = 2**28  # the limit for a JPEG that is decoded at a reduced size, enough for a 200-megapixel camera
# Enough for a 64-megapixel BMP of 201 MB. The limit is needed because Pillow reads a whole WebP file before it checks
# the header.
MAX_BYTES = 2**28
MAX_SCANS = 100  # limit for a progressive JPEG, which usually has ten scans
_NEW_SUBFILE_TYPE, _BITS_PER_SAMPLE, _PHOTOMETRIC = 254, 258, 262  # TIFF tags
_PLANAR_CONFIGURATION, _DNG_VERSION = 284, 50706
_WHITE_IS_ZERO, _SEPARATE = 0, 2  # values of the tags _PHOTOMETRIC and _PLANAR_CONFIGURATION
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
ImageAndAlpha = tuple[Image.Image, Image.Image | None]


class UnreadableImage(ValueError):
    """The error for an image file that is broken, has another format or exceeds a limit. The message says why."""


def as_image(value: AnyImage) -> ImageAndAlpha:
    """Returns an image in mode RGB and its alpha, see `read_with_alpha`. Only a file can have alpha.

    Args:
        value: the path of a file, see `read_image`; a PIL.Image in mode RGB, which is turned as its EXIF says; or uint8
            [height, width, rgb].

    Raises:
        UnreadableImage: if the file cannot be read.
        ValueError: if `value` is anything else, or an image without pixels.
    """
    if isinstance(value, str | os.PathLike):
        return read_with_alpha(value)
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3:
        if value.size:
            return Image.fromarray(value), None
    elif isinstance(value, Image.Image) and value.mode == "RGB" and all(value.size):
        return upright(value, value), None
    allowed = "a path, a PIL.Image of mode RGB or a uint8 array [height, width, rgb], with one pixel or more"
    raise ValueError(f"the image is {_description(value)}, allowed: {allowed}")


def _description(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    if isinstance(value, Image.Image):
        return f"of mode {value.mode}, {value.width} x {value.height}"
    return f"a {type(value).__name__}"


def read_image(file: File, *, size: int | None = None, backdrop: str = "white") -> Image.Image:
    """Decodes an image file to 8-bit RGB, upright as it is displayed.

    Grey, palette and CMYK images become RGB. Channels with more than 8 bits are scaled to 8 bits, see `bit_depth`. The
    EXIF orientation is applied where it can be read. The backdrop is put behind transparent pixels. Only the first
    frame of an animation is read. No colour profile is applied, because networks learn from the colour values in the
    files.

    Args:
        file: a path, or a binary file object.
        size: None, or a number of pixels. With a number, a large JPEG is decoded at 1/2, 1/4 or 1/8 of its size, which
            is faster. The sides of the decoded image are at least twice as long as `size`.
        backdrop: name of the colour behind transparent pixels.

    Returns:
        PIL.Image in mode RGB. Its `info` keeps the pixels per inch ("dpi"). It keeps the colour profile only if the
        profile is for RGB.

    Raises:
        UnreadableImage: if the file is broken, has another format, or exceeds `MAX_PIXELS`, `MAX_BYTES` or `MAX_SCANS`.
            A JPEG file may have more than `MAX_BYTES`, because it is read in parts, and only up to the end of the
            image. `MAX_SHRUNK_PIXELS` replaces `MAX_PIXELS` for a JPEG that is decoded at a reduced size and is not
            progressive.
    """
    return read_with_alpha(file, size=size, backdrop=backdrop)[0]


def read_with_alpha(file: File, *, size: int | None = None, backdrop: str = "white") -> ImageAndAlpha:
    """Returns an image as `read_image` does, and its alpha.

    The alpha is a PIL.Image in mode L, or None if no pixel is transparent.
    """
    with opened(file, size) as image:
        if image.info.get("progressive"):
            _check_scans(image)
            _shrink(image, size)
        has_rgb_profile = image.mode in ("RGB", "RGBA", "P", "PA")
        result, alpha = _flattened(upright(image, _decoded(image)), backdrop)
        # Otherwise Pillow would store a profile for CMYK or grey in the cut-out, although the cut-out is RGB.
        profile = image.info.get("icc_profile") if has_rgb_profile else None
        kept = {"icc_profile": profile, "dpi": _pixels_per_inch(image)}
        result.info = {name: value for name, value in kept.items() if value}
        return result, alpha


def pixels_to_decode(file: File, *, size: int | None = None) -> int:
    """Returns the number of pixels that `read_image` must keep in memory at once. Reads only the header of the file.

    Args:
        file, size: as for `read_image`.

    Raises:
        UnreadableImage: as for `read_image`.
    """
    with opened(file, size) as image:
        return image.width * image.height


@contextlib.contextmanager
def opened(file: File, size: int | None = None) -> Iterator[ImageFile.ImageFile]:
    """Yields an image that is not decoded yet. Every exception in the block becomes `UnreadableImage`."""
    try:
        with _content(file) as content:
            length = content.seek(0, os.SEEK_END)
            image = _open(content, length)
            _check_pixels(image, size)
            tags = getattr(image, "tag_v2", {})  # of a TIFF
            if tags.get(_NEW_SUBFILE_TYPE) == 1 or _DNG_VERSION in tags:
                raise UnreadableImage(
                    "it is a camera's raw file, which begins with a thumbnail: save it as JPEG or PNG"
                )
            if _has_raw_planes(image, tags):
                raise UnreadableImage("its 16-bit channels are stored one after another, uncompressed: save it as PNG")
            yield image
    except UnreadableImage:
        raise
    except Exception as error:  # Pillow raises almost any error for a broken file
        raise UnreadableImage(f"{type(error).__name__}: {error}") from error


def _has_raw_planes(image: ImageFile.ImageFile, tags: Mapping) -> bool:
    """Returns whether a TIFF stores its 16-bit channels one after the other, uncompressed.

    Pillow misreads such files.
    """
    deep = max(tags.get(_BITS_PER_SAMPLE, (8,))) > 8
    return deep and tags.get(_PLANAR_CONFIGURATION) == _SEPARATE and image.tile[0].codec_name == "raw"


def _content(file: File) -> contextlib.AbstractContextManager[IO[bytes]]:
    if not isinstance(file, str | os.PathLike):
        return contextlib.nullcontext(file)
    if not os.path.isfile(file):  # reading from a pipe would wait for ever
        raise UnreadableImage("it is not a file" if os.path.lexists(file) else "it is not there any more")
    return open(file, "rb")


def _open(content: IO[bytes], length: int) -> ImageFile.ImageFile:
    if length <= MAX_BYTES:
        return open_image(content)
    try:
        return open_image(content, ("JPEG",))  # a JPEG is read in parts and only up to the end of its image
    except UnidentifiedImageError as error:
        raise UnreadableImage(f"{length} is more than {MAX_BYTES} bytes") from error


def _check_pixels(image: ImageFile.ImageFile, size: int | None) -> None:
    """Checks the limits.

    The limit of a progressive JPEG is `MAX_PIXELS`, because decoding it at a reduced size saves no memory.
    """
    width, height = image.size
    if not image.info.get("progressive"):
        _shrink(image, size)
    limit = MAX_SHRUNK_PIXELS if image.size != (width, height) else MAX_PIXELS
    if width * height > limit or image.width * image.height > MAX_PIXELS:
        raise UnreadableImage(f"{width} x {height} is more than {limit} pixels: save a smaller copy of it")


def _check_scans(image: ImageFile.ImageFile) -> None:
    assert image.fp is not None  # it is open
    position = image.fp.tell()
    if count_scans(image.fp, MAX_SCANS) > MAX_SCANS:
        raise UnreadableImage(f"it is a progressive JPEG with more than {MAX_SCANS} scans")
    image.fp.seek(position)


def _shrink(image: Image.Image, size: int | None) -> None:
    if size is not None:
        image.draft(None, (2 * size, 2 * size))


def _decoded(image: ImageFile.ImageFile) -> Image.Image:
    """Returns the decoded image. Each channel of a colour image has 8 bits. A grey image may have more bits."""
    tags = getattr(image, "tag_v2", {})
    if not bit_depth.sixteen_bit_colours(image):
        image.load()
        # Pillow inverts an 8-bit TIFF that stores white as 0, but not a 16-bit TIFF.
        if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO and image.mode.startswith("I;16"):
            return ImageChops.invert(bit_depth.to_8_bits(image))
        return image
    assert image.fp is not None  # it is open
    file = image.fp
    image.load()
    if not bit_depth.might_have_fewer_bits(image):
        return image
    return bit_depth.joined(image, bit_depth.low_bytes(open_image(file)))


def _pixels_per_inch(image: Image.Image) -> tuple[float, float] | None:
    """Returns the print resolution (x, y), or None if the file states no plausible resolution."""
    try:
        x, y = map(float, image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if min(x, y) > 1 and max(x, y) < 100_000 else None


def upright(image: Image.Image, decoded: Image.Image) -> Image.Image:
    """Returns the decoded image, turned as the EXIF of `image` says.

    `ImageOps.exif_transpose` is not used, because it also writes the EXIF data again. Writing fails if the EXIF data is
    broken, even if the image is intact.
    """
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # broken EXIF data raises almost any error, but the image may be intact
        turn = None
    return decoded if turn is None else decoded.transpose(turn)


def _flattened(image: Image.Image, backdrop: str) -> ImageAndAlpha:
    if image.mode.startswith(("I", "F")):  # `convert` would clip values above 255
        image = bit_depth.to_8_bits(image)
    if not image.has_transparency_data:
        return image.convert("RGB"), None
    image = image if image.mode == "RGBA" else image.convert("RGBA")
    alpha = image.getchannel("A")
    result = Image.alpha_composite(Image.new("RGBA", image.size, backdrop), image).convert("RGB")
    return result, alpha if np.asarray(alpha).min() < 255 else None
