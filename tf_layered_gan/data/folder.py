"""A folder of one's own photos: any size and mode, broken files left out, read once and cached."""

import collections
import dataclasses
import functools
import os
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
from absl import logging

from tf_layered_gan.data.cache import cached_splits
from tf_layered_gan.data.decoding import MAX_BYTES, MAX_PIXELS, decode, labelled_square, pixels_to_decode
from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.data.room import Room

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
_BYTES, _PIXELS = Room(MAX_BYTES), Room(MAX_PIXELS)  # that all threads read, and decode, at the same time


@dataclasses.dataclass(frozen=True)
class Source:
    """A photo's path below its folder, with "/"; its file, and its mask's or None."""

    name: str
    photo: Path
    mask: Path | None


def load(path, *, resolution, storage_size, masks=None, unlabelled=None, holdout=64, cache=None):
    """Reads every photo in a folder and below it, in the order of their names.

    JPEG, PNG, WebP and BMP, ending in any case, see `decoding.decode`; transparency is laid over white. A file
    that cannot be read, or is beyond a limit of `decoding`, is left out with a warning that names it and says
    why; so is what is no file, such as a link that leads nowhere, and a folder that cannot be read. A link to a file is
    read, one to a folder is not followed. Whatever the files claim, and however many threads read them, they take less
    than 1.5 GiB of memory beside the result.

    Args:
        path: the folder.
        resolution: pixels, the width of the validation and test photos.
        storage_size: pixels, the width of the training photos, at least `resolution`.
        masks: None, or a folder of masks, used for evaluation only. A mask has the path of its photo, but
            for the ending. Grey of 128 and more is foreground, transparency is background. Photos with a
            mask are left out of training (if all have one, none is left to train on); by their order the
            even places go to validation, the odd ones to test. The folder may lie below `path`.
        unlabelled: None, or the grey, 0 to 255, of mask pixels that have no label.
        holdout: without masks, how many photos, evenly spaced, are left out of training, half of them for
            validation and half for test. At most a tenth of all, but at least 2.
        cache: None, or a folder that keeps what was read. The same files (names, sizes, times of change)
            and settings are then opened memory mapped. An entry that was cut off is never read.

    Returns:
        `Splits`, the names being the photos' paths relative to `path`. In memory if `cache` is None.

    Raises:
        ValueError: if a folder does not exist or has too few usable photos, a mask has another aspect
            ratio than its photo or fits two photos, a photo two masks, or a setting is out of range.
    """
    if not 1 <= resolution <= storage_size:
        raise ValueError(f"resolution must be 1 to storage_size = {storage_size} pixels, got {resolution}")
    if unlabelled is not None and not 0 <= unlabelled <= 255:
        raise ValueError(f"unlabelled must be None or a grey from 0 to 255, got {unlabelled}")
    if holdout < 2:
        raise ValueError(f"holdout must be at least 2 photos, got {holdout}")
    settings = {"resolution": resolution, "storage_size": storage_size}
    settings |= {"unlabelled": unlabelled, "holdout": holdout}
    if masks is None and (Path(path) / "masks").is_dir():
        raise ValueError(f"{path} has a folder of masks, which are no photos: name it as masks (--config.data.masks)")
    sources = _find(path) if masks is None else find_with_masks(path, masks)
    _count_others(path)
    read = functools.partial(_read, sources, path, **settings)
    return cached_splits(read, cache, [_stamps(sources), settings])


def _find(folder, without=None):
    """The files in a folder that end like a photo's, by name; says what else is left out, but for other files."""
    root = Path(folder).resolve()
    if not root.is_dir():
        raise ValueError(f"{folder} is not a folder")
    sources = []
    for path in _walk(root, without):
        if os.path.isdir(path):
            _warn(path, "it is a folder that cannot be read")
        elif path.suffix.lower() in SUFFIXES:
            if os.path.isfile(path):
                sources.append(Source(path.relative_to(root).as_posix(), path, None))
            else:
                _warn(path, "it is no file")
    return sorted(sources, key=lambda source: source.name)


def _walk(folder, without=None):
    """Yields what is in a folder and below it, however deep: all but folders, and those that cannot be read."""
    folders = [str(folder)]
    while folders:
        path = folders.pop()
        try:
            entries = list(os.scandir(path))
        except OSError:
            yield Path(path)
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders += [entry.path] if entry.path != str(without) else []
            elif not os.path.isdir(entry.path):
                yield Path(entry.path)


def _warn(path, why):
    """Says in one line that a path is left out, whatever signs its name holds."""
    logging.warning("left out %s: %s", _printable(str(path)), _printable(str(why)))


def _printable(text):
    return text if text.isprintable() else ascii(text)[1:-1]


def _count_others(folder):
    """Says how many files are left out because their names do not end like a photo's."""
    endings = (file.suffix.lower() for file in _walk(folder) if os.path.isfile(file))
    others = collections.Counter(ending or "none" for ending in endings if ending not in SUFFIXES)
    if others:
        found = ", ".join(f"{_printable(ending)} {count}" for ending, count in sorted(others.items()))
        logging.warning("files with other endings than %s are left out: %s", " ".join(SUFFIXES), found)


def find_with_masks(path, masks):
    """Finds the photos in a folder, and which of them have a mask; reads none.

    Args:
        path, masks: as for `load`.

    Returns:
        list of `Source`, sorted by name.

    Raises:
        ValueError: if a folder does not exist, no photo has a mask, or a mask fits two photos or a photo two masks.
    """
    mask_folder = Path(masks).resolve()
    if mask_folder == Path(path).resolve():
        raise ValueError(f"masks must be in a folder of their own, got that of the photos, {masks}")
    mask_of = _by_stem(_find(masks))
    sources = _find(path, without=mask_folder)
    matched = _by_stem([source for source in sources if _stem(source) in mask_of])
    if not matched:
        raise ValueError(f"{masks}: none of {len(mask_of)} masks has the name of a photo in {path}")
    masked = {source: mask_of[stem].photo for stem, source in matched.items()}
    return [dataclasses.replace(source, mask=masked.get(source)) for source in sources]


def _stem(source):
    return os.path.splitext(source.name)[0]


def _by_stem(sources):
    by_stem = {}
    for source in sources:
        first = by_stem.setdefault(_stem(source), source)
        if first is not source:
            raise ValueError(f"{first.photo} and {source.photo}: only one can be the mask, or have it")
    return by_stem


def _read(sources, path, *, create, resolution, storage_size, unlabelled, holdout):
    """Reads the photos to train on into `create(shape)` and the few to evaluate on into memory; returns `Splits`."""
    read = functools.partial(_read_squares, unlabelled=unlabelled)
    train = [source for source in sources if not source.mask]
    evaluation = [source for source in sources if source.mask]
    train_squares, train = read(train, size=storage_size, create=create)
    if not evaluation:
        train_squares, train, evaluation = _hold_out(train_squares, train, holdout)
    in_memory = functools.partial(np.empty, dtype=np.uint8)
    evaluation_squares, evaluation = read(evaluation, size=resolution, create=in_memory)
    if len(evaluation) < 2 or not (train or evaluation[0].mask):
        total = sum(map(os.path.isfile, _walk(path)))
        raise ValueError(
            f"{path}: {len(train) + len(evaluation)} usable of {total} files, {len(evaluation)} of them to "
            f"evaluate on (needed: 2, and 1 to train on if none has a mask); allowed: {' '.join(SUFFIXES)}"
        )
    train_names, evaluation_names = (tuple(source.name for source in sources) for sources in (train, evaluation))
    images = evaluation_squares[..., :3]
    masks = evaluation_squares[..., 3] if evaluation_squares.shape[3] == 4 else None
    even, odd = slice(0, None, 2), slice(1, None, 2)
    return Splits(
        train=Photos(train_squares, None, train_names),
        validation=Photos(images[even], masks if masks is None else masks[even], evaluation_names[even]),
        test=Photos(images[odd], masks if masks is None else masks[odd], evaluation_names[odd]),
    )


def _read_squares(sources, *, size, unlabelled, create):
    """uint8 [source, size, size, channel] and the list of sources, both without the unreadable ones."""
    channels = 4 if any(source.mask for source in sources) else 3
    squares, readable = create((len(sources), size, size, channels)), []
    with ThreadPool() as pool:
        read = pool.imap(functools.partial(_read_square, size=size, unlabelled=unlabelled), sources)
        for count, (source, square) in enumerate(zip(sources, read, strict=True), start=1):
            if square is not None:
                squares[len(readable)] = square
                readable.append(source)
            if count % 2000 == 0:
                logging.info("read %d of %d photos", count, len(sources))
    if len(readable) < len(sources):
        logging.warning(
            "%d of %d photos could not be used and are left out", len(sources) - len(readable), len(sources)
        )
    return squares[: len(readable)], readable


def _read_square(source, *, size, unlabelled):
    """uint8 [size, size, rgb], with the label as fourth channel if there is a mask; None if unreadable."""
    files = [file for file in (source.photo, source.mask) if file]
    with _BYTES.taken(sum(file.stat().st_size for file in files)):
        pixels = [_read_or_warn(pixels_to_decode, file, size=size) for file in files]
        if None in pixels:
            return None
        with _PIXELS.taken(sum(pixels)):
            return _decode_square(source, size=size, unlabelled=unlabelled)


def _decode_square(source, *, size, unlabelled):
    """As `_read_square`; what it decodes is gone when it returns, and with it the room that this took."""
    photo = _read_or_warn(decode, source.photo, size=size)
    mask = source.mask and _read_or_warn(decode, source.mask, size=size, backdrop="black")
    if photo is None or (source.mask and mask is None):
        return None
    return labelled_square(photo, mask, size=size, unlabelled=unlabelled, mask_name=source.mask)


def _read_or_warn(read, file, **settings):
    """What `read` makes of a file, None if that is unreadable."""
    try:
        return read(file, **settings)
    except Exception as error:  # broken files make Pillow's decoders raise almost anything
        _warn(file, f"{type(error).__name__}: {error}")
        return None


def _hold_out(squares, sources, holdout):
    """Splits evenly spaced sources off; moves the other squares up in place, as they may fill the disk."""
    count = min(len(sources), max(2, min(holdout, len(sources) // 10)))
    held = [(2 * k + 1) * len(sources) // (2 * count) for k in range(count)]
    kept = sorted(set(range(len(sources))) - set(held))
    for to, place in enumerate(kept):
        squares[to] = squares[place]
    return squares[: len(kept)], [sources[place] for place in kept], [sources[place] for place in held]


def _stamps(sources):
    files = [file for source in sources for file in (source.photo, source.mask) if file]
    stamps = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return [source.name for source in sources], stamps
