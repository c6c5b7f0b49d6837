"""Search for the image files in a folder. The search counts the files that it leaves out, for each reason."""

import collections
import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath

from . import own_results
from .formats import SUFFIXES, advice, has_image_suffix
from .printing import printable

HIDDEN = "hidden (names that begin with a dot)"
SYSTEM = "files of the system, thumbnails or trash (such as __MACOSX, @eaDir, Thumbs.db)"
RESULTS = "results of this program or masks"
SEARCHED = "links to folders that are searched anyway"
_SYSTEM_NAMES = frozenset(
    ("__macosx", "@eadir", "@tmp", "#recycle", "#snapshot", "$recycle.bin", "recycler", "system volume information")
    + ("lost+found", "thumbnails", "thumbs", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")
)


@dataclasses.dataclass(frozen=True)
class Listing:
    """The contents of a folder and of all its subfolders.

    Each file is either listed in `names`, or counted once in `left_out` or `other_suffixes`.

    Attributes:
        folder: the folder, exactly as given.
        names: the sorted paths of all entries with an image suffix, except folders. The paths are relative to the
            folder and contain "/". An entry may be a broken link instead of a file.
        unreadable: each folder that cannot be listed, with the reason.
        left_out: dict from a reason, such as `HIDDEN`, to the number of files and of links to folders that are left out
            for this reason.
        other_suffixes: dict from each suffix that is not an image suffix, in lower case, to the number of files that
            have this suffix. The key "" counts the files without a suffix.
    """

    folder: Path
    names: list[str]
    unreadable: dict[Path, str]
    left_out: collections.Counter[str]
    other_suffixes: collections.Counter[str]

    @property
    def images(self) -> list[Path]:
        """The paths of the images. For many images, use `names`, because a million paths take seconds and 500 MB."""
        return [self.folder / name for name in self.names]

    def notes(self) -> list[str]:
        """Returns lines that say how many files are left out, and why."""
        reasons = [f"{count} {reason}" for reason, count in sorted(self.left_out.items())]
        notes = ["left out: " + ", ".join(reasons)] if reasons else []
        if self.other_suffixes:
            found = map(_described, sorted(self.other_suffixes.items()))
            notes.append(f"files with other suffixes than {' '.join(SUFFIXES)} are left out: {', '.join(found)}")
        return notes


def list_images(
    folder: str | os.PathLike,
    without: str | os.PathLike | None = None,
    shown: Callable[[Iterable], Iterable] = iter,
) -> Listing:
    """Searches a folder and all folders below it.

    Links to files and to folders are followed. No folder is searched twice. If several paths lead to a folder, the path
    without a link is used. Hidden files, system files and results of this program (see `own_results`) are left out. But
    `folder` itself is always searched, even if it is hidden or holds results.

    Args:
        folder: the folder to search.
        without: None, or a folder that is left out, together with all links into it. The folder need not exist.
        shown: function that takes the entries, yields them one by one, and shows progress.

    Returns:
        `Listing`. Its `images` and its `unreadable` folders begin with `folder`, exactly as it was given.
    """
    target = Path(os.path.realpath(without)) if without else None
    listing = Listing(Path(folder), [], {}, collections.Counter(), collections.Counter())
    for above, entry, reason in shown(_walk(target, listing)):
        if target and entry.is_symlink() and Path(os.path.realpath(entry.path)).is_relative_to(target):
            continue
        if reason := reason or _reason(entry.name):
            listing.left_out[reason] += 1
        elif has_image_suffix(entry.name):
            listing.names.append(above + entry.name)
        elif os.path.isfile(entry.path):
            listing.other_suffixes[PurePath(entry.name).suffix.lower()] += 1
    listing.names.sort()
    results = own_results.without_mark(listing.names)
    if results:
        listing.left_out[RESULTS] += len(results)
        listing.names[:] = [name for name in listing.names if name not in results]
    return listing


def _walk(target: Path | None, listing: Listing) -> Iterator[tuple[str, os.DirEntry, str]]:
    """Yields (path of the folder, entry, reason) for each entry that is not a folder.

    The path of the folder is relative to `listing.folder`. It ends with "/", or is "" for `listing.folder` itself. The
    reason says why the whole folder is left out. It is "" if the folder is not left out. The function also adds the
    folders that cannot be listed to the listing, and counts the links that are not followed.
    """
    folder = listing.folder
    root = Path(os.path.realpath(folder))
    # A loop is used instead of recursion, because folders may be nested deeper than Python's stack allows.
    folders: list[tuple[Path, Path, str]] = [(folder, root, "")]
    links: list[tuple[Path, Path, str]] = []
    seen: set[Path] = set()
    while folders or links:
        here, real, reason = folders.pop() if folders else links.pop(0)  # folders come before links to folders
        if real in seen or (real != root and root.is_relative_to(real)):
            listing.left_out[reason or SEARCHED] += 1
            continue
        seen.add(real)
        try:
            with os.scandir(here) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            listing.unreadable[here] = str(error.strerror)
            continue
        if here != folder and own_results.is_marked({entry.name for entry in found}):
            reason = reason or RESULTS
        above = "" if here == folder else f"{here.relative_to(folder).as_posix()}/"
        for entry in found:
            below = _real_folder(entry, real)
            if below is None:
                yield above, entry, reason
            elif not (target and below.is_relative_to(target)):
                waiting = links if entry.is_symlink() else folders
                waiting.append((Path(entry.path), below, reason or _reason(entry.name)))


def _real_folder(entry: os.DirEntry, parent: Path) -> Path | None:
    """Returns the real path of a folder, or of a folder that a link points to. Returns None for other entries.

    The entry is in the folder `parent`, which is a real path.
    """
    if entry.is_dir(follow_symlinks=False):
        return parent / entry.name
    return Path(os.path.realpath(entry.path)) if entry.is_symlink() and os.path.isdir(entry.path) else None


def _reason(name: str) -> str:
    """Returns the reason to leave out a file or folder with this name, or "" if there is none."""
    if name.startswith("."):
        return HIDDEN
    return SYSTEM if name.lower() in _SYSTEM_NAMES else ""


def _described(suffix_and_count: tuple[str, int]) -> str:
    suffix, count = suffix_and_count
    advised = advice(suffix)
    return f"{printable(suffix) or 'none'} {count}" + (f" ({advised})" if advised else "")
