"""Cache folders. Each cache folder contains a file that marks it, so that no other folder is cleared by mistake."""

import os
import pathlib

_MARK = "CACHEDIR.TAG"  # see the Cache Directory Tagging Specification; backup programs skip marked folders
_TEXT = "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of tf_layered_gan; it can be removed at any time.\n"


def check(folder: str | os.PathLike) -> None:
    """Checks that a folder is missing, empty, or marked.

    Raises:
        ValueError: the folder contains files, but not the mark. The message names the folder.
    """
    path = pathlib.Path(folder)
    if path.is_dir() and not is_marked(path) and any(path.iterdir()):
        advice = "move those files, or remove the folder if it is a cache of an earlier version"
        raise ValueError(f"{path} is used as a cache, but holds other files: {advice}")


def claim(folder: str | os.PathLike) -> None:
    """Makes a folder if it is missing, and marks it.

    Raises:
        ValueError: see `check`.
        OSError: the folder cannot be written to.
    """
    check(folder)
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    if not is_marked(path):
        # The mark is first written outside the folder, and then moved into the folder. If the program is killed before
        # the move, the folder is still empty, and `check` accepts it.
        half = path.parent / f".{_MARK}.{os.getpid()}"
        half.write_text(_TEXT)
        half.replace(path / _MARK)


def is_marked(folder: str | os.PathLike) -> bool:
    """Returns whether a folder has the mark."""
    mark = pathlib.Path(folder) / _MARK
    return mark.is_file() and mark.read_bytes() == _TEXT.encode()
