import os
import threading
import time
from multiprocessing.pool import ThreadPool

import numpy as np
import pytest
from absl import logging
from PIL import Image

from tf_layered_gan.data import decoding, folder
from tf_layered_gan.data.room import Room

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
SIZES = {"resolution": 4, "storage_size": 6}


def save(path, color=RED, *, size=(8, 8), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path, **options)


@pytest.fixture
def photos(tmp_path):
    """A folder of three red photos, which load() needs; one of them, b.png, is trained on."""
    for name in "abc":
        save(tmp_path / "photos" / f"{name}.png")
    return tmp_path / "photos"


@pytest.fixture
def warnings(monkeypatch):
    lines = []
    monkeypatch.setattr(logging, "warning", lambda line, *values: lines.append(line % values))
    return lines


def read(photos, name):
    """The photo of that name, float [height, width, rgb], wherever it is among the splits."""
    splits = folder.load(photos, **SIZES)
    for split in (splits.train, splits.validation, splits.test):
        if name in split.names:
            return split.images[split.names.index(name)].astype(int)
    raise AssertionError(f"{name} is in no split")


def assert_color(square, color, tolerance=0):
    assert abs(square - color).max() <= tolerance


@pytest.mark.parametrize("name", ["d.jpg", "d.JPEG", "d.Png", "d.webp", "d.BMP", "below/it/d.png"])
def test_formats_are_read_in_any_case_and_depth(photos, name):
    save(photos / name, GREEN)
    assert_color(read(photos, name), GREEN, tolerance=4)


def test_content_counts_not_the_ending(photos):
    save(photos / "d.jpg", GREEN, format="PNG")
    assert_color(read(photos, "d.jpg"), GREEN)


@pytest.mark.parametrize("size", [(1, 1), (40, 3), (3, 40), (300, 200)])
def test_any_size_becomes_a_square(photos, size):
    save(photos / "d.png", GREEN, size=size)
    assert_color(read(photos, "d.png"), GREEN)


def test_big_jpeg_is_read_like_a_big_png(photos):
    ramp = np.tile(np.arange(256, dtype=np.uint8)[:, None], (1, 256))
    Image.fromarray(ramp).save(photos / "d.png")
    expected = read(photos, "d.png")
    (photos / "d.png").unlink()
    Image.fromarray(ramp).save(photos / "d.jpg", quality=95)
    assert abs(read(photos, "d.jpg") - expected).max() <= 2


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [("L", 77, (77,) * 3), ("1", 1, WHITE), ("LA", (77, 255), (77,) * 3), ("RGBA", (*BLUE, 255), BLUE)],
)
def test_modes_of_png(photos, mode, color, expected):
    save(photos / "d.png", color, mode=mode)
    assert_color(read(photos, "d.png"), expected)


def test_palette(photos):
    picture = Image.new("P", (8, 8), 2)
    picture.putpalette([*RED, *BLUE, *GREEN])
    picture.save(photos / "d.png")
    assert_color(read(photos, "d.png"), GREEN)


def test_cmyk(photos):
    # Cyan and yellow in full, no magenta and no black: green.
    save(photos / "d.jpg", (255, 0, 255, 0), mode="CMYK")
    assert_color(read(photos, "d.jpg"), GREEN, tolerance=4)


def test_16_bit_grey_is_scaled(photos):
    # 77 * 256 + 255 of 65535 is 77 of 255, while clipping would give 255.
    Image.fromarray(np.full((8, 8), 77 * 256 + 255, np.uint16)).save(photos / "d.png")
    assert_color(read(photos, "d.png"), 77)


@pytest.mark.parametrize(("alpha", "expected"), [(0, WHITE), (51, (204, 204, 255))])
def test_transparency_is_laid_over_white(photos, alpha, expected):
    # Alpha 51 / 255 = 0.2: 0.8 * 255 + 0.2 * (0, 0, 255) = (204, 204, 255).
    save(photos / "d.png", (*BLUE, alpha), mode="RGBA")
    assert_color(read(photos, "d.png"), expected)


def test_transparent_color_of_a_palette_is_laid_over_white(photos):
    picture = Image.new("P", (8, 8), 1)
    picture.putpalette([*RED, *BLUE])
    picture.save(photos / "d.png", transparency=1)
    assert_color(read(photos, "d.png"), WHITE)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_exif_orientation_is_applied(photos, ending):
    # Orientation 6: what is stored at the left belongs at the top.
    stored = np.zeros((8, 8, 3), np.uint8)
    stored[:, :4], stored[:, 4:] = RED, BLUE
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(stored).save(photos / f"d.{ending}", exif=exif, quality=95, subsampling=0)
    square = read(photos, f"d.{ending}")
    assert_color(square[0], RED, tolerance=12)
    assert_color(square[-1], BLUE, tolerance=12)


def spoil(path, how):
    if how == "truncated":
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif how == "text":
        path.write_text("no picture")
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "too many pixels":
        side = int(decoding.MAX_PIXELS**0.5) + 1
        save(path, 0, mode="1", size=(side, side), format="PNG")
    elif how == "another format":
        save(path, format="GIF")


@pytest.mark.parametrize("how", ["truncated", "text", "empty", "too many pixels", "another format"])
@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_unreadable_file_is_left_out_and_named_once(photos, warnings, how, ending):
    spoil(photos / f"aa.{ending}", how)
    splits = folder.load(photos, **SIZES)
    assert sorted(splits.train.names + splits.validation.names + splits.test.names) == [
        "a.png",
        "b.png",
        "c.png",
    ]
    named, counted = warnings
    assert f"aa.{ending}: " in named
    assert counted == "1 of 4 photos could not be used and are left out"


def test_sizes_and_order(photos):
    for number in range(30):
        save(photos / f"n{number:02}.png", (number, 0, 0))
    splits = folder.load(photos, **SIZES)
    assert splits.train.images.shape == (30, 6, 6, 3)
    assert splits.validation.images.shape[1:] == splits.test.images.shape[1:] == (4, 4, 3)
    assert list(splits.train.names) == sorted(splits.train.names)


def test_holdout_is_evenly_spaced_and_its_neighbours_close_up(photos):
    for name in "abc":
        (photos / f"{name}.png").unlink()
    for number in range(40):
        save(photos / f"{number:02}.png", (number, 0, 0))
    splits = folder.load(photos, **SIZES)
    # A tenth of 40 is 4: the middles of four times ten.
    assert splits.validation.names == ("05.png", "25.png") and splits.test.names == ("15.png", "35.png")
    assert splits.validation.images[:, 0, 0, 0].tolist() == [5, 25]
    assert splits.train.images[:, 0, 0, 0].tolist() == [n for n in range(40) if n not in (5, 15, 25, 35)]
    assert splits.train.names == tuple(f"{n:02}.png" for n in range(40) if n not in (5, 15, 25, 35))
    assert splits.validation.masks is None and splits.test.masks is None


def test_holdout_bounds_a_tenth(photos):
    for number in range(60):
        save(photos / f"{number:02}.png")
    splits = folder.load(photos, holdout=4, **SIZES)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (59, 2, 2)


def save_mask(path, grey):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(grey, np.uint8)).save(path)


@pytest.fixture
def masks(photos):
    """Masks for d, e and f of six photos; each with foreground in the left half."""
    for name in "def":
        save(photos / f"{name}.png", (ord(name), 0, 0), size=(4, 4))
        save_mask(photos.parent / "masks" / f"{name}.png", [[255, 255, 0, 0]] * 4)
    return photos.parent / "masks"


def test_photos_with_masks_are_for_evaluation_by_turns(photos, masks):
    splits = folder.load(photos, masks=masks, **SIZES)
    assert splits.train.names == ("a.png", "b.png", "c.png") and splits.train.masks is None
    assert splits.validation.names == ("d.png", "f.png") and splits.test.names == ("e.png",)
    assert splits.validation.images[:, 0, 0, 0].tolist() == [ord("d"), ord("f")]
    assert splits.test.masks.tolist() == [[[1, 1, 0, 0]] * 4]


def test_foreground_begins_at_128(photos, masks):
    save_mask(masks / "e.png", [[127, 128, 129, 255]] * 4)
    assert folder.load(photos, masks=masks, **SIZES).test.masks[0, 0].tolist() == [0, 1, 1, 1]


def test_unlabelled_grey_becomes_255(photos, masks):
    save_mask(masks / "e.png", [[127, 128, 129, 255]] * 4)
    test = folder.load(photos, masks=masks, unlabelled=128, **SIZES).test
    assert test.masks[0, 0].tolist() == [0, 255, 1, 1]


def test_transparent_mask_is_background(photos, masks):
    save(masks / "e.png", (255, 255, 255, 0), mode="RGBA", size=(4, 4))
    assert not folder.load(photos, masks=masks, **SIZES).test.masks.any()


def test_mask_is_found_in_the_same_subfolder_with_another_ending(photos, masks):
    save(photos / "below" / "d.png", size=(4, 4))
    save_mask(masks / "below" / "d.bmp", [[0, 0, 255, 255]] * 4)
    splits = folder.load(photos, masks=masks, **SIZES)
    assert splits.validation.names == ("below/d.png", "e.png")
    assert splits.validation.masks[0, 0].tolist() == [0, 0, 1, 1]


def test_mask_of_another_size_but_the_same_aspect_is_rescaled(photos, masks):
    save_mask(masks / "e.png", [[255] * 8 + [0] * 8] * 16)
    assert folder.load(photos, masks=masks, **SIZES).test.masks[0, 0].tolist() == [1, 1, 0, 0]


def test_mask_is_cropped_like_its_photo(photos, masks):
    # 12 wide, 4 high: columns 4 to 7 are left, and the foreground is columns 5 and 6.
    save(photos / "e.png", size=(12, 4))
    save_mask(masks / "e.png", [[0] * 5 + [255] * 2 + [0] * 5] * 4)
    assert folder.load(photos, masks=masks, **SIZES).test.masks[0, 0].tolist() == [0, 1, 1, 0]


def test_mask_of_another_aspect_is_refused_by_name(photos, masks):
    save_mask(masks / "e.png", [[255] * 8] * 4)
    with pytest.raises(ValueError, match=r"e.png has another aspect ratio .*\(8, 4\).*\(4, 4\)"):
        folder.load(photos, masks=masks, **SIZES)


def test_files_with_other_endings_are_counted(photos, warnings):
    for name in ("a.HEIC", "b.heic", "notes.txt", "none"):
        (photos / name).write_bytes(b"")
    folder.load(photos, **SIZES)
    (warning,) = warnings
    assert warning.endswith("are left out: .heic 2, .txt 1, none 1")


def test_photo_with_an_unreadable_mask_is_in_no_split(photos, masks, warnings):
    spoil(masks / "d.png", "text")
    splits = folder.load(photos, masks=masks, **SIZES)
    assert splits.train.names == ("a.png", "b.png", "c.png")
    assert splits.validation.names == ("e.png",) and splits.test.names == ("f.png",)
    assert len(warnings) == 2 and warnings[1] == "1 of 3 photos could not be used and are left out"


def test_masks_below_the_photos_are_no_photos(photos, masks):
    inside = masks.rename(photos / "masks")
    assert folder.load(photos, masks=inside, **SIZES).train.names == ("a.png", "b.png", "c.png")


def test_all_photos_may_have_masks(photos, masks):
    for name in "abc":
        save_mask(masks / f"{name}.png", [[255] * 8] * 8)
    splits = folder.load(photos, masks=masks, **SIZES)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (0, 3, 3)


@pytest.mark.parametrize("ending", ["bmp", "webp"])
def test_two_masks_for_a_photo_are_refused(photos, masks, ending):
    save(masks / f"d.{ending}")
    with pytest.raises(ValueError, match=f"d.{ending} and .*d.png|d.png and .*d.{ending}"):
        folder.load(photos, masks=masks, **SIZES)


def test_two_photos_for_a_mask_are_refused(photos, masks):
    save(photos / "d.jpg")
    with pytest.raises(ValueError, match="d.jpg and .*d.png"):
        folder.load(photos, masks=masks, **SIZES)


def test_masks_without_a_photo_are_refused(photos):
    save_mask(photos.parent / "masks" / "z.png", [[255] * 8] * 8)
    with pytest.raises(ValueError, match="none of 1 masks has the name of a photo"):
        folder.load(photos, masks=photos.parent / "masks", **SIZES)


def test_masks_among_the_photos_are_refused(photos):
    with pytest.raises(ValueError, match="a folder of their own"):
        folder.load(photos, masks=photos, **SIZES)


def test_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing is not a folder"):
        folder.load(tmp_path / "nothing", **SIZES)


def test_folder_without_a_usable_photo_says_what_there_is(tmp_path):
    spoil(tmp_path / "a.jpg", "text")
    spoil(tmp_path / "b.png", "empty")
    spoil(tmp_path / "c.txt", "text")
    with pytest.raises(ValueError, match=r"0 usable of 3 files.*allowed: \.bmp \.jpeg \.jpg \.png \.webp"):
        folder.load(tmp_path, **SIZES)


def test_two_photos_are_too_few(photos):
    (photos / "a.png").unlink()
    with pytest.raises(ValueError, match="2 usable of 2 files"):
        folder.load(photos, **SIZES)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"resolution": 8}, "resolution must be 1 to storage_size = 6"),
        ({"resolution": 0}, "resolution must be"),
        ({"holdout": 1}, "holdout must be"),
        ({"unlabelled": 256}, "unlabelled must be"),
    ],
)
def test_setting_out_of_range_is_refused(photos, wrong, message):
    with pytest.raises(ValueError, match=message):
        folder.load(photos, **SIZES | wrong)


def assert_equal(one, other):
    for name in ("train", "validation", "test"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.names == b.names
        np.testing.assert_array_equal(a.images, b.images)
        np.testing.assert_array_equal(a.masks, b.masks)


def test_cache_gives_the_same_memory_mapped(photos, masks, tmp_path):
    plain = folder.load(photos, masks=masks, **SIZES)
    for _ in range(2):
        cached = folder.load(photos, masks=masks, cache=tmp_path / "cache", **SIZES)
        assert isinstance(cached.train.images, np.memmap)
        assert_equal(cached, plain)


def test_cache_of_held_out_photos_gives_the_same(photos, tmp_path):
    spoil(photos / "aa.png", "text")
    for _ in range(2):
        assert_equal(folder.load(photos, cache=tmp_path / "cache", **SIZES), folder.load(photos, **SIZES))


def test_cache_is_read_instead_of_the_photos(photos, tmp_path, monkeypatch):
    folder.load(photos, cache=tmp_path / "cache", **SIZES)
    monkeypatch.setattr(folder, "_read_square", None)
    assert len(folder.load(photos, cache=tmp_path / "cache", **SIZES).train) == 1


@pytest.mark.parametrize("change", ["time", "new file", "resolution", "storage_size"])
def test_cache_is_renewed_when_something_changes(photos, tmp_path, change):
    settings = dict(SIZES)
    folder.load(photos, cache=tmp_path / "cache", **settings)
    if change == "time":
        os.utime(photos / "b.png", ns=(1, 1))
    elif change == "new file":
        save(photos / "bb.png", GREEN)
    else:
        settings[change] -= 1
    assert_equal(folder.load(photos, cache=tmp_path / "cache", **settings), folder.load(photos, **settings))
    assert len(list((tmp_path / "cache").glob("[0-9a-f]*"))) == 2


class Planted:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def pickled(path, planted):
    np.save(path, np.array([Planted(planted)], object), allow_pickle=True)


def zipped(path, planted):
    with open(path, "wb") as file:
        np.savez(file, np.zeros(1))


@pytest.mark.parametrize(
    "name, damage",
    [
        ("train.npy", pickled),
        ("test.npy", pickled),
        ("validation.npy", zipped),
        ("train.npy", lambda path, _: path.write_bytes(b"")),
        ("train.npy", lambda path, _: path.write_bytes(path.read_bytes()[:-1])),
        ("test.npy", lambda path, _: np.save(path, np.zeros((1, 4, 4, 3)))),
        ("test.npy", lambda path, _: path.unlink()),
        ("names.json", lambda path, _: path.write_text("{}")),
        ("names.json", lambda path, _: path.write_text("[]")),
        ("names.json", lambda path, _: path.write_text('{"train": 5')),
    ],
)
def test_cache_that_is_damaged_is_named_and_never_unpickled(photos, tmp_path, name, damage):
    folder.load(photos, cache=tmp_path / "cache", **SIZES)
    (entry,) = (tmp_path / "cache").glob("[0-9a-f]*")
    damage(entry / name, tmp_path / "planted")
    with pytest.raises(ValueError, match=f"{entry} is damaged: .*; remove it, and the photos are read again"):
        folder.load(photos, cache=tmp_path / "cache", **SIZES)
    assert not (tmp_path / "planted").exists()


def test_cache_that_was_cut_off_is_not_read(photos, tmp_path, monkeypatch):
    def cut_off(file, array):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(np, "save", cut_off)
        folder.load(photos, cache=tmp_path / "cache", **SIZES)
    assert_equal(folder.load(photos, cache=tmp_path / "cache", **SIZES), folder.load(photos, **SIZES))


def test_a_folder_of_masks_among_the_photos_is_not_taken_for_photos(photos):
    for name in ("a", "b"):
        save_mask(photos / "masks" / f"{name}.png", [[255, 255, 0, 0]] * 4)
    with pytest.raises(ValueError, match="has a folder of masks, which are no photos"):
        folder.load(photos, **SIZES)
    assert folder.load(photos, masks=photos / "masks", **SIZES).train.names == ("c.png",)


@pytest.mark.filterwarnings("ignore:.*EXIF", "ignore:Truncated File Read", "ignore:Tag data larger")
def test_what_only_its_exif_has_broken_is_read(photos):
    save(photos / "d.jpg", GREEN, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(range(40)))
    assert_color(read(photos, "d.jpg"), GREEN, tolerance=4)


@pytest.mark.parametrize(
    "make", [os.mkfifo, lambda path: path.symlink_to("nothing"), lambda path: path.symlink_to(path)]
)
def test_what_is_no_file_is_named_and_not_waited_for(photos, warnings, make):
    make(photos / "d.jpg")
    folder.load(photos, **SIZES)
    assert warnings == [f"left out {photos / 'd.jpg'}: it is no file"]


def test_a_name_of_several_lines_is_named_in_one(photos, warnings):
    spoil(photos / "d\nleft out e.jpg", "text")
    folder.load(photos, **SIZES)
    assert warnings[0].startswith(f"left out {photos}/d\\nleft out e.jpg: ")


def test_what_is_decoded_at_the_same_time_is_bounded():
    room, most, lock, together = Room(10), 0, threading.Lock(), []

    def take(number):
        nonlocal most
        with room.taken(number):
            with lock:
                together.append(number)
                most = max(most, sum(together))
            time.sleep(0.001)
            with lock:
                together.remove(number)

    with ThreadPool(8) as pool:
        pool.map(take, [1, 2, 3, 4, 5, 6, 7, 8] * 3)
    assert 8 < most <= 10
    with room.taken(1000):  # no more than there is, and all of it is there again
        pass
