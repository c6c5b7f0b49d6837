"""A check for masks among the training photos."""

import collections
import functools
import os
import posixpath
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge_segmenter.files.images import UnreadableImage, read_image
from tf_layered_gan.data.folder.photo_files import PhotoFile

# Usual names of folders of masks, in lower case and without characters between the words.
_OF_MASKS = re.compile(
    "masks?|labels?|gt|groundtruth|annotations?|trimaps?|mattes?|alphas?|segs?|segmentation(s|class|classpng|object)?"
)
_ENDING = re.compile(rf"(.)[-_. ]+({_OF_MASKS.pattern})([-_. ]*\d+)?$", re.IGNORECASE)  # such as car_mask
_GROUPS, _MEMBERS = 5, 4  # number of shared names to examine, and number of files to examine for each name
_PIXELS = 4096  # number of pixels to examine
_FEW = 64  # a photo has more colours than this, and a mask has fewer
_EXTREMES = 0.9  # the share of black and white pixels is higher than this in a JPEG mask, and lower in a photo


def refuse_masks(path: str | os.PathLike, files: Sequence[PhotoFile], masks: str | os.PathLike | None = None) -> None:
    """Checks that no masks lie among photos.

    Two kinds of folders count as folders of masks. The first is a folder `masks` in `path`. The second is any folder
    with a name such as `labels`, if its first image looks like a mask, and most of its images have the same names as
    photos in other folders. In all other folders, a file with few colours is a mask if a photo with the same name has
    more colours. For example, 1.jpg may be the photo of 1.png or 1_mask.png.

    Args:
        path: the folder of the photos.
        files: the photos found in this folder.
        masks: None, or the folder of masks that the user named. `files` must not contain files of this folder.

    Raises:
        ValueError: if there are masks. The message names a folder or a mask.
    """
    folders: dict[str, list[PhotoFile]] = collections.defaultdict(list)
    for file in files:
        folders[_folder_of_masks(posixpath.dirname(file.name))].append(file)
    others = folders.pop("", [])
    photos = {_stem(file) for file in others} if folders else set()
    named = [f for f, members in folders.items() if 2 * sum(_stem(one) in photos for one in members) > len(members)]
    found = [folder for folder in named if _looks_like_a_mask(folders[folder][0].photo)]
    if masks is None and (Path(path) / "masks").is_dir():
        raise ValueError(
            f"{path} has a folder of masks, but masks are not photos: name this folder with --config.data.masks"
        )
    if found:
        folder = Path(path, found[0])
        advice = f"name the two folders, --config.data.path=PHOTOS and --config.data.masks={folder}"
        raise ValueError(f"{folder} seems to hold masks, but masks are not photos: {advice}")
    if pair := _mask_and_photo(files):
        mask, photo = pair
        advice = "keep photos and masks in two folders, and name both, "
        advice += "--config.data.path=PHOTOS and --config.data.masks=MASKS"
        raise ValueError(f"{mask} seems to be the mask of {photo}, but masks are not photos: {advice}")


def _mask_and_photo(files: Sequence[PhotoFile]) -> tuple[Path, Path] | None:
    """Returns a mask and its photo, or None if there are no masks among the photos.

    Examines some of the names that several files share. There are masks among the photos if each of these names belongs
    to both a mask and a photo.
    """
    first: dict[str, PhotoFile] = {}
    # Only names that several files share are kept, because there may be a million files.
    groups: dict[str, list[PhotoFile]] = {}
    for file in files:
        name = _ENDING.sub(r"\1", _stem(file))
        if (earlier := first.setdefault(name, file)) is not file:
            groups.setdefault(name, [earlier]).append(file)
    several = list(groups.values())[:: len(groups) // _GROUPS or 1]
    pairs = [_pair([member.photo for member in members[:_MEMBERS]]) for members in several]
    return pairs[0] if all(pairs) and pairs else None


def _pair(files: list[Path]) -> tuple[Path, Path] | None:
    few = [_has_few_colours(_pixels(file)) for file in files]
    return (files[few.index(True)], files[few.index(False)]) if len(set(few)) == 2 else None


@functools.lru_cache
def _folder_of_masks(folder: str) -> str:
    """Returns the path up to the last folder with a usual name for masks, or "" if there is no such folder."""
    parts = folder.split("/")
    words = ["".join(filter(str.isalnum, part.lower())) for part in parts]
    return next(("/".join(parts[:i]) for i in range(len(parts), 0, -1) if _OF_MASKS.fullmatch(words[i - 1])), "")


def _stem(file: PhotoFile) -> str:
    return posixpath.splitext(posixpath.basename(file.name))[0]


def _looks_like_a_mask(file: Path) -> bool:
    pixels = _pixels(file)
    if not len(pixels):
        return False
    greys = pixels.mean(axis=1)
    return _has_few_colours(pixels) or bool(np.mean((greys < 32) | (greys > 223)) > _EXTREMES)


def _has_few_colours(pixels: np.ndarray) -> bool:
    return 0 < len(np.unique(pixels, axis=0)) <= _FEW


def _pixels(file: Path) -> np.ndarray:
    """Returns some pixels of an image, uint8 [pixel, rgb], or no pixels if the image cannot be read."""
    try:
        pixels = np.asarray(read_image(file, size=256)).reshape(-1, 3)
    except UnreadableImage:
        return np.empty((0, 3), np.uint8)
    return pixels[:: max(1, len(pixels) // _PIXELS)]
