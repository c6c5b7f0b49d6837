"""The photos in a folder, and the mask of each."""

import dataclasses
import functools
import os
import unicodedata
from pathlib import Path

from absl import logging

from edge_segmenter.files.finding import list_images
from edge_segmenter.files.printing import printable
from tf_layered_gan.console.progress import progress


@dataclasses.dataclass(frozen=True, slots=True)
class PhotoFile:
    """The files of one photo. This class has few attributes, because a folder may hold a million photos.

    Attributes:
        name: path of the photo below `folder`, with "/" between the parts.
        folder: the folder that was searched for photos.
        mask: the file of the photo's mask, or None.
    """

    name: str
    folder: Path
    mask: Path | None = None

    @property
    def photo(self) -> Path:
        """The file."""
        return self.folder / self.name


def find_photos(path: str | os.PathLike, masks: str | os.PathLike | None = None) -> list[PhotoFile]:
    """Finds the photos in a folder, and their masks. Opens no file.

    Logs a warning for each entry that is not a file, and for each folder that cannot be read. Also logs how many masks
    have no photo, and how many files are left out for other reasons, see `edge_segmenter.files.finding.list_images`.

    Args:
        path: the folder.
        masks: None, or the folder of masks, which may lie below `path`. A mask has the same relative path as its photo,
            except for the suffix. In these paths, an accented letter may be one Unicode character or, as on macOS, two.
            Some photos may have no mask.

    Returns:
        list of `PhotoFile`, sorted by name.

    Raises:
        ValueError: if a folder does not exist or holds no image, if no photo has a mask, or if two photos match one
            mask or two masks match one photo.
    """
    if masks is None:
        return _find(path)
    if Path(masks).resolve() == Path(path).resolve():
        raise ValueError(f"masks must be in another folder than the photos, got {masks} for both")
    mask_of = _by_stem(_find(masks))
    files = _find(path, without=masks)
    matched = _by_stem([file for file in files if _stem(file) in mask_of])
    if not matched:
        raise ValueError(f"{masks}: none of {len(mask_of)} masks has the name of a photo in {path}")
    if unused := [mask.photo for stem, mask in mask_of.items() if stem not in matched]:
        logging.warning(
            "%d of %d masks, such as %s, have no photo of the same name: these masks are not used, and if their photos "
            "have other names, these photos are trained on",
            len(unused),
            len(mask_of),
            printable(str(unused[0])),
        )
    masked = {file: mask_of[stem].photo for stem, file in matched.items()}
    return [dataclasses.replace(file, mask=masked.get(file)) for file in files]


def warn(path: Path, reason: str) -> None:
    """Logs that a path is left out. The message is one line, even if the path has line breaks."""
    logging.warning("left out %s: %s", printable(str(path)), printable(reason))


def _find(folder: str | os.PathLike, without: str | os.PathLike | None = None) -> list[PhotoFile]:
    if not os.path.isdir(folder):
        raise ValueError(f"{folder} is not a folder")
    shown = functools.partial(progress, what=f"searching {printable(str(folder))}", total=0, unit="files")
    listing = list_images(folder, without, shown)
    for path in listing.unreadable:
        warn(path, "the folder cannot be read")
    if not listing.names:
        raise ValueError("; ".join([f"no photo or mask in {folder}", *listing.notes()]))
    for note in listing.notes():
        logging.warning("%s: %s", printable(str(folder)), note)
    files = []
    for name in listing.names:
        if os.path.isfile(os.path.join(folder, name)):
            files.append(PhotoFile(name, listing.folder))
        else:
            warn(listing.folder / name, "it is not a file")
    return files


def _stem(file: PhotoFile) -> str:
    return unicodedata.normalize("NFC", os.path.splitext(file.name)[0])


def _by_stem(files: list[PhotoFile]) -> dict[str, PhotoFile]:
    by_stem: dict[str, PhotoFile] = {}
    for file in files:
        first = by_stem.setdefault(_stem(file), file)
        if first is not file:
            raise ValueError(
                f"{first.photo} and {file.photo} differ only in the suffix, allowed: one file of this name"
            )
    return by_stem
