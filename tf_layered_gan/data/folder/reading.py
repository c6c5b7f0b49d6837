"""A folder of photos of any size and colour mode. Broken files are left out. The photos are read once and cached."""

import functools
import os
from collections.abc import Callable
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from absl import logging
from PIL import Image

from edge_segmenter.files.formats import SUFFIXES
from edge_segmenter.files.images import MAX_BYTES, MAX_PIXELS, UnreadableImage, pixels_to_decode, read_image
from tf_layered_gan.console.progress import progress
from tf_layered_gan.data.cache import cached_splits, in_memory, stamp
from tf_layered_gan.data.folder.budget import Budget
from tf_layered_gan.data.folder.copies import warn_of_copies
from tf_layered_gan.data.folder.masks_among_photos import refuse_masks
from tf_layered_gan.data.folder.photo_files import PhotoFile, find_photos, warn
from tf_layered_gan.data.mask_values import UNLABELLED_GREY, Coding, read_mask, survey, warn_of_turns
from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.data.squares import labelled_square

T = TypeVar("T")

_BYTES, _PIXELS = Budget(MAX_BYTES), Budget(MAX_PIXELS)  # the limits hold for all threads together
Image.core.set_block_size(2**26)  # with this block size, freed memory returns to the system at once, in every thread


def load(
    path: str | os.PathLike,
    *,
    resolution: int,
    storage_size: int,
    fit: str = "crop",
    masks: str | os.PathLike | None = None,
    unlabelled: int | None = None,
    holdout: int = 64,
    most_photos: int = 50_000,
    cache: str | os.PathLike | None = None,
) -> Splits:
    """Reads every photo in a folder and its subfolders, sorted by name.

    Photos are decoded by `edge_segmenter.files.images.read_image`, which states the formats and limits. Files and
    folders that cannot be read are left out, and so are entries that are not files, such as broken links. A warning
    names each file or folder that is left out, and the reason. System files, thumbnails and results of this program are
    also left out, see `edge_segmenter.files.finding`. Apart from the memory of the result, reading needs less than 1.5
    GiB, whatever the files and the number of threads are.

    Args:
        path: the folder.
        resolution: width of the validation and test photos, pixels.
        storage_size: width of the training photos, pixels, at least `resolution`.
        fit: how a photo becomes a square, "crop", "squeeze" or "pad", see `edge_segmenter.fit`.
        masks: None, or a folder of masks for evaluation, see `find_photos`. The module `mask_values` finds out which
            values in the masks mark the object. Photos with a mask are not used for training. They are sorted by name,
            and used alternately for validation and for the test. If all photos have a mask, there are no training
            photos.
        unlabelled: None, or the grey value, 0 to 255, of mask pixels without a label.
        holdout: number of photos held out for validation and test together, if there are no masks. Half of these photos
            are for validation, half for test. The held-out photos are evenly spaced among the sorted photos. At most a
            tenth of all photos is held out, but at least 2 photos.
        most_photos: the greatest number of photos without masks to use. If the folder has more, logs a warning and
            uses `most_photos` photos, evenly spaced among the sorted photos.
        cache: None, or a folder that keeps the decoded photos, memory mapped. The original files are read again only if
            the settings or the files (names, sizes, modification times) change.

    Returns:
        `Splits`, in memory if `cache` is None. A photo's name is its path below `path`.

    Raises:
        ValueError: if a folder does not exist or has too few usable photos; a mask has another aspect ratio than its
            photo; photos and masks do not match one to one; masks lie among the photos (see
            `masks_among_photos.refuse_masks`); or a setting is out of range.
    """
    if not 1 <= resolution <= storage_size:
        raise ValueError(f"resolution is {resolution}, allowed: 1 to storage_size = {storage_size} pixels")
    if unlabelled is not None and not 0 <= unlabelled <= 255:
        raise ValueError(f"unlabelled is {unlabelled}, allowed: None or a grey from 0 to 255")
    if holdout < 2:
        raise ValueError(f"holdout is {holdout}, allowed: 2 photos or more")
    if most_photos < 3:
        raise ValueError(f"most_photos is {most_photos}, allowed: 3 photos or more")
    settings: dict[str, Any] = {"resolution": resolution, "storage_size": storage_size}
    settings |= {"fit": fit, "unlabelled": unlabelled, "holdout": holdout}
    found_files = find_photos(path, masks)
    refuse_masks(path, found_files, masks)
    found_files = _chosen(found_files, most_photos)
    stamps = {file: _stamp(file) for file in found_files}
    files = [file for file, found in stamps.items() if found]
    warn_of_turns([(file.photo, file.mask) for file in files if file.mask])
    read = functools.partial(_read, files, path, **settings)
    rule = ["values"] if masks else []  # in caches of earlier versions, the labels were made by another rule
    return cached_splits(read, cache, [_key(stamps), settings, *rule])


def _chosen(files: list[PhotoFile], most: int) -> list[PhotoFile]:
    """Returns all photos with masks, and at most `most` of the photos without masks."""
    others = [place for place, file in enumerate(files) if not file.mask]
    if len(others) <= most:
        return files
    logging.warning(
        "%d of %d photos are left out, because data.most_photos is smaller; if you raise data.most_photos, each "
        "additional photo takes time and disk space",
        len(others) - most,
        len(others),
    )
    left_out = set(others) - {others[k] for k in _evenly_spaced(most, len(others))}
    return [file for place, file in enumerate(files) if place not in left_out]


def _evenly_spaced(count: int, total: int) -> list[int]:
    """Divides `total` places into `count` equal groups, and returns the middle of each group."""
    return [(2 * k + 1) * total // (2 * count) for k in range(count)]


def _read(files, path, *, create, resolution, storage_size, fit, unlabelled, holdout):
    """Reads the training photos into `create(shape)`, and the few evaluation photos into memory. Returns `Splits`."""
    coding = survey([file.mask for file in files if file.mask], unlabelled)
    read = functools.partial(_read_squares, fit=fit, coding=coding)
    train = [file for file in files if not file.mask]
    evaluation = [file for file in files if file.mask]
    warn_of_copies(train, evaluation)
    train_squares, train = read(train, size=storage_size, create=create)
    if not evaluation:
        train_squares, train, evaluation = _hold_out(train_squares, train, holdout)
    evaluation_squares, evaluation = read(evaluation, size=resolution, create=in_memory)
    if len(evaluation) < 2 or not (train or evaluation[0].mask):
        raise ValueError(
            f"{path}: {len(train) + len(evaluation)} of {len(files)} photos are usable, {len(evaluation)} "
            "of them for evaluation; needed: 2 for evaluation and, if no photo has a mask, 1 for training; "
            f"usable suffixes: {' '.join(SUFFIXES)}"
        )
    return Splits(
        train=_photos(train_squares, train),
        validation=_photos(evaluation_squares[::2], evaluation[::2]),
        test=_photos(evaluation_squares[1::2], evaluation[1::2]),
    )


def _photos(squares: np.ndarray, files: list[PhotoFile]) -> Photos:
    masks = squares[..., 3] if squares.shape[3] == 4 else None
    return Photos(squares[..., :3], masks, tuple(file.name for file in files))


def _read_squares(files, *, size, fit, coding, create):
    """Returns uint8 [file, size, size, channel] and the list of files. Unreadable files are left out."""
    channels = 4 if any(file.mask for file in files) else 3
    squares = create((len(files), size, size, channels))
    readable: list[PhotoFile] = []
    read_square = functools.partial(_read_square, size=size, fit=fit, coding=coding)
    with ThreadPool() as pool:
        read = pool.imap(read_square, files)
        for file, square in progress(zip(files, read, strict=True), "reading photos", len(files), unit="photos"):
            if square is not None:
                squares[len(readable)] = square
                readable.append(file)
    if len(readable) < len(files):
        logging.warning("%d of %d photos could not be used and are left out", len(files) - len(readable), len(files))
    return squares[: len(readable)], readable


def _read_square(file: PhotoFile, *, size: int, fit: str, coding: Coding) -> np.ndarray | None:
    """Returns uint8 [size, size, rgb], or None if the file cannot be read.

    If there is a mask, a fourth channel has the labels.
    """
    paths = [path for path in (file.photo, file.mask) if path]
    with _BYTES.reserved(sum(map(_size, paths))):
        pixels = [_read_or_warn(pixels_to_decode, path, size=size) for path in paths]
        if None in pixels:
            return None
        with _PIXELS.reserved(sum(filter(None, pixels))):
            return _decode_square(file, size=size, fit=fit, coding=coding)


def _decode_square(file: PhotoFile, *, size: int, fit: str, coding: Coding) -> np.ndarray | None:
    # This is a separate function, so that the decoded images are deleted before their memory counts as free.
    photo = _read_or_warn(read_image, file.photo, size=size)
    mask = _read_or_warn(read_mask, file.mask, coding=coding) if file.mask else None
    if photo is None or (file.mask and mask is None):
        return None
    return labelled_square(photo, mask, size=size, fit=fit, unlabelled=UNLABELLED_GREY, mask_name=str(file.mask))


def _read_or_warn(read: Callable[..., T], path: Path, **settings: Any) -> T | None:
    try:
        return read(path, **settings)
    except UnreadableImage as error:
        warn(path, str(error))
        return None


def _hold_out(squares, files, holdout):
    """Selects evenly spaced files. Removes the images of these files from the array of square images.

    The remaining images are moved to the beginning of the array, because a copy of the array might not fit on the disk.
    """
    count = min(len(files), max(2, min(holdout, len(files) // 10)))
    held = _evenly_spaced(count, len(files))
    kept = sorted(set(range(len(files))) - set(held))
    for to, place in enumerate(kept):
        squares[to] = squares[place]
    return squares[: len(kept)], [files[place] for place in kept], [files[place] for place in held]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a warning follows when the photo is read
        return 0


def _stamp(file: PhotoFile) -> list[tuple] | None:
    """Returns name, size and modification time of a photo and its mask. If a file is gone, warns and returns None."""
    stamps = []
    for path in (file.photo, file.mask):
        try:
            stamps += [(path.name, *stamp(path))] if path else []
        except OSError as error:
            assert path is not None
            warn(path, str(error.strerror))
            return None
    return stamps


def _key(stamps: dict[PhotoFile, list[tuple] | None]) -> tuple[list[str], list[tuple]]:
    return [file.name for file, found in stamps.items() if found], [
        one for found in stamps.values() for one in found or ()
    ]
