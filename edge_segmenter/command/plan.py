"""The images to segment, and the paths of their results. README.md has the rules."""

import collections
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..files.finding import list_images
from ..files.formats import SUFFIXES, VIDEO_SUFFIXES, has_image_suffix
from ..files.own_results import FOLDERS
from ..files.printing import say

Targets = dict[str, Path]  # the path of each kind of result


def plan(sources: Sequence[Path], output: Path, kinds: Iterable[str]) -> list[tuple[Path, Targets]]:
    """Lists each image with the paths of its results. In the dict of these paths, the keys are the kinds of results.

    Args:
        sources: images or folders, one or more.
        output: a folder, which need not exist.
        kinds: one or more of the keys of FOLDERS.

    Raises:
        ValueError: if there is no image, or a result would be written to a forbidden place.
    """
    images = find_images(sources, output)
    jobs = [
        (image, {kind: output / FOLDERS[kind] / name for kind in kinds})
        for image, name in zip(images, result_names(images, common_folder(sources)), strict=True)
    ]
    check_targets((target for _, targets in jobs for target in targets.values()), images, output)
    return jobs


def find_images(sources: Sequence[Path], output: Path | None = None) -> list[Path]:
    """Lists the images in `sources` (files or folders), except those in the folder `output`.

    Prints to stderr which sources and folders are left out, and how many other files are left out.

    Raises:
        ValueError: if there is no image, or a folder in `sources` is `output` or lies in `output`.
    """
    several = len(sources) > 1
    found = [_in_folder(source, output, several) if _is_folder(source) else [source] for source in sources]
    images = list(dict.fromkeys(image for listed in found for image in listed))
    videos = [image for image in images if several and is_video(image)]
    for video in videos:
        say(f"left out {video}: a video must be the only input", sys.stderr)
    images = [image for image in images if image not in videos]
    if not images:
        raise ValueError(f"no image in {', '.join(map(str, sources))}")
    return images


def is_video(path: Path) -> bool:
    """Returns whether a file name has the suffix of a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def _is_folder(source: Path) -> bool:
    if source.is_dir():
        return True
    _check_file(source, "image or folder")
    return False


def _check_file(source: Path, what: str) -> None:
    if not source.is_file():
        pattern = any(sign in str(source) for sign in "*?[")
        advice = "; the shell found no file for this pattern, or the pattern was quoted" if pattern else ""
        raise ValueError(f"no such {what}: {source}{advice}")


def _in_folder(source: Path, output: Path | None, may_be_empty: bool) -> list[Path]:
    if output and Path(os.path.realpath(source)).is_relative_to(os.path.realpath(output)):
        raise ValueError(f"--output {output} must not be the folder of the images or a folder above it")
    listing = list_images(source, without=output)
    for folder, reason in listing.unreadable.items():
        say(f"left out {folder}: {reason}", sys.stderr)
    notes = listing.notes()
    if not listing.images and not may_be_empty:
        raise ValueError("; ".join([f"no image in {source}", *(notes or [f"looked for {' '.join(SUFFIXES)}"])]))
    for note in notes:
        say(f"{source}: {note}", sys.stderr)
    return listing.images


def check_targets(targets: Iterable[Path], sources: Iterable[Path], output: Path) -> None:
    """Checks the places where results would be written, after links are followed.

    Raises:
        ValueError: if a target is one of the sources or lies outside the folder `output`.
    """
    originals, folder = set(map(os.path.realpath, sources)), os.path.realpath(output)
    for target in targets:
        path = os.path.realpath(target)
        if path in originals:
            raise ValueError(f"--output {output} would overwrite the input {target}")
        if not Path(path).is_relative_to(folder):
            raise ValueError(f"--output {output} holds a link, so {target} would be written to {path}")


def common_folder(sources: Sequence[Path]) -> Path:
    """Returns the folder that contains the images of all sources.

    If an image lies in a subfolder of this folder, its results lie in subfolders of the same name.

    Raises:
        ValueError: if the sources lie on several drives.
    """
    if len(sources) == 1:
        return sources[0] if sources[0].is_dir() else sources[0].parent
    return Path(os.path.commonpath([os.path.abspath(source.parent) for source in sources]))


def result_names(images: list[Path], folder: Path) -> list[Path]:
    """Lists the path of the result of each image, relative to the folder of results, such as `masks`. No two paths are
    the same.

    Args:
        images: images in `folder` or below it.
        folder: see `common_folder`.
    """
    # The stems are in lower case, because on some file systems a.png and A.png are the same file.
    stems = [os.path.abspath(image.with_suffix("")).lower() for image in images]
    sharing = collections.Counter(stems)
    names = []
    for image, stem in zip(images, stems, strict=True):
        # The result of "a.jpg" would be called "a.png". If there is also an input folder "a.png", then the results of
        # the images in this folder lie in a folder "a.png". So the result of "a.jpg" is called "a.jpg.png" instead.
        taken = sharing[stem] > 1 or image.with_suffix(".png").is_dir()
        name = image.name if taken or has_image_suffix(image.stem) else image.stem
        below = image if image.is_relative_to(folder) else Path(os.path.abspath(image))
        names.append(below.relative_to(folder).with_name(f"{name}.png"))
    return names


def video_targets(source: Path | int, output: Path, kinds: Iterable[str]) -> Targets:
    """Returns the path of each result of a video. A result is an .mp4 file, or a folder for cut-outs.

    Args:
        source: path of a video, or index of a camera.
        output: a folder, which need not exist.
        kinds: one or more of the keys of FOLDERS.

    Raises:
        ValueError: if there is no such video, or a result would be written to a forbidden place.
    """
    is_camera = isinstance(source, int)
    if isinstance(source, Path):
        _check_file(source, "video")
    name = source.stem if isinstance(source, Path) else f"camera{source}"
    names = {"mask": f"{name}.mp4", "cutout": name, "blurred": f"{name}.mp4"}
    targets = {kind: output / FOLDERS[kind] / names[kind] for kind in kinds}
    check_targets(targets.values(), [source] if isinstance(source, Path) else [], output)
    for kind, path in targets.items():
        if path.exists() and (is_camera or kind == "cutout"):
            raise ValueError(f"{path} exists: the results of a camera and folders of frames are not replaced")
    return targets
