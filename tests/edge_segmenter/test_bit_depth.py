"""Images with more than 8 bits per channel.

Each image is made from an 8-bit image. The reader must return this 8-bit image.
"""

import io
import zlib

import image_bytes
import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from edge_segmenter.files.images import UnreadableImage, read_image, read_with_alpha

SIZE = (24, 16)
COLOURS = np.random.default_rng(0).integers(0, 256, (16, 24, 3)).astype(np.uint16)
COLOURS[0, 0] = 255
GREY = COLOURS[..., 0]


def png(values, color):
    """Returns a 16-bit PNG of values [y, x, channel]. `color` is the colour type in its header."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return io.BytesIO(image_bytes.png(*SIZE, depth=16, color=color, rows=zlib.compress(rows)))


def tiff(values, **options):
    file = io.BytesIO()
    Image.fromarray(values).save(file, "TIFF", **options)
    return file


def pixels(file):
    return np.asarray(read_image(file))


def as_rgb(grey):
    return np.repeat(grey[..., None], 3, 2)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_largest_value_gives_the_number_of_bits(bits):
    colours, grey = COLOURS << (bits - 8), GREY << (bits - 8)
    opaque = np.full_like(GREY, 65535)
    assert (pixels(png(grey[..., None], 0)) == as_rgb(GREY)).all()
    assert (pixels(png(colours, 2)) == COLOURS).all()
    assert (pixels(png(np.dstack([grey, opaque]), 4)) == as_rgb(GREY)).all()
    assert (pixels(png(np.dstack([colours, opaque]), 6)) == COLOURS).all()
    assert (pixels(tiff(grey)) == as_rgb(GREY)).all()
    assert (pixels(tiff(grey, compression="tiff_lzw")) == as_rgb(GREY)).all()
    assert (pixels(tiff(grey.astype(np.int32))) == as_rgb(GREY)).all()


@pytest.mark.parametrize("bits", [12, 16])
def test_alpha_has_bits_of_its_own(bits):
    alpha = np.full_like(GREY, 255 << (bits - 8))
    alpha[:, 12:] = 0
    image, found = read_with_alpha(png(np.dstack([COLOURS << 4, alpha]), 6))
    assert (np.asarray(found) == alpha >> (bits - 8)).all()
    assert (np.asarray(image)[:, :12] == COLOURS[:, :12]).all() and (np.asarray(image)[:, 12:] == 255).all()


@pytest.mark.parametrize("largest", [1, 255, 65535, 1e6])
def test_floats_are_scaled_by_one_or_by_the_largest(largest):
    assert (pixels(tiff((GREY / 255 * largest).astype(np.float32))) == as_rgb(GREY)).all()


def test_a_dark_float_image_in_the_unit_range_stays_dark():
    assert (pixels(tiff(np.full((16, 24), 0.2, np.float32))) == 51).all()


def test_values_that_are_not_finite_or_negative_are_black():
    grey = np.ones((16, 24), np.float32)
    grey[0, :4] = np.nan, np.inf, -np.inf, -3
    assert pixels(tiff(grey))[0, :5, 0].tolist() == [0, 0, 0, 0, 255]


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_tiff_in_which_0_is_white_is_read_right(bits):
    stored = (1 << bits) - 1 - (GREY << (bits - 8))
    # This value uses all bits. Without it, the largest value might fit into fewer bits.
    stored[0, 0] = (1 << bits) - 1
    file = tiff(stored, tiffinfo={262: 0})
    expected = GREY.copy()
    expected[0, 0] = 0
    assert (pixels(file) >> 1 == as_rgb(expected) >> 1).all()


def test_uncompressed_16_bit_channels_that_are_apart_are_refused():
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    values = {256: 1, 257: 1, 258: (16,) * 3, 259: 1, 262: 2, 273: (400,) * 3, 277: 3, 278: 1, 279: (2,) * 3, 284: 2}
    for tag, value in values.items():
        tags[tag] = value
    file = io.BytesIO()
    file.write(b"II*\0\10\0\0\0")
    tags.save(file)
    file.write(b"\0" * 400)
    with pytest.raises(UnreadableImage, match="channels are stored one after another"):
        read_image(file)


def test_compressed_grey_that_is_stored_as_planes_is_read():
    assert (pixels(tiff(GREY << 8, tiffinfo={284: 2}, compression="tiff_lzw")) == as_rgb(GREY)).all()
