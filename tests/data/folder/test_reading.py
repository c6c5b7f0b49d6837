import os
import unicodedata

import numpy as np
import pytest
from absl import logging
from assertions import assert_same_splits
from PIL import Image

from tf_layered_gan.data.folder import reading
from tf_layered_gan.data.photos import UNLABELLED

RED, GREEN = (255, 0, 0), (0, 255, 0)
SIZES = {"resolution": 4, "storage_size": 6}


def save(path, color=RED, *, size=(8, 8), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path, **options)


@pytest.fixture
def photos(tmp_path):
    """A folder of three red photos. A folder of fewer photos is refused. The photo b.png is used for training."""
    for name in "abc":
        save(tmp_path / "photos" / f"{name}.png")
    return tmp_path / "photos"


@pytest.fixture
def warnings(monkeypatch):
    lines = []
    monkeypatch.setattr(logging, "warning", lambda line, *values: lines.append(line % values))
    return lines


@pytest.mark.parametrize("size", [(1, 1), (40, 3), (3, 40), (300, 200)])
def test_any_size_becomes_a_square(photos, size):
    save(photos / "b.png", GREEN, size=size)
    assert (reading.load(photos, **SIZES).train.images == GREEN).all()


@pytest.mark.parametrize("content", [b"no image", b""])
def test_an_unreadable_file_is_left_out_and_named_once(photos, warnings, content):
    (photos / "aa.jpg").write_bytes(content)
    splits = reading.load(photos, **SIZES)
    assert sorted(splits.train.names + splits.validation.names + splits.test.names) == ["a.png", "b.png", "c.png"]
    named, counted = warnings
    assert f"left out {photos}/aa.jpg: UnidentifiedImageError: " in named
    assert counted == "1 of 4 photos could not be used and are left out"


def test_holdout_is_evenly_spaced_and_its_neighbours_close_up(photos):
    for name in "abc":
        (photos / f"{name}.png").unlink()
    for number in range(40):
        save(photos / f"{number:02}.png", (number, 0, 0))
    splits = reading.load(photos, **SIZES)
    assert splits.train.images.shape == (36, 6, 6, 3)
    assert splits.validation.images.shape == splits.test.images.shape == (2, 4, 4, 3)
    # A tenth of the 40 photos is held out: the middle photo of each of four groups of ten.
    assert splits.validation.names == ("05.png", "25.png") and splits.test.names == ("15.png", "35.png")
    assert splits.validation.images[:, 0, 0, 0].tolist() == [5, 25]
    assert splits.train.images[:, 0, 0, 0].tolist() == [n for n in range(40) if n not in (5, 15, 25, 35)]
    assert splits.train.names == tuple(f"{n:02}.png" for n in range(40) if n not in (5, 15, 25, 35))
    assert splits.validation.masks is None and splits.test.masks is None


def test_holdout_bounds_a_tenth(photos):
    for number in range(60):
        save(photos / f"{number:02}.png")
    splits = reading.load(photos, holdout=4, **SIZES)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (59, 2, 2)


def test_of_many_photos_some_are_chosen_evenly_and_all_with_masks(photos, masks, warnings):
    for number in range(9):
        save(photos / f"z{number}.png")
    splits = reading.load(photos, masks=masks, most_photos=4, **SIZES)
    # The photos are a to c and z0 to z8. They form 4 groups of 3 photos, and the middle photo of each group is chosen.
    assert splits.train.names == ("b.png", "z1.png", "z4.png", "z7.png")
    assert splits.validation.names + splits.test.names == ("d.png", "f.png", "e.png")
    (line,) = warnings
    assert line.startswith("8 of 12 photos are left out, because data.most_photos is smaller")


def test_a_larger_limit_finds_the_same_cache(photos, tmp_path):
    reading.load(photos, most_photos=3, cache=tmp_path / "cache", **SIZES)
    reading.load(photos, most_photos=4, cache=tmp_path / "cache", **SIZES)
    assert len(list((tmp_path / "cache").glob("*/names.json"))) == 1


def save_mask(path, grey):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(grey, np.uint8)).save(path)


@pytest.fixture
def masks(photos):
    """A folder of masks for three of six photos: d, e and f. The left half of each mask is foreground."""
    for name in "def":
        save(photos / f"{name}.png", (ord(name), 0, 0), size=(4, 4))
        save_mask(photos.parent / "masks" / f"{name}.png", [[255, 255, 0, 0]] * 4)
    return photos.parent / "masks"


def test_photos_with_masks_go_to_validation_and_test_in_turn(photos, masks):
    splits = reading.load(photos, masks=masks, **SIZES)
    assert splits.train.names == ("a.png", "b.png", "c.png") and splits.train.masks is None
    assert splits.validation.names == ("d.png", "f.png") and splits.test.names == ("e.png",)
    assert splits.validation.images[:, 0, 0, 0].tolist() == [ord("d"), ord("f")]
    assert splits.test.masks.tolist() == [[[1, 1, 0, 0]] * 4]


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


def test_files_with_other_suffixes_are_counted(photos, warnings):
    for name in ("a.HEIC", "b.heic", "notes.txt", "none"):
        (photos / name).write_bytes(b"")
    reading.load(photos, **SIZES)
    (warning,) = warnings
    assert warning.startswith(f"{photos}: files with other suffixes than .avif .bmp ")
    assert warning.endswith(" are left out: none 1, .heic 2 (pip install pillow-heif), .txt 1")


def test_photo_with_an_unreadable_mask_is_in_no_split(photos, masks, warnings):
    (masks / "d.png").write_text("no image")
    splits = reading.load(photos, masks=masks, **SIZES)
    assert splits.train.names == ("a.png", "b.png", "c.png")
    assert splits.validation.names == ("e.png",) and splits.test.names == ("f.png",)
    assert len(warnings) == 2 and warnings[1] == "1 of 3 photos could not be used and are left out"


def test_all_photos_may_have_masks(photos, masks):
    for name in "abc":
        save_mask(masks / f"{name}.png", [[255] * 8] * 8)
    splits = reading.load(photos, masks=masks, **SIZES)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (0, 3, 3)


@pytest.mark.parametrize("place", ["photos", "masks"])
def test_photos_and_masks_that_do_not_match_one_to_one_are_refused(photos, masks, place):
    save(photos.parent / place / "d.bmp")
    with pytest.raises(ValueError, match="d.bmp and .*d.png"):
        reading.load(photos, masks=masks, **SIZES)


@pytest.mark.parametrize(
    "path, masks, message",
    [
        ("photos", "photos", "in another folder than the photos"),
        ("photos", "others", "none of 1 masks has the name of a photo"),
        ("nothing", None, "nothing is not a folder"),
        ("photos", "nothing", "nothing is not a folder"),
    ],
)
def test_folders_that_cannot_be_used_are_refused(photos, path, masks, message):
    save_mask(photos.parent / "others" / "z.png", [[255] * 8] * 8)
    with pytest.raises(ValueError, match=message):
        reading.load(photos.parent / path, masks=masks and photos.parent / masks, **SIZES)


def test_a_folder_without_a_usable_photo_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_text("no image")
    (tmp_path / "b.png").write_bytes(b"")
    (tmp_path / "c.txt").write_text("no image")
    with pytest.raises(
        ValueError, match=r"0 of 2 photos are usable.*suffixes: \.avif \.bmp .*\.jpeg \.jpg .*\.png .*\.webp"
    ):
        reading.load(tmp_path, **SIZES)


def test_two_photos_are_too_few(photos):
    (photos / "a.png").unlink()
    with pytest.raises(ValueError, match="2 of 2 photos are usable"):
        reading.load(photos, **SIZES)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"resolution": 8}, "resolution is 8, allowed: 1 to storage_size = 6"),
        ({"resolution": 0}, "resolution is 0"),
        ({"holdout": 1}, "holdout is 1"),
        ({"unlabelled": 256}, "unlabelled is 256"),
    ],
)
def test_setting_out_of_range_is_refused(photos, wrong, message):
    with pytest.raises(ValueError, match=message):
        reading.load(photos, **SIZES | wrong)


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


@pytest.mark.parametrize("with_masks", [True, False])
def test_cache_gives_the_same_memory_mapped(photos, masks, tmp_path, with_masks):
    (photos / "aa.png").write_text("no image")
    settings = SIZES | {"masks": masks if with_masks else None}
    plain = reading.load(photos, **settings)
    for _ in range(2):
        cached = reading.load(photos, cache=tmp_path / "cache", **settings)
        assert isinstance(cached.train.images, np.memmap)
        assert_same_splits(cached, plain)


def test_cache_is_read_instead_of_the_photos(photos, tmp_path, monkeypatch):
    reading.load(photos, cache=tmp_path / "cache", **SIZES)
    monkeypatch.setattr(reading, "_read_square", None)
    assert len(reading.load(photos, cache=tmp_path / "cache", **SIZES).train) == 1


@pytest.mark.parametrize("after", ["find_photos", "_size"])
def test_a_photo_that_vanishes_is_left_out_and_named(photos, warnings, tmp_path, monkeypatch, after):
    for name in "de":
        save(photos / f"{name}.png")
    function = getattr(reading, after)

    def then_lose(*arguments):
        result = function(*arguments)
        (photos / "d.png").unlink(missing_ok=True)
        return result

    monkeypatch.setattr(reading, after, then_lose)
    splits = reading.load(photos, cache=tmp_path / "cache", **SIZES)
    assert "d.png" not in splits.train.names + splits.validation.names + splits.test.names
    assert len(splits.train) == 2 and f"left out {photos}/d.png: " in warnings[0]


def test_system_files_and_results_among_the_photos_are_said_once(photos, warnings):
    save(photos / "results" / "masks" / "a.png")
    (photos / "._a.png").write_bytes(b"Mac OS X")
    assert reading.load(photos, **SIZES).train.names == ("b.png",)
    assert warnings == [
        f"{photos}: left out: 1 hidden (names that begin with a dot), 1 results of this program or masks"
    ]


@pytest.mark.parametrize("change", ["time", "new file", "fit", "resolution", "storage_size"])
def test_cache_is_renewed_when_something_changes(photos, tmp_path, change):
    settings = dict(SIZES)
    reading.load(photos, cache=tmp_path / "cache", **settings)
    if change == "time":
        os.utime(photos / "b.png", ns=(1, 1))
    elif change == "new file":
        save(photos / "bb.png", GREEN)
    elif change == "fit":
        settings["fit"] = "squeeze"
    else:
        settings[change] -= 1
    assert_same_splits(reading.load(photos, cache=tmp_path / "cache", **settings), reading.load(photos, **settings))
    entries = list((tmp_path / "cache").glob("[0-9a-f]*"))
    # A new entry of the cache replaces only an earlier entry of the same photos.
    assert len(entries) == (2 if change == "new file" else 1)


def test_masks_below_the_photos_must_be_named(photos):
    for name in ("a", "b"):
        save_mask(photos / "masks" / f"{name}.png", [[255, 255, 0, 0]] * 4)
    with pytest.raises(ValueError, match="has a folder of masks, but masks are not photos"):
        reading.load(photos, **SIZES)
    assert reading.load(photos, masks=photos / "masks", **SIZES).train.names == ("c.png",)
