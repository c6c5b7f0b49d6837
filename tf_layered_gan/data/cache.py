"""Keeps the splits that a source has read, so that they are decoded once."""

import contextlib
import functools
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from absl import logging

from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.files import cache_folder
from tf_layered_gan.files.file_lock import file_lock

_SPLITS = ("train", "validation", "test")


def cached_splits(read, cache, key):
    """Returns what `read` returns, from the cache if it is there. An entry that was cut off is never read.

    Args:
        read: function of `create`, which makes the uint8 array of a shape, to `Splits`. The training images,
            with their masks as fourth channel if they have any, must be the first ones of an array so made; nothing
            else that is large.
        cache: None, or a folder.
        key: all that decides what `read` returns, as JSON knows it.

    Returns:
        `Splits`: memory mapped from the cache, or in memory if that is None.

    Raises:
        ValueError: if the entry in the cache is damaged, or the folder holds something else; names it.
        OSError: if the cache cannot be written, as on a full disk, or locked; what was there is left.
    """
    if cache is None:
        return read(create=functools.partial(np.empty, dtype=np.uint8))
    entry = Path(cache) / hashlib.sha256(json.dumps(["splits", key]).encode()).hexdigest()[:32]
    if not entry.exists():
        _fill(entry, read)
    try:
        names = json.loads((entry / "names.json").read_text())
        return Splits(**{split: _open(entry, split, tuple(names[split])) for split in _SPLITS})
    except Exception as error:  # what is no array, or of another shape, makes NumPy raise almost anything
        raise ValueError(f"{entry} is damaged: {error}; remove it, and the photos are read again") from error


def _fill(entry, read):
    cache_folder.claim(entry.parent)  # or what is cleared away below might be someone's own

    def wait():
        logging.info("waiting for another run that reads photos into %s", entry.parent)

    with file_lock(entry.parent, taken=wait):  # so that of several runs one reads; whatever is unfinished is left over
        for left_over in entry.parent.glob("tmp*"):
            shutil.rmtree(left_over)
        if not entry.exists():
            with tempfile.TemporaryDirectory(dir=entry.parent, prefix="tmp") as temporary:
                new = Path(temporary, "new")
                new.mkdir()
                _write(read, new)
                os.replace(new, entry)


def _write(read, folder):
    splits = read(create=functools.partial(_create, folder / "train.npy"))
    with _errors_named(folder):
        for split in ("validation", "test"):
            photos = getattr(splits, split)
            np.save(folder / f"{split}.npy", photos.images)
            if photos.masks is not None:
                np.save(folder / f"{split}_masks.npy", photos.masks)
        (folder / "names.json").write_text(json.dumps({split: getattr(splits, split).names for split in _SPLITS}))


def _create(file, shape):
    """Maps a new file of a uint8 array, whose room is taken at once: a map that the disk cannot hold ends in SIGBUS."""
    with _errors_named(file.parent):
        array = np.lib.format.open_memmap(file, "w+", np.uint8, shape)
        with open(file, "r+b") as reserved:
            os.posix_fallocate(reserved.fileno(), 0, file.stat().st_size)
    return array


@contextlib.contextmanager
def _errors_named(folder):
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise OSError(f"the photos that were read could not be written to {folder.parent.parent}: {why}") from error


def _open(entry, split, names):
    images = _mapped(entry / f"{split}.npy")[: len(names)]
    if images.shape[3] == 4:
        return Photos(images[..., :3], images[..., 3], names)
    masks = entry / f"{split}_masks.npy"
    return Photos(images, _mapped(masks) if masks.exists() else None, names)


def _mapped(file):
    return np.lib.format.open_memmap(file, "r")  # which, unlike np.load, knows neither pickles nor archives
