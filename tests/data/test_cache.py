import errno
import mmap
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
import tiny

from tf_layered_gan.data.cache import cached_splits, stored_splits
from tf_layered_gan.data.photos import Photos, Splits

SHAPE = (50, 100, 100, 3)
BYTES = 1_500_000


def read(create):
    images = create(SHAPE)
    images[:] = 7
    few = Photos(images[:2].copy(), None, ("a", "b"))
    return Splits(train=Photos(images, None, tuple(map(str, range(50)))), validation=few, test=few)


def entries(cache):
    return [path for path in cache.iterdir() if path.name not in ("lock", "CACHEDIR.TAG")]


def test_disk_space_is_allocated_before_anything_is_written(tmp_path):
    taken = []

    def read_and_look(create):
        create(SHAPE)
        taken.append(sum(512 * file.stat().st_blocks for file in tmp_path.rglob("train.npy")))
        return read(create)

    cached_splits(read_and_look, tmp_path, "key")
    assert taken[0] >= BYTES


def test_a_full_disk_is_named_and_nothing_is_left_behind(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match=f"could not be written to {tmp_path}: No space left on device"):
        cached_splits(read, tmp_path, "key")
    assert entries(tmp_path) == []


def test_a_disk_that_is_full_at_the_last_files_is_named(tmp_path):
    def read_little(create):
        return read(lambda shape: np.empty(shape, np.uint8))

    message = f"the photos that were read could not be written to {tmp_path}: "
    with tiny.full_disk(10_000), pytest.raises(OSError, match=message):
        cached_splits(read_little, tmp_path, "key")
    assert entries(tmp_path) == []


def test_photos_are_in_memory_where_files_cannot_be_mapped(tmp_path, monkeypatch, caplog):
    def refused(*_, **__):
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(mmap, "mmap", refused)
    for _ in range(2):
        splits = cached_splits(read, tmp_path, "key")
        assert (splits.train.images == 7).all() and splits.train.images.shape == SHAPE
        assert not isinstance(splits.train.images, np.memmap)
    assert caplog.text.count(f"files in {tmp_path} cannot be mapped, so the photos are in memory") == 1


def test_an_entry_of_the_same_photos_replaces_the_earlier_one(tmp_path):
    def read_others(create):
        splits = read(create)
        return Splits(splits.train, splits.validation, Photos(splits.test.images, None, ("c", "d")))

    for key, function in (("first", read), ("others", read_others), ("later", read)):
        cached_splits(function, tmp_path, key)
    assert sorted(splits.test.names for splits in stored_splits(tmp_path)) == [("a", "b"), ("c", "d")]


def test_the_next_run_removes_what_a_killed_run_left(tmp_path):
    program = "import os, signal, sys; from tf_layered_gan.data.cache import cached_splits; "
    program += f"cached_splits(lambda create: (create({SHAPE}), os.kill(os.getpid(), signal.SIGKILL)), sys.argv[1], 1)"
    assert subprocess.run([sys.executable, "-c", program, tmp_path], cwd=tiny.ROOT).returncode == -signal.SIGKILL
    (left_over,) = entries(tmp_path)
    cached_splits(read, tmp_path, "key")
    assert len(entries(tmp_path)) == 1 and not left_over.exists()


def test_only_one_of_two_runs_reads(tmp_path, caplog):
    caplog.set_level("INFO", logger="absl")
    begun, go_on, results = threading.Event(), threading.Event(), []

    def read_slowly(create):
        begun.set()
        assert go_on.wait(10)
        return read(create)

    def load(read):
        results.append(cached_splits(read, tmp_path, "key"))

    first = threading.Thread(target=load, args=(read_slowly,))
    second = threading.Thread(target=load, args=(None,))  # reading would fail
    first.start()
    assert begun.wait(10)
    second.start()
    second.join(0.2)
    assert second.is_alive() and not results
    assert f"waiting for another run that reads photos into {tmp_path}" in caplog.text
    go_on.set()
    first.join()
    second.join()
    assert [int(result.train.images.sum()) for result in results] == [7 * BYTES] * 2


class Planted:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def pickled(path, planted):
    np.save(path, np.array([Planted(planted)], object), allow_pickle=True)


@pytest.mark.parametrize(
    "name, damage",
    [
        ("train.npy", pickled),
        ("validation.npy", lambda path, _: path.write_bytes(b"PK\x03\x04" + bytes(60))),
        ("train.npy", lambda path, _: path.write_bytes(b"")),
        ("train.npy", lambda path, _: path.write_bytes(path.read_bytes()[:-1])),
        ("test.npy", lambda path, _: np.save(path, np.zeros((2, 100, 100, 3)))),
        ("test.npy", lambda path, _: path.unlink()),
        ("names.json", lambda path, _: path.write_text("{}")),
        ("names.json", lambda path, _: path.write_text('{"train": 5')),
    ],
)
def test_a_damaged_entry_is_named_and_never_unpickled(tmp_path, name, damage):
    cached_splits(read, tmp_path / "cache", "key")
    (entry,) = entries(tmp_path / "cache")
    damage(entry / name, tmp_path / "planted")
    with pytest.raises(ValueError, match=f"{entry} is damaged: .*; remove it to have the photos read again"):
        cached_splits(read, tmp_path / "cache", "key")
    assert not (tmp_path / "planted").exists()
