"""Tests of the cache of a folder's photos."""

import os

import numpy as np
import pytest
from assertions import assert_same_splits
from folder_photos import GREEN, SIZES, save

from tf_layered_gan.data.folder import reading


def test_a_larger_limit_finds_the_same_cache(photos, tmp_path):
    reading.load(photos, most_photos=3, cache=tmp_path / "cache", **SIZES)
    reading.load(photos, most_photos=4, cache=tmp_path / "cache", **SIZES)
    assert len(list((tmp_path / "cache").glob("*/names.json"))) == 1


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
