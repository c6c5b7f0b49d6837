"""What a workdir may hold, so that a run writes nowhere else."""

import os
import pathlib

from tf_layered_gan.files import cache_folder

_CACHES = ("photos", "fid")  # which the runs of a sweep share, in folders beside their workdirs, see `sweep`


def check_links(workdir):
    """Checks that nothing in a workdir would have a run write outside of it, or wait for ever.

    The workdir may be a link itself, and links within it may lead to one another.

    Args:
        workdir: the run's directory; need not exist.

    Raises:
        ValueError: for a link that leads out of the workdir, but for the caches that a sweep shares; for what is
            neither file nor folder, such as a pipe; and for something else where a cache belongs; names it.
    """
    root = pathlib.Path(os.path.realpath(workdir))
    folders = [root]
    while folders:
        for entry in _entries(folders.pop()):
            target = pathlib.Path(os.path.realpath(entry.path))
            if not target.is_relative_to(root) and not _is_shared(entry, root):
                raise ValueError(f"{entry.path} leads out of the workdir, to {target}: remove it")
            if os.path.exists(entry.path) and not (os.path.isfile(entry.path) or os.path.isdir(entry.path)):
                raise ValueError(f"{entry.path} is neither a file nor a folder: remove it")
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
    for name in _CACHES:
        cache_folder.check(root / name)


def _entries(folder):
    try:
        return list(os.scandir(folder))
    except FileNotFoundError:  # there is no run yet, or the folder was a temporary one of another that is under way
        return []


def _is_shared(entry, root):
    """Whether it is the link to a cache that a sweep has made."""
    link = f"../../{entry.name}"
    if entry.name not in _CACHES or entry.path != str(root / entry.name) or not entry.is_symlink():
        return False
    target = pathlib.Path(os.path.normpath(root / link))
    return os.readlink(entry.path) == link and not target.is_symlink() and cache_folder.is_marked(target)
