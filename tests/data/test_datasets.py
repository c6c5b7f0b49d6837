"""Tests of the real dataset builders.

The builders read small archives with the official layouts. The archives are in the folder where a user would put them.
"""

import functools
import os
import random
import re
import shutil

import archives
import numpy as np
import pytest
import tensorflow_datasets as tfds
from assertions import SPLITS, assert_same_splits
from PIL import Image

from configs import apc, cars, cub, dogs
from tf_layered_gan.data import sources
from tf_layered_gan.data.paper_datasets import catalogue, datasets

SIZES = {"resolution": 8, "storage_size": 10}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A folder in which all datasets have been prepared."""
    path = tmp_path_factory.mktemp("tfds")
    with pytest.MonkeyPatch.context() as patch:
        for source in archives.WRITERS:
            archives.write(source, path, patch)
            catalogue.prepare(source, path)
    for archive in (path / "downloads" / "manual").iterdir():
        archive.unlink()  # the prepared datasets work without the archives
    return path


def load(source, path, **settings):
    return datasets.load(source, **{"path": path, "holdout": 2} | SIZES | settings)


@pytest.fixture(scope="module")
def loaded(path):
    """A function that takes the name of a dataset and returns its splits. Each dataset is loaded only once."""
    return functools.cache(lambda source: load(source, path))


def greys(photos):
    """Returns the grey value of each photo, see `archives`."""
    return photos.images[:, 0, 0, 0].tolist()


@pytest.fixture
def masks(tmp_path):
    """Masks of the validation and test photos of cars.

    These masks have half the size of the photos. The foreground is at the top.
    """
    for split, count in (("train", 6), ("test", 2)):
        for n in range(count):
            save_mask(tmp_path / "masks" / f"cars_{split}" / f"{n + 1:05}.png", (15, 10))
    return tmp_path / "masks"


def save_mask(file, size, top=200, bottom=20):
    mask = Image.new("L", size, bottom)
    mask.paste(top, (0, 0, size[0], size[1] // 2))
    file.parent.mkdir(parents=True, exist_ok=True)
    mask.save(file)


@pytest.mark.parametrize("source", archives.WRITERS)
def test_sizes(loaded, source):
    splits = loaded(source)
    assert splits.train.images.shape[1:] == (10, 10, 3) and splits.train.masks is None
    assert splits.validation.images.shape[1:] == splits.test.images.shape[1:] == (8, 8, 3)
    assert (splits.validation.masks is None) == (splits.test.masks is None) == (source in ("dogs", "cars"))


def test_cub_is_split_by_the_numbers_in_images_txt(loaded):
    splits = loaded("cub")
    # The fixture has seven photos of CUB. In cub_split.txt, the photos 1 to 9 are for training, 10 and 26 are for
    # validation, and 12 and 19 are for the test.
    assert [sorted(greys(getattr(splits, split))) for split in SPLITS] == [[1, 2, 3], [10, 26], [12, 19]]
    assert sorted(splits.validation.names) == [
        "001.Black_footed_Albatross/Bird_0074_26.jpg",
        "001.Black_footed_Albatross/Bird_0090_10.jpg",
    ]


def test_cub_split_has_the_papers_counts():
    digits = "".join((archives.ROOT / "tf_layered_gan/data/paper_datasets/cub_split.txt").read_text().split())
    assert [digits.count(digit) for digit in "012"] == [10_000, 788, 1_000] and len(digits) == 11_788


def test_cub_has_its_own_masks_by_majority(loaded):
    # Three of five annotators marked the right half, so its value is 3 / 5 * 255 = 153. The crop to 20 x 20 pixels
    # keeps the middle of the photo.
    assert loaded("cub").test.masks.tolist() == [[[0] * 4 + [1] * 4] * 8] * 2


def test_training_photos_have_their_masks_if_asked(loaded, path, tmp_path):
    plain = loaded("cub").train
    for cache in (None, tmp_path, tmp_path):
        train = load("cub", path, train_masks=True, cache=cache).train
        np.testing.assert_array_equal(train.images, plain.images)
        assert train.masks.shape == train.images.shape[:3] and set(np.unique(train.masks)) == {0, 1}
    assert load("dogs", path, train_masks=True).train.masks is None


@pytest.mark.parametrize(("source", "count"), [("dogs", 120), ("cars", 6)])
def test_validation_photos_are_taken_from_the_official_training_split(path, source, count):
    splits = load(source, path, holdout=3)
    assert [len(getattr(splits, split)) for split in SPLITS] == [count - 3, 3, 2]
    assert len(set(splits.train.names + splits.validation.names)) == count


def test_dogs_names_begin_with_the_breed(loaded):
    assert sorted(loaded("dogs").test.names) == [f"n00000003-Breed/n00000003_{n}.jpg" for n in range(2)]


def test_cars_names_are_the_official_files_and_classes(loaded):
    test = loaded("cars").test
    # Car n of the fixture has the grey 10 n and the class n + 1.
    names = {0: "cars_test/00001.jpg 001", 10: "cars_test/00002.jpg 002"}
    assert list(test.names) == [names[grey] for grey in greys(test)]


@pytest.mark.parametrize(
    ("module", "classes"),
    [(cub, {"001"}), (dogs, {"n00000003"}), (cars, {"001", "002"}), (apc, {"duct_tape"})],
)
def test_configs_find_the_classes_in_the_names(loaded, module, classes):
    data = module.get_config().data
    assert {re.search(data.classes, name)[0] for name in loaded(data.source).test.names} == classes


def test_masks_from_a_folder(path, masks):
    splits = load("cars", path, masks=masks)
    for photos in (splits.validation, splits.test):
        assert photos.masks.tolist() == [[[1] * 8] * 4 + [[0] * 8] * 4] * 2


def test_padding_is_unlabelled(path, masks):
    # In the padded square of 8 rows, a photo of 30 x 20 pixels fills rows 1 to 5. The centres of rows 1 and 2 are in
    # the upper half of the photo.
    rows = [255, 1, 1, 0, 0, 0, 255, 255]
    assert load("cars", path, masks=masks, fit="pad").test.masks.tolist() == [[[row] * 8 for row in rows]] * 2


def test_a_mask_that_is_missing_or_unusable_is_named(path, masks):
    save_mask(masks / "cars_test" / "00001.png", (20, 20))
    with pytest.raises(ValueError, match=r"mask of cars_test/00001.jpg 001 has another aspect.*\(20, 20\).*\(30, 20\)"):
        load("cars", path, masks=masks)
    save_mask(masks / "cars_test" / "00001.png", (15, 10))
    (masks / "cars_test" / "00002.png").write_text("text")
    with pytest.raises(ValueError, match="cars_test/00002.jpg 002 or its mask cannot be read: UnidentifiedImageError"):
        load("cars", path, masks=masks)
    (masks / "cars_test" / "00002.png").unlink()
    with pytest.raises(ValueError, match=r"cars_test/00002.png, the mask of cars_test/00002.jpg 002, is missing"):
        load("cars", path, masks=masks)


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"holdout": 0}, "holdout is 0, allowed: 1 to 5 photos"),
        ({"holdout": 6}, "holdout is 6, allowed: 1 to 5 photos"),
        ({"masks": "nowhere"}, "masks is nowhere, allowed: a folder"),
    ],
)
def test_a_setting_out_of_range_is_refused(path, wrong, message):
    with pytest.raises(ValueError, match=message):
        load("cars", path, **wrong)


def test_masks_for_a_dataset_that_has_its_own_are_refused(path, masks):
    with pytest.raises(ValueError, match="masks is .*, allowed: None, because cub has true masks"):
        load("cub", path, masks=masks)


def scenes(photos):
    return {name.rsplit("/", 1)[0] for name in photos.names}


def test_apc_is_split_by_scenes_like_genesis_v2(loaded):
    splits = loaded("apc")
    # There are 20 scenes with an object and one empty scene. A tenth of 21 scenes is 2, so validation and test get 2
    # scenes each. The empty scene is shuffled with the others and then left out.
    everything = [f"{('shelf', 'tote')[n % 2]}/duct_tape/scene-{n:04}" for n in range(20)]
    everything = sorted([*everything, "shelf/empty/scene-empty"])
    random.Random(0).shuffle(everything)
    parts = {"validation": everything[:2], "test": everything[2:4], "train": everything[4:]}
    for split, part in parts.items():
        photos = getattr(splits, split)
        assert scenes(photos) == set(part) - {"shelf/empty/scene-empty"}
        assert len(photos) == 2 * len(scenes(photos))  # frames


def test_apc_masks_belong_to_their_photos(loaded):
    test = loaded("apc").test
    assert greys(test) == [int(name.split("scene-")[1][:4]) for name in test.names]
    assert test.masks.tolist() == [[[0] * 4 + [1] * 4] * 8] * len(test)


def test_apc_is_prepared_at_128_pixels(path):
    _, photo = next(datasets.held_out("apc", path=path))
    assert photo.size == (128, 128)


def test_held_out_photos_have_their_own_size_and_the_names_of_their_masks(loaded, path):
    photos = dict(datasets.held_out("cars", path=path, holdout=2))
    validation = loaded("cars").validation.names
    assert set(photos) == {"cars_test/00001.png", "cars_test/00002.png", *map(datasets.mask_name, validation)}
    assert all(photo.size == (30, 20) for photo in photos.values())


@pytest.mark.parametrize("source", ["cub", "cars"])
def test_cache_gives_the_same_memory_mapped(loaded, path, tmp_path, source):
    for _ in range(2):
        cached = load(source, path, cache=tmp_path / "cache")
        assert isinstance(cached.train.images, np.memmap)
        assert_same_splits(cached, loaded(source))


@pytest.mark.parametrize("change", ["holdout", "fit", "a mask", "another preparation"])
def test_cache_is_renewed_when_something_changes(path, masks, tmp_path, change):
    settings = {"masks": masks, "holdout": 2}
    load("cars", path, cache=tmp_path / "cache", **settings)
    if change == "a mask":
        save_mask(masks / "cars_test" / "00001.png", (15, 10), top=0, bottom=255)
        os.utime(masks / "cars_test" / "00001.png", ns=(1, 1))
    elif change == "another preparation":
        path = shutil.copytree(path, tmp_path / "other")
    else:
        settings |= {"holdout": 3} if change == "holdout" else {"fit": "squeeze"}
    (before,) = (tmp_path / "cache").glob("[0-9a-f]*")
    assert_same_splits(load("cars", path, cache=tmp_path / "cache", **settings), load("cars", path, **settings))
    assert set((tmp_path / "cache").glob("[0-9a-f]*")) != {before}


def test_a_failed_preparation_says_what_to_put_where(tmp_path):
    tfds.disable_progress_bar()
    manual = tmp_path / "downloads" / "manual"
    archives.write_cars(manual)  # the checksums of these archives are not the official ones
    with pytest.raises(ValueError, match=r"cars could not be prepared.*wrong checksum") as error:
        catalogue.prepare("cars", tmp_path)
    assert (
        f"put cars_train.tgz, cars_test.tgz, car_devkit.tgz, cars_test_annos_withlabels.mat into {manual} by hand"
        in (str(error.value))
    )
    assert "gone; look for a mirror" in str(error.value)


def test_an_unknown_source_is_refused(path):
    with pytest.raises(ValueError, match="data.source is moon, allowed: folder, shapes, cub, dogs, cars, apc"):
        load("moon", path)


def test_only_training_prepares_a_dataset(tmp_path, monkeypatch):
    config = cub.get_config()
    config.data.path = str(archives.write("cub", tmp_path / "tfds", monkeypatch))
    with pytest.raises(ValueError, match=f"cub is not prepared in {tmp_path}/tfds: --mode=train prepares it"):
        sources.load_photos(config)
    assert [file.name for file in (tmp_path / "tfds").iterdir()] == ["downloads"]
    sources.prepare_photos(config)
    assert len(sources.load_photos(config).test) == 2
