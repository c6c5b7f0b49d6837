"""The images to segment, and where their results go. The rules are stated in command.py."""

import collections
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from ..files.finding import list_images
from ..files.images import SUFFIXES, has_image_suffix
from ..files.printing import printable

FOLDERS = {"mask": "masks", "cutout": "cutouts", "blurred": "blurred"}  # by kind of result

Targets = dict[str, Path]  # path of the result by kind


def plan(source: Path, output: Path, kinds: Iterable[str]) -> list[tuple[Path, Targets]]:
    """Lists each image with the paths of its results by kind.

    Args:
        source: an image or a folder.
        output: a folder, which need not exist.
        kinds: some of FOLDERS.

    Raises:
        ValueError: if there is no image, or a result would go to a wrong place.
    """
    images = find_images(source, output)
    jobs = [
        (image, {kind: output / FOLDERS[kind] / name for kind in kinds})
        for image, name in zip(images, result_names(images, source), strict=True)
    ]
    check_targets((target for _, targets in jobs for target in targets.values()), images, output)
    return jobs


def find_images(source: Path, output: Path | None = None) -> list[Path]:
    """Lists the images in `source`, a file or a folder, except those in the folder `output`.

    A folder that cannot be read is named on stderr.

    Raises:
        ValueError: if there is no image, or `output` contains `source`.
    """
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise ValueError(f"no such image or folder: {source}")
    if output and Path(os.path.realpath(source)).is_relative_to(os.path.realpath(output)):
        raise ValueError(f"--output {output} must not be the folder of the images or one around it")
    listing = list_images(source, without=output)
    for folder, reason in listing.unreadable.items():
        print(printable(f"skipped {folder}: {reason}"), file=sys.stderr)
    if not listing.images:
        raise ValueError(f"no image in {source}, looked for {' '.join(SUFFIXES)}")
    return listing.images


def check_targets(targets: Iterable[Path], sources: Iterable[Path], output: Path) -> None:
    """Checks where the results would go if links are followed.

    Raises:
        ValueError: if a target is one of the sources or lies outside the folder `output`.
    """
    originals, folder = set(map(os.path.realpath, sources)), os.path.realpath(output)
    for target in targets:
        path = os.path.realpath(target)
        if path in originals:
            raise ValueError(f"--output {output} would overwrite the input {target}")
        if not Path(path).is_relative_to(folder):
            raise ValueError(f"--output {output} holds a link: {target} would be written to {path}")


def result_names(images: list[Path], source: Path) -> list[Path]:
    """Lists the path of each image's result below the folder of its kind. No two paths are the same."""
    folder = source if source.is_dir() else source.parent
    # In lower case, because on some file systems a.png and A.png are the same file.
    stems = [str(image.with_suffix("")).lower() for image in images]
    sharing = collections.Counter(stems)
    names = []
    for image, stem in zip(images, stems, strict=True):
        taken = sharing[stem] > 1 or image.with_suffix(".png").is_dir()  # the results of that folder need the name
        name = image.name if taken or has_image_suffix(image.stem) else image.stem
        names.append(image.relative_to(folder).with_name(f"{name}.png"))
    return names


def video_targets(source: Path | int, output: Path, kinds: Iterable[str]) -> Targets:
    """Returns the path of each kind of result: an .mp4 file, or a folder for cut-outs.

    Args:
        source: path of a video, or index of a camera.
        output: a folder, which need not exist.
        kinds: some of FOLDERS.

    Raises:
        ValueError: if there is no such video, or a result would go to a wrong place.
    """
    is_camera = isinstance(source, int)
    if isinstance(source, Path) and not source.is_file():
        raise ValueError(f"no such video: {source}")
    name = source.stem if isinstance(source, Path) else f"camera{source}"
    names = {"mask": f"{name}.mp4", "cutout": name, "blurred": f"{name}.mp4"}
    targets = {kind: output / FOLDERS[kind] / names[kind] for kind in kinds}
    check_targets(targets.values(), [source] if isinstance(source, Path) else [], output)
    for kind, path in targets.items():
        if path.exists() and (is_camera or kind == "cutout"):
            raise ValueError(f"{path} exists: the results of a camera and folders of frames are not replaced")
    return targets
