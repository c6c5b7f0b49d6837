"""Tests of the photos of a folder that are read, and of folders and settings that are refused."""

import pytest
from folder_photos import GREEN, SIZES, save, save_mask

from tf_layered_gan.data.folder import reading


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


def test_files_with_other_suffixes_are_counted(photos, warnings):
    for name in ("a.HEIC", "b.heic", "notes.txt", "none"):
        (photos / name).write_bytes(b"")
    reading.load(photos, **SIZES)
    (warning,) = warnings
    assert warning.startswith(f"{photos}: files with other suffixes than .avif .bmp ")
    assert warning.endswith(" are left out: none 1, .heic 2 (pip install pillow-heif), .txt 1")


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
