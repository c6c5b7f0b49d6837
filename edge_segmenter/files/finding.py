"""The image files in a folder, and a count of the other files."""

import collections
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from .images import has_image_suffix


@dataclasses.dataclass(frozen=True)
class Listing:
    """The contents of a folder and of all folders below it.

    Attributes:
        images: everything with an image suffix except folders, sorted by path. Some may not be files, such as a link
            that leads nowhere.
        unreadable: each folder that cannot be listed, and the reason.
        other_suffixes: the number of files with each other suffix, in lower case; "" for none.
    """

    images: list[Path]
    unreadable: dict[Path, str]
    other_suffixes: collections.Counter[str]


def list_images(folder: str | os.PathLike, without: str | os.PathLike | None = None) -> Listing:
    """Searches a folder and all folders below it. Follows links to files, but not links to folders.

    Args:
        folder: the folder to search.
        without: None, or a folder to leave out, together with the links to files in it. It need not exist.

    Returns:
        `Listing`. All its paths begin with `folder` exactly as given.
    """
    folder, target = Path(folder), Path(os.path.realpath(without)) if without else None
    listing = Listing([], {}, collections.Counter())
    for entry in _walk(folder, target and _spelled_below(folder, target), listing.unreadable):
        path = Path(entry.path)
        leads_into = target and entry.is_symlink() and Path(os.path.realpath(path)).is_relative_to(target)
        if os.path.isdir(path) or leads_into:
            continue
        if has_image_suffix(entry.name):
            listing.images.append(path)
        elif os.path.isfile(path):
            listing.other_suffixes[path.suffix.lower()] += 1
    listing.images.sort(key=Path.as_posix)
    return listing


def _walk(folder: Path, without: Path | None, unreadable: dict[Path, str]) -> Iterator[os.DirEntry]:
    """Yields every entry that is not a folder; adds the folders that cannot be listed to `unreadable`."""
    folders = [folder]  # not recursive: folders may be nested deeper than Python's stack
    while folders:
        here = folders.pop()
        try:
            with os.scandir(here) as entries:
                found = list(entries)
        except OSError as error:
            unreadable[here] = str(error.strerror)
            continue
        for entry in found:
            if not entry.is_dir(follow_symlinks=False):
                yield entry
            elif Path(entry.path) != without:
                folders.append(Path(entry.path))


def _spelled_below(folder: Path, target: Path) -> Path | None:
    """Returns the real path `target` as a path that begins with `folder`, or None if it is not in that folder."""
    real = os.path.realpath(folder)
    return folder / target.relative_to(real) if target.is_relative_to(real) else None
