"""Tests of the masks that belong to the photos of a folder."""

import unicodedata

import numpy as np
import pytest
from folder_photos import SIZES, save, save_mask
from PIL import Image

from tf_layered_gan.data.folder import reading
from tf_layered_gan.data.photos import UNLABELLED


@pytest.mark.parametrize("unlabelled, labels", [(None, [0, 1, 1, 1]), (128, [0, 255, 1, 1])])
def test_foreground_begins_at_128_and_one_grey_may_be_unlabelled(photos, masks, unlabelled, labels):
    save_mask(masks / "e.png", [[127, 128, 129, 255]] * 4)
    splits = reading.load(photos, masks=masks, unlabelled=unlabelled, **SIZES)
    assert splits.test.masks[0, 0].tolist() == labels


def test_transparent_mask_is_background(photos, masks):
    save(masks / "e.png", (255, 255, 255, 0), mode="RGBA", size=(4, 4))
    assert not reading.load(photos, masks=masks, **SIZES).test.masks.any()


def test_mask_is_found_in_the_same_subfolder_with_another_suffix(photos, masks):
    save(photos / "below" / "d.png", size=(4, 4))
    save_mask(masks / "below" / "d.bmp", [[0, 0, 255, 255]] * 4)
    splits = reading.load(photos, masks=masks, **SIZES)
    assert splits.validation.names == ("below/d.png", "e.png")
    assert splits.validation.masks[0, 0].tolist() == [0, 0, 1, 1]


def test_mask_of_another_size_but_the_same_aspect_is_rescaled(photos, masks):
    save_mask(masks / "e.png", [[255] * 8 + [0] * 8] * 16)
    assert reading.load(photos, masks=masks, **SIZES).test.masks[0, 0].tolist() == [1, 1, 0, 0]


def test_mask_a_few_pixels_off_is_rescaled(photos, masks):
    for name in "ef":
        save(photos / f"{name}.png", size=(400, 400))
    Image.new("L", (405, 403), 255).save(masks / "e.png")  # 0.5 % off
    Image.new("L", (403, 405), 255).save(masks / "f.png")
    assert reading.load(photos, masks=masks, **SIZES).test.masks.all()
    Image.new("L", (405, 400), 255).save(masks / "e.png")  # 1.25 %
    with pytest.raises(ValueError, match="e.png has another aspect ratio"):
        reading.load(photos, masks=masks, **SIZES)


def test_masks_that_have_no_photo_are_counted(photos, masks, warnings):
    (masks / "f.png").rename(masks / "f_mask.png")
    reading.load(photos, masks=masks, **SIZES)
    (warning,) = warnings
    assert warning.startswith(f"1 of 3 masks, such as {masks}/f_mask.png, have no photo of the same name: these masks")


def test_names_with_accents_match_whether_they_are_one_character_or_two(photos, masks):
    for name in "de":
        save(photos / f"{unicodedata.normalize('NFC', f'é{name}')}.png", size=(4, 4))
        save_mask(masks / f"{unicodedata.normalize('NFD', f'é{name}')}.png", [[255, 255, 0, 0]] * 4)
    splits = reading.load(photos, masks=masks, **SIZES)
    assert len(splits.validation) + len(splits.test) == 5


def test_mask_is_cropped_like_its_photo(photos, masks):
    # The photo is 12 pixels wide and 4 high. The crop keeps columns 4 to 7. Columns 5 and 6 are foreground.
    save(photos / "e.png", size=(12, 4))
    save_mask(masks / "e.png", [[0] * 5 + [255] * 2 + [0] * 5] * 4)
    assert reading.load(photos, masks=masks, **SIZES).test.masks[0, 0].tolist() == [0, 1, 1, 0]


def test_mask_of_another_aspect_is_refused_by_name(photos, masks):
    save_mask(masks / "e.png", [[255] * 8] * 4)
    with pytest.raises(ValueError, match=r"e.png has another aspect ratio .*\(8, 4\).*\(4, 4\)"):
        reading.load(photos, masks=masks, **SIZES)


def test_photo_with_an_unreadable_mask_is_in_no_split(photos, masks, warnings):
    (masks / "d.png").write_text("no image")
    splits = reading.load(photos, masks=masks, **SIZES)
    assert splits.train.names == ("a.png", "b.png", "c.png")
    assert splits.validation.names == ("e.png",) and splits.test.names == ("f.png",)
    assert len(warnings) == 2 and warnings[1] == "1 of 3 photos could not be used and are left out"


@pytest.mark.parametrize("place", ["photos", "masks"])
def test_photos_and_masks_that_do_not_match_one_to_one_are_refused(photos, masks, place):
    save(photos.parent / place / "d.bmp")
    with pytest.raises(ValueError, match="d.bmp and .*d.png"):
        reading.load(photos, masks=masks, **SIZES)


@pytest.mark.parametrize("fit, seen", [("crop", [1, 1, 1, 1]), ("squeeze", [0, 1, 1, 0]), ("pad", [0, 1, 1, 0])])
def test_photos_and_masks_of_every_split_have_the_same_fit(photos, tmp_path, fit, seen):
    # The middle half of each photo and of its mask is white. A crop keeps exactly this half.
    stripe = np.zeros((8, 16), np.uint8)
    stripe[:, 4:12] = 255
    for name in "abc":
        Image.fromarray(stripe).save(photos / f"{name}.png")
    for name in "ac":
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.fromarray(stripe).save(tmp_path / "masks" / f"{name}.png")
    splits = reading.load(photos, masks=tmp_path / "masks", resolution=4, storage_size=4, fit=fit)
    for split in (splits.train, splits.validation, splits.test):
        assert (split.images[0, 1, :, 0] >= 128).tolist() == [bool(label) for label in seen]
    for split in (splits.validation, splits.test):
        outside = [UNLABELLED] * 4 if fit == "pad" else seen
        assert split.masks[0].tolist() == [outside, seen, seen, outside]


def test_masks_below_the_photos_must_be_named(photos):
    for name in ("a", "b"):
        save_mask(photos / "masks" / f"{name}.png", [[255, 255, 0, 0]] * 4)
    with pytest.raises(ValueError, match="has a folder of masks, but masks are not photos"):
        reading.load(photos, **SIZES)
    assert reading.load(photos, masks=photos / "masks", **SIZES).train.names == ("c.png",)
