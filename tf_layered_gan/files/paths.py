"""Conversion of paths from the user, and of paths for TensorFlow."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator

_PATTERN = "*?["  # if a word contains one of these characters, a shell replaces the word with file names
_NOT_PLAIN = set("*?[]\\") - {os.sep}


def resolved(path: str | os.PathLike, name: str, *, exists: bool = False) -> str:
    """Returns an absolute path. A leading ~ becomes the home folder. An empty path stays empty.

    In `--flag=PATH`, a shell replaces neither a ~ nor a pattern such as *. This function replaces a leading ~, and
    keeps all other characters.

    Args:
        path: the path from the user, absolute or relative to the working directory.
        name: the flag or field, for error messages.
        exists: whether the path must exist. If True, a missing path that contains *, ? or [ is refused as a pattern.

    Raises:
        ValueError: the path is a pattern, or begins with ~NAME and there is no user NAME.
    """
    given = os.fspath(path)
    home = os.path.expanduser(given)
    if not given or os.path.lexists(home):
        return given and str(pathlib.Path(home).absolute())
    if home.startswith("~"):
        advice = f"if the name really begins with ~, write ./{given}"
        raise ValueError(f"{name} is {given}, but there is no home folder {home.split('/')[0]}: {advice}")
    pattern = next((character for character in given if character in _PATTERN), None)
    if exists and pattern:
        advice = f"the shell has not replaced the {pattern}, so give the path of one file or folder"
        raise ValueError(f"{name} is {given}, which does not exist: {advice}")
    return str(pathlib.Path(home).absolute())


@contextlib.contextmanager
def for_tensorflow(folder: str | os.PathLike) -> Iterator[str]:
    """Yields a path that TensorFlow can use for a folder: the folder's own path or, if necessary, a link to it.

    TensorFlow interprets paths of checkpoints as patterns, so it finds nothing if a path contains [ or a backslash.
    TensorFlow also refuses paths that are not UTF-8.

    Raises:
        OSError: if no link can be made.
    """
    path = os.path.abspath(folder)
    if _is_plain(path):
        yield path
        return
    with tempfile.TemporaryDirectory(dir=_plain_temporary_folder()) as temporary:
        link = os.path.join(temporary, "folder")
        os.symlink(path, link, target_is_directory=True)
        yield link


def _plain_temporary_folder() -> str | None:
    places = [tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"]
    return next((place for place in places if _is_plain(place) and os.access(place, os.W_OK)), None)


def _is_plain(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return not set(path) & _NOT_PLAIN
