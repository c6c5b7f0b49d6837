"""Which files are taken for pictures; the rules are those that command.py states."""

import os
import pathlib
import sys

from .pictures import SUFFIXES, has_picture_suffix
from .printing import printable


def find_pictures(source, output=None):
    """Lists the pictures in `source`, a file or a folder, but for those in the folder `output`; ValueError if none."""
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise ValueError(f"no such picture or folder: {source}")
    results = output and os.path.realpath(output)
    if results and pathlib.Path(os.path.realpath(source)).is_relative_to(results):
        raise ValueError(f"--output {output} must not be the folder of the pictures or one around it")
    pictures = sorted(path for path in walk(source, results) if has_picture_suffix(path.name))
    if not pictures:
        raise ValueError(f"no picture in {source}, looked for {' '.join(SUFFIXES)}")
    return pictures


def walk(folder, without):
    """Yields what is in a folder and below it, however deep, but for folders and what lies in `without`."""
    root = os.path.realpath(folder)
    folders = [root]
    while folders:
        path = folders.pop()
        try:
            entries = list(os.scandir(path))
        except OSError as error:
            print(printable(f"skipped {path}: {error.strerror}"), file=sys.stderr)
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders += [entry.path] if entry.path != without else []
            elif not os.path.isdir(entry.path) and not is_link_into(without, entry):
                yield folder / pathlib.Path(entry.path).relative_to(root)


def is_link_into(folder, entry):
    """Whether an entry is a link to what lies in a folder."""
    return (
        folder is not None and entry.is_symlink() and pathlib.Path(os.path.realpath(entry.path)).is_relative_to(folder)
    )
