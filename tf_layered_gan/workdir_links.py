"""What a workdir may hold, so that a run writes nowhere else."""

import os
import pathlib

_SHARED = ("photos", "fid")  # caches, which the runs of a sweep keep in a folder beside their workdirs, see `sweep`


def check_links(workdir):
    """Checks that nothing in a workdir would have a run write outside of it, or wait for ever.

    The workdir may be a link itself, and links within it may lead to one another.

    Args:
        workdir: the run's directory; need not exist.

    Raises:
        ValueError: for a link that leads out of the workdir, but for the caches that a sweep shares, and for what is
            neither file nor folder, such as a pipe; names it.
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


def _entries(folder):
    try:
        return list(os.scandir(folder))
    except FileNotFoundError:  # there is no run yet, or the folder was a temporary one of another that is under way
        return []


def _is_shared(entry, root):
    shared = {str(root / name): f"../../{name}" for name in _SHARED}
    return entry.is_symlink() and os.readlink(entry.path) == shared.get(entry.path)
