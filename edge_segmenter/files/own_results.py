"""Results of this program, which must not be used as photos.

The edge command and `export.predict_masks` mark the folders of their results with a file. Runs, exports and caches are
recognised by the names of their files. Results of earlier versions are not marked. They are recognised because a photo
in another folder has the same name.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from . import lock

MARK = ".edge_segmenter"
FOLDERS = {"mask": "masks", "cutout": "cutouts", "blurred": "blurred"}  # kind of result: name of its folder
_OF_RESULTS = frozenset(FOLDERS.values())
_TEXT = (
    "Results of edge-segmenter. This file keeps the folder out of the search for photos. "
    "To use its images as photos, name the folder itself.\n"
)
# A folder that contains all names of one of these sets holds results. In this order, the sets are for results of
# edge-segmenter, results of predict_masks, a run, an export and a cache.
_SIGNS = (
    {MARK},
    {"predicted_by.json"},
    {"config.json", "checkpoints"},
    {"export.json", "model_card.md"},
    {"CACHEDIR.TAG"},
)


def is_marked(names: set[str]) -> bool:
    """Returns whether a folder that contains entries with these names holds results."""
    return any(sign <= names for sign in _SIGNS)


@contextlib.contextmanager
def claimed(folders: Iterable[Path]) -> Iterator[None]:
    """Creates folders of results and marks them. No other command can claim these folders before the block ends.

    Raises:
        ValueError: if another command is writing into one of the folders.
        OSError: if a folder cannot be created or written to.
    """
    with contextlib.ExitStack() as stack:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            mark = folder / MARK
            if mark.is_symlink():  # if the mark is a link, the link itself is replaced
                mark.unlink()
            file = stack.enter_context(open(mark, "a", encoding="utf-8"))
            if not _is_free(file):
                raise ValueError(f"another edge-segmenter writes into {folder}: wait for it, or name another --output")
            if file.tell() == 0:
                file.write(_TEXT)
                file.flush()
        yield


def _is_free(file: IO) -> bool:
    with contextlib.suppress(OSError):  # the file system has no locks
        return lock.acquired(file)
    return True


def without_mark(images: Iterable[str]) -> set[str]:
    """Returns the results of earlier versions, which did not mark their folders.

    A folder of such results has a name in `FOLDERS`, and most of its images have the names of photos.

    Args:
        images: the paths, with "/", of all images below the folder that is searched. Images that lie directly in this
            folder are never counted as results.
    """
    found: dict[PurePosixPath, list[PurePosixPath]] = {}
    for image in images:
        if not _OF_RESULTS.isdisjoint(image.split("/")):
            path = PurePosixPath(image)
            for parent in path.parents:
                if parent.name in _OF_RESULTS:
                    found.setdefault(parent, []).append(path)
    if not found:
        return set()
    names = {os.path.splitext(image)[0] for image in images} | set(images)  # the result of a.jpg may be a.jpg.png
    return {str(path) for folder, paths in found.items() if _are_results(folder, paths, names) for path in paths}


def _are_results(folder: PurePosixPath, paths: list[PurePosixPath], names: set[str]) -> bool:
    """Returns whether most of the images are PNG files with the same names as images in other folders."""
    others = [folder.parent / kind for kind in FOLDERS.values() if kind != folder.name]
    mirrored = [
        path.suffix == ".png"
        and any(_has_name(place / path.relative_to(folder), names) for place in (*folder.parents, *others))
        for path in paths
    ]
    return 2 * sum(mirrored) > len(mirrored)


def _has_name(path: PurePosixPath, names: set[str]) -> bool:
    return os.path.splitext(path)[0] in names
