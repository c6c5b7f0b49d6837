"""Tests of the decoding of image files. Devices and training use the same decoding."""

import io
import os

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from edge_segmenter.files import images, jpeg_scans
from edge_segmenter.files.images import UnreadableImage, pixels_to_decode, read_image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def pixels(file, **settings):
    image = read_image(file, **settings)
    assert image.mode == "RGB"
    return np.asarray(image).astype(int)


def assert_color(values, color, tolerance=0):
    assert abs(values - color).max() <= tolerance


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"])
def test_the_content_counts_and_not_the_suffix(tmp_path, kind):
    Image.new("RGB", (8, 8), GREEN).save(tmp_path / "a.jpg", kind)
    assert_color(pixels(tmp_path / "a.jpg"), GREEN, tolerance=4)


def test_a_file_in_memory_is_read():
    content = io.BytesIO()
    Image.new("RGB", (8, 6), GREEN).save(content, "PNG")
    assert_color(pixels(content), GREEN)
    assert pixels_to_decode(content) == 48


def palette():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([*RED, *BLUE])
    return image


@pytest.mark.parametrize(
    "image, suffix, options, expected",
    [
        (Image.new("L", (8, 8), 77), "png", {}, 77),
        (Image.new("1", (8, 8), 1), "png", {}, WHITE),
        (Image.new("LA", (8, 8), (77, 255)), "png", {}, 77),
        (Image.new("RGBA", (8, 8), (*BLUE, 255)), "png", {}, BLUE),
        (palette(), "png", {}, BLUE),
        (palette(), "png", {"transparency": 1}, WHITE),
        # The 16-bit value 77 * 256 + 255 becomes the 8-bit value 77. Clipping would give 255.
        (Image.fromarray(np.full((8, 8), 77 * 256 + 255, np.uint16)), "png", {}, 77),
        # Full cyan and full yellow, without magenta and black, are green.
        (Image.new("CMYK", (8, 8), (255, 0, 255, 0)), "jpg", {}, GREEN),
    ],
)
def test_every_mode_becomes_rgb(tmp_path, image, suffix, options, expected):
    image.save(tmp_path / f"a.{suffix}", **options)
    assert_color(pixels(tmp_path / f"a.{suffix}"), expected, tolerance=4 if suffix == "jpg" else 0)


@pytest.mark.parametrize(
    "alpha, backdrop, expected",
    [(0, "white", WHITE), (51, "white", (204, 204, 255)), (0, "black", (0, 0, 0)), (51, "black", (0, 0, 51))],
)
def test_transparency_is_laid_over_the_backdrop(tmp_path, alpha, backdrop, expected):
    # Alpha is 51 / 255 = 0.2, so blue over white is 0.8 * 255 + 0.2 * (0, 0, 255) = (204, 204, 255).
    Image.new("RGBA", (8, 8), (*BLUE, alpha)).save(tmp_path / "a.png")
    assert_color(pixels(tmp_path / "a.png", backdrop=backdrop), expected)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "avif", "tif"])
def test_exif_orientation_is_applied(tmp_path, suffix):
    # With orientation 6, the left side of the stored image is displayed at the top.
    stored = np.zeros((8, 16, 3), np.uint8)
    stored[:, :8], stored[:, 8:] = RED, BLUE
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"subsampling": "4:4:4"} if suffix in ("avif", "jpg") else {}
    Image.fromarray(stored).save(tmp_path / f"a.{suffix}", exif=exif, quality=95, **options)
    upright = pixels(tmp_path / f"a.{suffix}")
    assert upright.shape == (16, 8, 3)
    assert_color(upright[0], RED, tolerance=12)
    assert_color(upright[-1], BLUE, tolerance=12)


def test_a_large_jpeg_is_decoded_smaller_but_not_below_twice_the_size(tmp_path):
    # The decoded sides must be at least twice `size`, 2 * 64 = 128. Half of the height is 256 / 2 = 128. A quarter, 256
    # / 4 = 64, would be too small.
    ramp = Image.fromarray(np.tile(np.arange(256, dtype=np.uint8)[:, None], (1, 300)))
    ramp.save(tmp_path / "a.jpg", quality=95)
    small = read_image(tmp_path / "a.jpg", size=64)
    assert small.size == (150, 128) and pixels_to_decode(tmp_path / "a.jpg", size=64) == 150 * 128
    assert abs(np.asarray(small)[:, 0, 0].astype(int) - np.arange(0.5, 256, 2)).max() <= 2
    assert read_image(tmp_path / "a.jpg").size == (300, 256)


def truncated(path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    "spoil, message",
    [
        (truncated, "OSError: "),
        (lambda path: path.write_bytes(b"II*\0" + b"\0" * 99), "the file is a TIFF that Pillow cannot read"),
        (lambda path: path.write_text("text"), "UnidentifiedImageError: cannot identify image file"),
        (lambda path: path.write_bytes(b""), "UnidentifiedImageError: the file is empty"),
        (lambda path: path.write_bytes(bytes(9)), "the file begins with zeros: it was not copied or downloaded"),
        (lambda path: Image.new("RGB", (8, 8)).save(path, "JPEG2000"), "the file is a JPEG 2000 image, allowed: JPEG"),
        (lambda path: path.write_text("\n<!DOCTYPE html>"), r"the file is a web page \(HTML\)"),
        (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1"), "run git lfs pull"),
        (lambda path: path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(99)), "the file is HEIC: pip install pillow-heif"),
        (lambda path: Image.new("1", (8193, 8192)).save(path, "PNG"), "8193 x 8192 is more than 67108864 pixels"),
        (os.mkfifo, "it is not a file"),
        (lambda path: path.symlink_to("nothing"), "it is not a file"),
        (lambda path: None, "it is not there any more"),
        (os.mkdir, "it is not a file"),
    ],
)
def test_an_unreadable_file_is_refused_with_the_reason(tmp_path, spoil, message):
    spoil(tmp_path / "a.jpg")
    with pytest.raises(UnreadableImage, match=message):
        read_image(tmp_path / "a.jpg")


def jpeg(image, **options):
    content = io.BytesIO()
    image.save(content, "JPEG", quality=95, **options)
    return content.getvalue()


def noise(size=(640, 480)):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8))


@pytest.mark.parametrize("progressive", [False, True])
def test_a_clip_after_the_end_of_a_jpeg_does_not_count(tmp_path, monkeypatch, progressive):
    content = jpeg(noise(), progressive=progressive)
    (tmp_path / "a.jpg").write_bytes(content + b"\xff\xda\0\x02" * 10_000)
    monkeypatch.setattr(images, "MAX_BYTES", 1000)  # a JPEG file may be larger, because it is read in parts
    assert (pixels(tmp_path / "a.jpg") == pixels(io.BytesIO(content))).all()


def test_scans_are_counted_across_the_parts_that_are_read(monkeypatch):
    content = jpeg(noise((320, 240)), progressive=True)
    for chunk in (16, 17, 1000):
        monkeypatch.setattr(jpeg_scans, "_CHUNK", chunk)
        assert jpeg_scans.count_scans(io.BytesIO(content), 100) == 10
        assert jpeg_scans.count_scans(io.BytesIO(content[: len(content) // 2]), 100) < 10


def test_hundreds_of_kilobytes_of_metadata_are_read():
    segment = b"\xff\xe1\xff\xffhttp://ns.adobe.com/xmp/extension/\0" + bytes(65_533 - 35)
    content = jpeg(noise((32, 16)), icc_profile=bytes(600_000), comment=b"\xff\xda" * 20_000)
    assert pixels(io.BytesIO(content[:2] + segment * 9 + content[2:])).shape == (16, 32, 3)


@pytest.mark.parametrize("kind", ["compressed text", "many texts", "profile"])
def test_a_png_with_texts_or_a_profile_that_are_too_large_for_pillow_is_read(kind, monkeypatch):
    texts, profile = PngImagePlugin.PngInfo(), {"icc_profile": bytes(2_000_000)} if kind == "profile" else {}
    if kind == "compressed text":
        texts.add_text("workflow", "x" * 2_000_000, zip=True)
    if kind == "many texts":
        monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_MEMORY", 1000)
        texts.add_text("layer", "x" * 2000)
    content, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    noise((32, 16)).save(content, "PNG", pnginfo=texts, exif=exif, **profile)
    with pytest.raises(ValueError):
        Image.open(content)
    assert (pixels(content) == np.rot90(noise((32, 16)), 3)).all()


@pytest.mark.parametrize("size, expected", [(12, (50, 25)), (None, None)])
def test_more_pixels_are_read_if_a_jpeg_is_decoded_smaller(tmp_path, monkeypatch, size, expected):
    noise((400, 200)).save(tmp_path / "a.jpg")
    monkeypatch.setattr(images, "MAX_PIXELS", 400 * 200 // 60)
    monkeypatch.setattr(images, "MAX_SHRUNK_PIXELS", 400 * 200)
    if expected:
        assert read_image(tmp_path / "a.jpg", size=size).size == expected
    else:
        with pytest.raises(UnreadableImage, match="400 x 200 is more than 1333 pixels: save a smaller copy"):
            read_image(tmp_path / "a.jpg")


def test_pillows_own_limit_of_pixels_neither_warns_nor_refuses(tmp_path):
    Image.new("L", (20_000, 10_000)).save(tmp_path / "a.jpg", quality=1)
    with pytest.raises(UnreadableImage, match="20000 x 10000 is more than 67108864 pixels"):
        read_image(tmp_path / "a.jpg")
    assert read_image(tmp_path / "a.jpg", size=64).size == (2500, 1250)


def test_a_cameras_raw_file_is_not_taken_for_its_thumbnail(tmp_path):
    noise((32, 16)).save(tmp_path / "a.dng", "TIFF", tiffinfo={254: 1})
    with pytest.raises(UnreadableImage, match="a camera's raw file"):
        read_image(tmp_path / "a.dng")


def test_the_alpha_and_the_profile_of_a_transparent_image_are_kept(tmp_path):
    image = noise((32, 16))
    image.putalpha(Image.linear_gradient("L").resize((32, 16)))
    image.save(tmp_path / "a.png", icc_profile=b"profile")
    rgb, alpha = images.read_with_alpha(tmp_path / "a.png")
    assert np.array_equal(alpha, image.getchannel("A")) and rgb.info["icc_profile"] == b"profile"
    image.putalpha(255)
    image.save(tmp_path / "a.png")
    assert images.read_with_alpha(tmp_path / "a.png")[1] is None


def test_limits_of_bytes_and_scans(tmp_path, monkeypatch):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", progressive=True)
    with monkeypatch.context() as patch, pytest.raises(UnreadableImage, match="with more than 9 scans"):
        patch.setattr(images, "MAX_SCANS", 9)
        read_image(tmp_path / "a.jpg")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", "BMP")
    monkeypatch.setattr(images, "MAX_BYTES", 99)
    with pytest.raises(UnreadableImage, match="is more than 99 bytes"):
        read_image(tmp_path / "a.jpg")
