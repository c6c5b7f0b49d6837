"""Tests of two mistakes that users make: masks among the photos, and copies of test photos among training photos."""

import numpy as np
import pytest
from folder_photos import SIZES
from PIL import Image

from tf_layered_gan.data.folder import reading


def save(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def photo(seed):
    return np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)


def black_and_white(seed):
    return np.where(photo(seed)[..., 0] < 128, 0, 255).astype(np.uint8)


def photos_beside(tmp_path, name, values, suffix=".png", stem="{}"):
    for i in range(4):
        save(tmp_path / "image" / f"{i}.jpg", photo(i))
        save(tmp_path / name / f"{stem.format(i)}{suffix}", values(i))


@pytest.mark.parametrize(
    "name", ["Masks", "mask", "label", "labels", "GT", "SegmentationClass", "annotations/trimaps", "ground-truth/a"]
)
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_masks_in_any_folder_among_the_photos_are_refused(tmp_path, name, suffix):
    photos_beside(tmp_path, name, black_and_white, suffix)
    masks = tmp_path / name.removesuffix("/a")
    with pytest.raises(ValueError, match=f"{masks} seems to hold masks, .*=PHOTOS and --config.data.masks={masks}"):
        reading.load(tmp_path, **SIZES)


@pytest.mark.parametrize("name, stem", [("m", "{}"), ("image", "{}"), ("image", "{}_mask"), ("image", "{}-GT_1")])
def test_masks_in_other_places_among_the_photos_are_refused(tmp_path, name, stem):
    photos_beside(tmp_path, name, black_and_white, stem=stem)
    mask = tmp_path / name / f"{stem.format(0)}.png"
    with pytest.raises(ValueError, match=f"{mask} seems to be the mask of {tmp_path / 'image/0.jpg'}"):
        reading.load(tmp_path, **SIZES)


def test_other_masks_than_those_that_are_named_are_refused(tmp_path):
    for i in range(4):
        save(tmp_path / f"{i}.jpg", photo(i))
        save(tmp_path / "trimaps" / f"{i}.png", black_and_white(i))
        save(tmp_path / "named" / f"{i}.png", black_and_white(i))
    with pytest.raises(ValueError, match="trimaps seems to hold masks"):
        reading.load(tmp_path, masks=tmp_path / "named", **SIZES)


@pytest.mark.parametrize("values", [photo, black_and_white])
def test_folders_of_the_same_names_are_photos_if_they_look_alike(tmp_path, values):
    for i in range(4):
        save(tmp_path / "a" / f"{i}.png", values(i))
        save(tmp_path / "b" / f"{i}.png", values(i + 4))
    splits = reading.load(tmp_path, **SIZES)
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 8


@pytest.mark.parametrize("name, values, stem", [("mask", photo, "{}"), ("gt", black_and_white, "car{}")])
def test_photos_in_a_folder_with_a_name_of_masks_are_photos(tmp_path, name, values, stem):
    photos_beside(tmp_path, name, values, stem=stem)
    splits = reading.load(tmp_path, **SIZES)
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 8


@pytest.mark.parametrize("copied, said", [(0, 0), (2, 2)])
def test_copies_of_photos_with_masks_are_counted(tmp_path, warnings, copied, said):
    for i in range(5):
        save(tmp_path / "photos" / f"{i}.bmp", photo(i))  # as BMP, because then all files have the same length
    for i in range(2):
        save(tmp_path / "masks" / f"{i}.png", black_and_white(i))
    for i in range(copied):
        save(tmp_path / "photos" / f"{i} (1).bmp", photo(i))
    reading.load(tmp_path / "photos", masks=tmp_path / "masks", **SIZES)
    example = "for example, 0 (1).bmp is a copy of 0.bmp"
    expected = f"{said} of the photos to train on are copies of photos with masks ({example}), so all"
    assert [line.startswith(expected) for line in warnings] == [True] * bool(said)
