"""Runs that collapsed and began again with another seed: what they put aside, and how often."""

import pathlib

from tf_layered_gan.files.records import read_record, write_record

_SEED_STRIDE = 1_000_000  # beyond the seeds that one would give to runs by hand
_SEEDS = 2**32 - 1  # as many as there are


class Collapsed(Exception):
    """One of the layers has taken the whole picture.

    Args:
        why: str, which, and what to change.
        images_seen: int, real pictures that the discriminator had seen.
    """

    def __init__(self, why, images_seen):
        super().__init__(why)
        self.why, self.images_seen = why, images_seen


def history(workdir):
    """Reads how often the run in a directory has begun again.

    Args:
        workdir: the run's directory.

    Returns:
        list of dicts, one a collapse, in order: its "seed", its "images_seen" and "why" it was given up.
    """
    return [read_record(folder / "why.json") for folder in _put_aside(workdir)]


def attempt(config, workdir):
    """Returns the config that the run in a directory has come to: the one given, but after a collapse another seed."""
    config = config.copy_and_resolve_references()
    config.seed = (config.seed + _SEED_STRIDE * len(_put_aside(workdir))) % _SEEDS
    return config


def put_aside(workdir, seed, collapse):
    """Moves a run's checkpoints, learning curve, samples and TensorBoard events to WORKDIR/collapsed/1, 2, ...

    Args:
        workdir: the run's directory, where there is a checkpoint.
        seed: int, that the run collapsed with.
        collapse: Collapsed.
    """
    workdir = pathlib.Path(workdir)
    folder = workdir / "collapsed" / str(len(_put_aside(workdir)) + 1)
    folder.mkdir(parents=True, exist_ok=True)
    write_record(folder / "why.json", {"seed": seed, "images_seen": collapse.images_seen, "why": collapse.why})
    for name in ("curve.csv", "samples", "tensorboard"):
        if (workdir / name).exists():
            _move(workdir / name, folder / name)
    (workdir / "checkpoints").rename(folder / "checkpoints")  # the last: a run that is killed before does it all again


def _move(source, target):
    """Moves a file or a folder, of which a part may have been moved before."""
    if source.is_dir():
        target.mkdir(exist_ok=True)
        for child in source.iterdir():
            _move(child, target / child.name)
        source.rmdir()
    else:
        source.replace(target)


def _put_aside(workdir):
    folders = [path.parent for path in (pathlib.Path(workdir) / "collapsed").glob("*/checkpoints")]
    return sorted((folder for folder in folders if folder.name.isdecimal()), key=lambda folder: int(folder.name))
