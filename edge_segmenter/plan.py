"""Where results go; the rules are those that command.py states."""

import collections
import os
import pathlib

from .finding import find_pictures
from .pictures import has_picture_suffix

FOLDERS = {"mask": "masks", "cutout": "cutouts", "blurred": "blurred"}  # by the kind of result


def plan(source, output, kinds):
    """Lists (picture, {kind: path of its result}).

    Args:
        source: pathlib.Path of a picture or a folder.
        output: pathlib.Path of a folder, which need not exist.
        kinds: some of FOLDERS.

    Raises:
        ValueError: if there is no picture, or if a result would go to a wrong place.
    """
    pictures = find_pictures(source, output)
    names = result_names(pictures, source)
    jobs = [
        (picture, {kind: output / FOLDERS[kind] / name for kind in kinds})
        for picture, name in zip(pictures, names, strict=True)
    ]
    check_targets((target for _, targets in jobs for target in targets.values()), pictures, output)
    return jobs


def check_targets(targets, sources, output):
    """Raises ValueError for a target that is one of the sources or, by a link, lies outside of the folder `output`."""
    originals, folder = set(map(os.path.realpath, sources)), pathlib.Path(os.path.realpath(output))
    for target in targets:
        path = os.path.realpath(target)
        if path in originals:
            raise ValueError(f"--output {output} would write over the input {target}")
        if not pathlib.Path(path).is_relative_to(folder):
            raise ValueError(f"--output {output} holds a link by which {target} would go to {path}")


def result_names(pictures, source):
    """Lists the path of each picture's results below masks/ and cutouts/; no two are the same."""
    folder = source if source.is_dir() else source.parent
    # In lower case, because a.png and A.png are one file to some file systems.
    stems = [str(picture.with_suffix("")).lower() for picture in pictures]
    sharing = collections.Counter(stems)
    names = []
    for picture, stem in zip(pictures, stems, strict=True):
        taken = sharing[stem] > 1 or picture.with_suffix(".png").is_dir()  # whose results have a folder of that name
        ambiguous = taken or has_picture_suffix(picture.stem)
        name = picture.name if ambiguous else picture.stem
        names.append(picture.relative_to(folder).with_name(f"{name}.png"))
    return names


def video_targets(source, output, kinds):
    """Returns {kind: path of its result}, of a cut-out a folder, for a video's path or a camera's index.

    Raises:
        ValueError: for no such video, or if a result would go to a wrong place.
    """
    is_camera = isinstance(source, int)
    if not is_camera and not source.is_file():
        raise ValueError(f"no such video: {source}")
    name = f"camera{source}" if is_camera else source.stem
    names = {"mask": f"{name}.mp4", "cutout": name, "blurred": f"{name}.mp4"}
    targets = {kind: output / FOLDERS[kind] / names[kind] for kind in kinds}
    check_targets(targets.values(), [] if is_camera else [source], output)
    for kind, path in targets.items():
        if path.exists() and (is_camera or kind == "cutout"):
            raise ValueError(f"{path} exists: a camera's results and folders of frames are not replaced")
    return targets
