"""A cache of the splits that a source has read, so that each photo is decoded only once."""

import contextlib
import errno
import functools
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from absl import logging

from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.files import cache_folder
from tf_layered_gan.files.allocation import reserve
from tf_layered_gan.files.file_lock import file_lock

Create = Callable[[tuple[int, ...]], np.ndarray]

# Some FUSE mounts, and folders shared with a host system, raise these errors when a file is mapped.
_NO_MAPPING = (errno.ENODEV, errno.EINVAL, errno.EOPNOTSUPP)
_SPLITS = ("train", "validation", "test")


def cached_splits(read: Callable[..., Splits], cache: str | os.PathLike | None, key: object) -> Splits:
    """Returns the splits from the cache. If the cache lacks them, reads and stores them.

    The cache never holds incomplete splits.

    Args:
        read: function that takes `create` and returns `Splits`. `create(shape)` makes a uint8 array. The training
            images must be the first rows of an array that `create` made. If the training images have masks, the masks
            are the fourth channel of this array. All other arrays must be small.
        cache: None, or a folder.
        key: everything that the result of `read` depends on, as values that JSON can store.

    Returns:
        `Splits`, memory mapped from the cache. If `cache` is None or its files cannot be mapped, the splits are in
        memory.

    Raises:
        ValueError: if the entry in the cache is damaged, or the folder is not a cache. The message names the path.
        OSError: if the cache cannot be locked or written, for example because the disk is full. Earlier entries stay.
    """
    if cache is None:
        return read(create=in_memory)
    entry = Path(cache) / hashlib.sha256(json.dumps(["splits", key]).encode()).hexdigest()[:32]
    if not entry.exists():
        _fill(entry, read)
    return _opened(entry)


def stored_splits(cache: str | os.PathLike) -> Iterator[Splits]:
    """Yields the memory-mapped splits of all entries in a cache, beginning with the newest entry.

    Raises:
        ValueError: if an entry is damaged. The message names the entry.
    """
    records = sorted(Path(cache).glob("*/names.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    yield from (_opened(record.parent) for record in records)


def in_memory(shape: tuple[int, ...]) -> np.ndarray:
    """Returns a new uint8 array."""
    return np.empty(shape, np.uint8)


def stamp(file: Path) -> tuple[int, int]:
    """Returns a file's size and modification time, to find out later whether the file has changed."""
    status = file.stat()
    return status.st_size, status.st_mtime_ns


def _opened(entry: Path) -> Splits:
    try:
        names = json.loads((entry / "names.json").read_text())
        return Splits(**{split: _open(entry, split, tuple(names[split])) for split in _SPLITS})
    # NumPy may raise almost any error if the file holds no array, or an array of another shape.
    except Exception as error:
        raise ValueError(f"{entry} is damaged: {error}; remove it to have the photos read again") from error


def _fill(entry: Path, read: Callable[..., Splits]) -> None:
    # This call refuses a folder that is not a cache. Otherwise, the code below might remove the user's own files.
    cache_folder.claim(entry.parent)

    def wait() -> None:
        logging.info("waiting for another run that reads photos into %s", entry.parent)

    # Only one run reads at a time, so any unfinished entry is from a run that was killed.
    with file_lock(entry.parent, taken=wait):
        for left_over in entry.parent.glob("tmp*"):
            shutil.rmtree(left_over)
        if not entry.exists():
            with tempfile.TemporaryDirectory(dir=entry.parent, prefix="tmp") as temporary:
                new = Path(temporary, "new")
                new.mkdir()
                _write(read, new)
                os.replace(new, entry)
            _remove_earlier(entry)


def _remove_earlier(entry: Path) -> None:
    """Removes older entries that have the same photo names, but were made from other files or with other settings."""
    names = (entry / "names.json").read_bytes()
    for record in entry.parent.glob("*/names.json"):
        if record.parent != entry and record.read_bytes() == names:
            # On Windows, an entry that another process still uses cannot be removed.
            shutil.rmtree(record.parent, ignore_errors=True)


def _write(read: Callable[..., Splits], folder: Path) -> None:
    unmapped: list[np.ndarray] = []
    splits = read(create=functools.partial(_create, folder / "train.npy", unmapped=unmapped))
    with _errors_named(folder):
        for array in unmapped:
            np.save(folder / "train.npy", array)
        for split in ("validation", "test"):
            photos = getattr(splits, split)
            np.save(folder / f"{split}.npy", photos.images)
            if photos.masks is not None:
                np.save(folder / f"{split}_masks.npy", photos.masks)
        (folder / "names.json").write_text(json.dumps({split: getattr(splits, split).names for split in _SPLITS}))


def _create(file: Path, shape: tuple[int, ...], unmapped: list[np.ndarray]) -> np.ndarray:
    """Creates a file and maps it as a uint8 array.

    Also reserves disk space for the whole file. Otherwise, the process would be killed if the disk were full later.

    If the file system cannot map files, the array is made in memory and added to `unmapped`.
    """
    with _errors_named(file.parent):
        try:
            array = np.lib.format.open_memmap(file, "w+", np.uint8, shape)
        except OSError as error:
            if error.errno not in _NO_MAPPING:
                raise
            logging.warning("files in %s cannot be mapped, so the photos are in memory", file.parent.parent.parent)
            unmapped.append(in_memory(shape))
            return unmapped[-1]
        reserve(file)
    return array


@contextlib.contextmanager
def _errors_named(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise OSError(f"the photos that were read could not be written to {folder.parent.parent}: {why}") from error


def _open(entry: Path, split: str, names: tuple[str, ...]) -> Photos:
    images = _mapped(entry / f"{split}.npy")[: len(names)]
    if images.shape[3] == 4:
        return Photos(images[..., :3], images[..., 3], names)
    masks = entry / f"{split}_masks.npy"
    return Photos(images, _mapped(masks) if masks.exists() else None, names)


def _mapped(file: Path) -> np.ndarray:
    try:
        return np.lib.format.open_memmap(file, "r")  # unlike np.load, this function opens neither pickles nor archives
    except OSError as error:
        if error.errno not in _NO_MAPPING:
            raise
        with open(file, "rb") as content:
            return np.lib.format.read_array(content, allow_pickle=False)
