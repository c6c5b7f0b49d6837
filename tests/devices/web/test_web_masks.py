"""Tests that the web page gives the masks of the edge command for images of many kinds."""

import re

import numpy as np
import pytest
from blobs import blobs, exif
from PIL import Image, ImageOps, PngImagePlugin
from web_page import MODEL, assert_same_mask, canvas, drop, edge_result, saved, saved_mask

pytestmark = pytest.mark.browser


def see_through(width, height):
    image = blobs(width, height).point(lambda value: value // 2)
    image.putalpha(blobs(width, height, "L", seed=1))
    return image


def gamma():
    """A colour profile that would make every image far brighter: gamma 1 / 0.9.

    The page must not apply this profile.
    """
    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", (90_000).to_bytes(4, "big"))
    return info


def sixteen_bit(width, height):
    return Image.fromarray(np.asarray(blobs(width, height, "L")).astype("uint16") * 257)


IMAGES = {
    "photo.jpg": (lambda: blobs(640, 427), {}),
    "large.jpg": (lambda: blobs(2400, 1801), {"quality": 80}),
    "small.png": (lambda: blobs(9, 7), {}),
    "halves.png": (lambda: blobs(32, 5), {}),  # the image fills 5 / 2 = 2.5 rows, which Python rounds to 2
    "transposed.jpg": (lambda: blobs(300, 200), {"exif": exif(5)}),
    "on_its_side.jpg": (lambda: blobs(300, 200), {"exif": exif(6)}),
    "alpha.png": (lambda: see_through(200, 300), {}),
    "palette.png": (lambda: blobs(200, 300).quantize(64), {"transparency": 3}),
    "grey16.png": (lambda: sixteen_bit(250, 200), {}),
    "cmyk.jpg": (lambda: blobs(200, 300).convert("CMYK"), {}),
    "lossy.webp": (lambda: blobs(320, 200), {}),
    "gamma.png": (lambda: blobs(200, 150), {"pnginfo": gamma()}),
}


@pytest.mark.parametrize("name", IMAGES)
def test_mask_is_that_of_the_edge_command(page, site, tmp_path, name):
    make, options = IMAGES[name]
    make().save(tmp_path / name, **options)
    drop(page, tmp_path / name)
    assert_same_mask(saved_mask(page), edge_result(site / "full" / MODEL, tmp_path / name, tmp_path / "out"))


@pytest.mark.parametrize("name", ["photo.jpg", "alpha.png", "palette.png"])
def test_cutout_has_the_probability_as_its_alpha(page, site, tmp_path, name):
    make, options = IMAGES[name]
    make().save(tmp_path / name, **options)
    drop(page, tmp_path / name)
    expected = edge_result(site / "full" / MODEL, tmp_path / name, tmp_path / "out", "cutouts").astype(int)
    actual = np.asarray(saved(page, "saveCutout")).astype(int)
    assert actual.shape == expected.shape and expected[..., 3].min() < 20 and expected[..., 3].max() > 220
    assert np.abs(actual - expected)[..., 3].max() <= 1
    # A canvas stores colours multiplied by alpha. So this check multiplies the differences by alpha too.
    assert (np.abs(actual - expected) * expected[..., 3:] / 255).max() <= 2


@pytest.mark.parametrize("size", [(33, 47), (500, 3), (1, 9)])
def test_resampling_is_pillows(page, size):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 4)).astype("uint8")
    values = pixels[..., 0] / np.float32(255)
    resized = page.evaluate(
        """async ([pixels, values, width, height]) => {
            const { resizePixels, resizeFloats } = await import("./resample.js");
            const from = { width: 50, height: 40 }, to = { width, height };
            return [
                [...resizePixels(Uint8Array.from(pixels), { ...from, channels: 4 }, to)],
                [...resizeFloats(Float32Array.from(values), from, to)],
            ];
        }""",
        [pixels.ravel().tolist(), values.ravel().tolist(), *size],
    )
    for source, actual in zip((pixels, values), resized, strict=True):
        # Pillow would weight the colours of an RGBA image by alpha. So Pillow gets each channel as a separate image.
        channels = np.moveaxis(source, -1, 0) if source.ndim == 3 else source[None]
        expected = [
            np.asarray(Image.fromarray(channel).resize(size, Image.Resampling.BILINEAR)) for channel in channels
        ]
        np.testing.assert_array_equal(np.reshape(actual, (*size[::-1], -1)), np.stack(expected, -1))


def test_what_is_shown(page, image):
    drop(page, image)
    photo = np.asarray(ImageOps.exif_transpose(Image.open(image)))
    foreground = saved_mask(page)[..., 0] == 255
    overlay, cutout = canvas(page, "overlay"), canvas(page, "cutout")
    assert np.abs(overlay[foreground].astype(int)[..., :3] - photo[foreground]).max() <= 2
    outside = overlay[~foreground][..., :3]
    assert (outside == outside[:, :1]).all() and outside.max() < 100  # grey and dim
    assert (cutout[foreground][..., 3] > 127).all() and (cutout[~foreground][..., 3] <= 128).all()
    assert re.fullmatch(r"640 × 427 pixels, segmented in \d+ ms", page.text_content("#latency"))
