"""Tests of the masks and images that the edge command writes."""

import numpy as np
import pytest
from edge_command import run
from edge_images import half_white
from PIL import Image, ImageCms

from edge_segmenter import Segmenter
from edge_segmenter.fit import to_square


def mask(output, name):
    return np.asarray(Image.open(output / "masks" / name))


@pytest.mark.parametrize("size", [(40, 20), (20, 40), (33, 33), (7, 5), (200, 1)])
def test_mask_and_cutout_have_the_size_of_the_image(model, photos, tmp_path, size):
    half_white(*size).save(photos / "a.png")
    assert run(model, photos, tmp_path / "out").returncode == 0
    width, height = size
    assert np.asarray(Image.open(tmp_path / "out/masks/a.png")).shape == (height, width)
    assert np.asarray(Image.open(tmp_path / "out/cutouts/a.png")).shape == (height, width, 4)


@pytest.mark.parametrize("mode, kept", [("RGB", True), ("CMYK", False), ("L", False)])
def test_only_the_profile_of_an_rgb_image_is_kept(model, photos, tmp_path, mode, kept):
    # Pillow writes an RGB profile even into a CMYK or grey image.
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    half_white(mode=mode).save(photos / "a.jpg", icc_profile=profile)
    run(model, photos, tmp_path / "out", "--kind", "cutout", "blurred")
    for kind in ("cutouts", "blurred"):
        with Image.open(tmp_path / "out" / kind / "a.png") as result:
            assert result.info.get("icc_profile") == (profile if kept else None)


@pytest.mark.parametrize("dpi, kept", [((300, 150), (300, 150)), (None, None), ((0, 0), None), ((1e-9, 1e9), None)])
def test_results_are_printed_as_large_as_the_photo(model, photos, tmp_path, dpi, kept):
    half_white().save(photos / "a.tif", **{"dpi": dpi} if dpi else {})
    assert run(model, photos, tmp_path / "out", "--kind", "mask", "cutout", "blurred").returncode == 0
    for kind in ("masks", "cutouts", "blurred"):
        with Image.open(tmp_path / "out" / kind / "a.png") as result:
            found = result.info.get("dpi")
            assert found == (kept and pytest.approx(kept, abs=0.1))


def test_mask_fits_the_image_as_displayed(model, photos, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # with this EXIF orientation, the image is displayed turned by 90 degrees
    half_white().save(photos / "upright.jpg", exif=exif)
    run(model, photos, tmp_path / "out")
    # The stored image is 40 wide and 20 high. It is displayed 20 wide and 40 high, with the white half at the bottom.
    upright = mask(tmp_path / "out", "upright.png")
    assert upright.shape == (40, 20)
    # The edge in the mask may be off by one pixel of the model, which is 40 / 16 = 2.5 pixels of the image.
    assert upright[:18].max() == 0 and upright[22:].min() == 255


def test_mask_does_not_show_the_filling(model, photos, tmp_path):
    image = Image.new("RGB", (40, 20))
    image.paste((255, 255, 255), (0, 15, 40, 20))
    image.save(photos / "a.png")
    run(model, photos, tmp_path / "out")
    # The model sees the image as 8 rows. Each of them covers 2.5 rows of the image. White begins at row 15 of the
    # image, which is row 6 of the model.
    values = mask(tmp_path / "out", "a.png")
    assert (values[:14] == 0).all() and (values[16:] == 255).all()


def test_filling_repeats_the_edge():
    rows = np.array([[[10] * 3] * 4, [[200] * 3] * 4], "uint8")  # 4 wide, 2 high
    pixels, filled = to_square(Image.fromarray(rows), 4, "pad")
    assert pixels[:, :, 0].tolist() == [[10] * 4, [10] * 4, [200] * 4, [200] * 4]
    assert filled == (slice(1, 3), slice(0, 4))


def test_threshold(model, photos, tmp_path):
    Image.new("RGB", (20, 20), (130, 130, 130)).save(photos / "grey.png")  # probability 0.5586
    run(model, photos, tmp_path / "low", "--threshold", 0.55)
    run(model, photos, tmp_path / "high", "--threshold", 0.57)
    assert (mask(tmp_path / "low", "grey.png") == 255).all()
    assert (mask(tmp_path / "high", "grey.png") == 0).all()


def test_sharpening_on_request(model, photos, tmp_path):
    photo = photos / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 90, 3), "uint8")).save(photo)
    for output, options in (("plain", ()), ("sharpened", ("--sharpen",))):
        assert run(model, photo, tmp_path / output, *options, "--kind", "mask").returncode == 0
    expected = Segmenter(model, sharpened=True).mask(photo)
    masks = [np.asarray(Image.open(tmp_path / output / "masks" / "noise.png")) for output in ("plain", "sharpened")]
    np.testing.assert_array_equal(masks[1], np.asarray(expected))
    assert (masks[0] != masks[1]).any()


def test_writes_only_the_kinds_that_are_asked_for(model, photos, tmp_path):
    half_white().save(photos / "a.png")
    assert run(model, photos, tmp_path / "out", "--kind", "blurred").returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["blurred"]
    with Image.open(tmp_path / "out" / "blurred" / "a.png") as result:
        assert (result.mode, result.size) == ("RGB", (40, 20))
