"""A check that a run writes only inside its workdir."""

import os
import pathlib

from tf_layered_gan.files import cache_folder

_CACHES = ("photos", "fid")  # the runs of a sweep share these caches through links, see `paper.sweep`


def check_links(workdir: str | os.PathLike) -> None:
    """Checks that no entry of a workdir makes a run write outside of the workdir, or wait for ever.

    The workdir need not exist, and may itself be a link. Links to other places in the workdir are allowed.

    Raises:
        ValueError: a link leads out of the workdir (except to the caches that a sweep shares); an entry is neither a
            file nor a folder, for example a pipe; or a folder with the name of a cache holds other files. The message
            names the entry.
    """
    root = pathlib.Path(os.path.realpath(workdir))
    folders = [root]
    while folders:
        for entry in _entries(folders.pop()):
            target = pathlib.Path(os.path.realpath(entry.path))
            if not target.is_relative_to(root) and not _is_shared_cache(entry, root):
                raise ValueError(f"{entry.path} leads out of the workdir, to {target}: remove it")
            if os.path.exists(entry.path) and not (os.path.isfile(entry.path) or os.path.isdir(entry.path)):
                raise ValueError(f"{entry.path} is neither a file nor a folder: remove it")
            if entry.is_dir(follow_symlinks=False):
                folders.append(pathlib.Path(entry.path))
    for name in _CACHES:
        cache_folder.check(root / name)


def _entries(folder: pathlib.Path) -> list[os.DirEntry]:
    try:
        return list(os.scandir(folder))
    except FileNotFoundError:  # there is no run yet, or another command has removed its temporary folder
        return []


def _is_shared_cache(entry: os.DirEntry, root: pathlib.Path) -> bool:
    """Returns whether an entry is a link that a sweep has made to a shared cache."""
    link = f"../../{entry.name}"
    if entry.name not in _CACHES or entry.path != str(root / entry.name) or not entry.is_symlink():
        return False
    target = pathlib.Path(os.path.normpath(root / link))
    return os.readlink(entry.path) == link and not target.is_symlink() and cache_folder.is_marked(target)
