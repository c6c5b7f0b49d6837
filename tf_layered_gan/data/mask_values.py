"""The meaning of the values in mask files. All masks of a set together decide it, by the rules in docs/data.md."""

import collections
import dataclasses
from collections.abc import Iterable, Sequence
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
from absl import logging
from PIL import ExifTags, Image

from edge_segmenter.files.images import File, UnreadableImage, opened, upright
from edge_segmenter.files.printing import printable

UNLABELLED_GREY = 128  # the value for "no label" in the result of `read_mask`
_TINT = 32  # JPEG compression changes the channels of a grey pixel by less than this
_FEW = 64  # a mask with soft edges has more values than this, and a mask of classes has fewer
_SHOWN = 8
_WHITES = (1, 255, 65_535)  # the values that mark the object in black and white masks of 1, 8 and 16 bits
_GREYS = ("grey", "index")  # the kinds of masks in which `unlabelled` can appear as a value
_SQUARE = 0.01  # the sides of a square may differ by this fraction
_SAME_SIZE = (2, 3, 4)  # EXIF orientations that keep width and height


@dataclasses.dataclass(frozen=True)
class Meaning:
    """The values that mark the object and those that mark pixels without a label.

    Attributes:
        threshold: this value and all higher values mark the object.
        void: the value of pixels without a label, or None.
    """

    threshold: int
    void: int | None = None


@dataclasses.dataclass(frozen=True)
class Coding:
    """The rules for reading the masks of a set.

    Attributes:
        by_alpha: whether the alpha channel is the mask in files that have an alpha channel.
        meanings: dict from a kind of mask, "grey", "index", "colour" or "alpha", to the meaning of its values.
        unlabelled: the grey or palette index of pixels without a label, or None.
    """

    by_alpha: bool
    meanings: dict[str, Meaning]
    unlabelled: int | None


def survey(files: Sequence[File], unlabelled: int | None = None) -> Coding:
    """Finds out how the masks of a set are coded. Files that cannot be read are ignored.

    Args:
        files: the mask files.
        unlabelled: the grey, 0 to 255, of pixels without a label, or None.

    Raises:
        ValueError: if the meaning of the values is not certain, for example because there are several classes. The
            message names a file and the values.
    """
    with ThreadPool() as pool:
        found = [statistics for statistics in pool.imap(_statistics, files) if statistics is not None]
    by_alpha = _decides_by_alpha([statistics for statistics in found if "alpha" in statistics.counts])
    kinds: dict[str, list[_Statistics]] = collections.defaultdict(list)
    for statistics in found:
        kinds[statistics.kind(by_alpha)].append(statistics)
    meanings = {kind: _meaning(kind, members, unlabelled) for kind, members in kinds.items()}
    return Coding(by_alpha, meanings, unlabelled)


def read_mask(file: File, coding: Coding) -> Image.Image:
    """Reads a mask file, upright.

    Args:
        file: a mask of the set that `survey` has seen.
        coding: the result of `survey`.

    Returns:
        PIL.Image of mode L: 255 object, 0 background, `UNLABELLED_GREY` no label.

    Raises:
        UnreadableImage: as `edge_segmenter.files.images.read_image`.
    """
    kind, values = _read(file, coding.by_alpha)
    meaning = coding.meanings.get(kind)
    if meaning is None:
        raise UnreadableImage("it has changed since the masks were listed")
    greys = np.where(values >= meaning.threshold, 255, 0).astype(np.uint8)
    for void in (meaning.void, coding.unlabelled if kind in _GREYS else None):
        if void is not None:
            greys[values == void] = UNLABELLED_GREY
    return Image.fromarray(greys)


def warn_of_turns(pairs: Iterable[tuple[Path, Path]]) -> None:
    """Warns if an EXIF tag turns a photo but not its mask.

    Some turns exchange the width and the height of a photo that is not square. Then the size of the mask shows whether
    the mask was drawn on the turned photo, so there is no warning.

    Args:
        pairs: for each photo, its file and the file of its mask.
    """
    apart = [photo for photo, mask in pairs if _is_turned_apart(photo, mask)]
    if apart:
        logging.warning(
            "%d photos, such as %s, are turned by their EXIF data, but their masks are not: check that the masks were "
            "drawn on the turned photos; if not, all figures are wrong",
            len(apart),
            printable(str(apart[0])),
        )


def _is_turned_apart(photo: File, mask: File) -> bool:
    try:
        with opened(photo) as image:
            turn, square = image.getexif().get(ExifTags.Base.Orientation, 1), _is_square(*image.size)
        with opened(mask) as image:
            mask_turn = image.getexif().get(ExifTags.Base.Orientation, 1)
    except UnreadableImage:  # a warning follows when the file is read
        return False
    return mask_turn == 1 and (turn in _SAME_SIZE or (square and turn in range(2, 9)))


def _is_square(width: int, height: int) -> bool:
    """Returns whether width and height differ by 1 % at most."""
    return abs(width - height) <= _SQUARE * max(width, height)


@dataclasses.dataclass(frozen=True)
class _Statistics:
    """The number of pixels of each value in a mask file.

    An alpha channel is counted separately from the colours.
    """

    file: File
    counts: dict[str, collections.Counter[int]]
    visible: frozenset[int]  # the packed colours of the visible pixels; empty if there is no alpha channel

    def kind(self, by_alpha: bool) -> str:
        return "alpha" if by_alpha and "alpha" in self.counts else next(iter(self.counts))


def _statistics(file: File) -> _Statistics | None:
    try:
        kind, values = _read(file, by_alpha=False)
        counts, visible, image = {kind: _counted(values)}, frozenset[int](), _image(file)
    except UnreadableImage:
        return None
    if image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"))
        counts["alpha"] = _counted(rgba[..., 3])
        visible = frozenset(_counted(_packed(rgba[..., :3])[rgba[..., 3] >= 128]))
    return _Statistics(file, counts, visible)


def _decides_by_alpha(found: list[_Statistics]) -> bool:
    """Returns whether the alpha channels of the files in a set are the masks.

    The alpha channels are not the masks if no pixel is transparent, or if the visible pixels have exactly two colours,
    black and white.
    """
    transparent = any(min(statistics.counts["alpha"]) < 255 for statistics in found)
    return transparent and frozenset[int]().union(*(one.visible for one in found)) != {0, 0xFFFFFF}


def _meaning(kind: str, members: list[_Statistics], unlabelled: int | None) -> Meaning:
    """Returns the meaning of the values in all masks of one kind.

    Raises:
        ValueError: if the meaning is not certain.
    """
    values: collections.Counter[int] = sum((one.counts[kind] for one in members), collections.Counter())
    if kind in _GREYS and unlabelled is not None:
        values.pop(unlabelled, None)
    known = sorted(values)
    if len(known) <= 1 or (len(known) == 2 and known[0] == 0):
        return Meaning(1)  # the masks have 0 and 1, 0 and 255, black and one colour, or a single value
    if kind == "alpha":
        return Meaning(128)
    objects = [(one.file, one.counts[kind].keys() - {0, unlabelled}) for one in members]
    if kind == "grey" and known[0] == 0 and all(len(found) <= 1 and found <= set(_WHITES) for _, found in objects):
        return Meaning(1)  # some masks have 0 and 1, others 0 and 255
    has_void = any({1, 255} <= one.counts[kind].keys() for one in members)
    if len(known) == 3 and known[0] == 0 and known[2] == 255 and (kind == "index" or (known[1] == 1 and has_void)):
        return Meaning(1, void=255)
    threshold = 128 if known[-1] <= 255 else 32_768
    if kind != "grey" or not known[0] < threshold <= known[-1] or _has_classes(values, threshold):
        raise ValueError(_refusal(kind, known, max(members, key=lambda one: len(one.counts[kind])).file))
    for file, found in objects:
        if len(found) == 1 and found <= set(_WHITES) and max(found) < threshold:  # the whole mask would be background
            raise ValueError(
                f"the mask {file} holds only the values 0 and {max(found)}, but other masks hold greys up to "
                f"{known[-1]}, so it is not certain which value is the object; allowed: the same values in all masks"
            )
    return Meaning(threshold)


def _has_classes(values: collections.Counter[int], threshold: int) -> bool:
    """Returns whether the grey values are classes.

    Classes have few different values, and their pixels above 0 are mostly dark or mostly middle grey.
    """
    dark, light = threshold / 4, 2 * threshold - threshold / 16
    areas = [
        sum(count for value, count in values.items() if low < value < high) for low, high in ((0, dark), (dark, light))
    ]
    return 2 < len(values) <= _FEW and 2 * max(areas) > values.total() - values[0]


def _refusal(kind: str, known: list[int], file: File) -> str:
    form = "#{:06x}".format if kind == "colour" else str
    shown = ", ".join(map(form, known[:_SHOWN])) + (f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else "")
    what = {"colour": "colours", "index": "palette entries"}.get(kind, "values")
    return (
        f"the masks hold the {what} {shown}, as in {file}, so it is not certain which value is the object (several "
        "classes?); allowed: two values such as 0 and 1 or 0 and 255, black and one colour, greys up to "
        "white, or transparency; pixels without a label may have the grey value data.unlabelled"
    )


def _read(file: File, by_alpha: bool) -> tuple[str, np.ndarray]:
    """Returns the kind of a mask and its values, [height, width]. Colours are packed as 0xRRGGBB."""
    image = _image(file)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        alpha = np.asarray(rgba)[..., 3]
        if by_alpha:
            return "alpha", alpha
        if alpha.min() < 255:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), rgba).convert("RGB")
    if image.mode == "P":
        indices, palette = np.asarray(image), np.asarray(image.getpalette("RGB") or [0, 0, 0]).reshape(-1, 3)
        used = np.unique(indices)
        if used.max() >= len(palette) or np.ptp(palette[used].astype(int), axis=1).max() > _TINT:
            return "index", indices
        if len(used) > 1 and not np.ptp(palette[used], axis=0).any():  # an empty palette: all its colours are equal
            return "index", indices
        image = image.convert("L")
    if image.mode == "L" or image.mode[0] in "IF":
        return "grey", np.asarray(image)
    if image.mode == "1":
        return "grey", np.asarray(image.convert("L"))
    rgb = np.asarray(image.convert("RGB"))
    if np.ptp(rgb, axis=-1).max() <= _TINT:
        return "grey", np.asarray(image.convert("L"))
    return "colour", _packed(rgb)


def _image(file: File) -> Image.Image:
    with opened(file) as image:
        image.load()
        return upright(image, image.copy())


def _packed(rgb: np.ndarray) -> np.ndarray:
    red, green, blue = np.moveaxis(rgb.astype(np.int32), -1, 0)
    return (red << 16) | (green << 8) | blue


def _counted(values: np.ndarray) -> collections.Counter[int]:
    if values.dtype == np.uint8:  # sorting a large mask would take long, and an int64 copy would take much memory
        counted = sum(np.bincount(row, minlength=256) for row in values)
        return collections.Counter({value: int(count) for value, count in enumerate(np.atleast_1d(counted)) if count})
    known, counts = np.unique(values, return_counts=True)
    return collections.Counter(dict(zip(known.tolist(), counts.tolist(), strict=True)))
