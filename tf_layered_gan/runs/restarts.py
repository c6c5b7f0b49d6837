"""The history and the files of a run's collapsed attempts. After a collapse, the run begins again with another seed."""

import os
import pathlib

from ml_collections import ConfigDict

from tf_layered_gan.files.records import read_record, write_record

_SEED_STRIDE = 1_000_000  # larger than the seeds that people choose
_SEEDS = 2**32 - 1  # the number of valid seeds


class Collapsed(Exception):
    """The error for a collapsed GAN, in which one of the two layers fills the whole image.

    Args:
        why: says which layer fills the image, and what to change.
        images_seen: number of photos that the discriminator had seen.
    """

    def __init__(self, why: str, images_seen: int):
        super().__init__(why)
        self.why, self.images_seen = why, images_seen


def history(workdir: str | os.PathLike) -> list[dict]:
    """Reads the collapsed attempts of the run in a workdir.

    Returns:
        list of dicts in order, one for each collapse. Each dict has "seed", "images_seen" and "why", see `Collapsed`.
    """
    return [read_record(folder / "why.json") for folder in _set_aside(workdir)]


def attempt(config: ConfigDict, workdir: str | os.PathLike) -> ConfigDict:
    """Returns the config of the current attempt: the given config, but with another seed after each collapse."""
    config = config.copy_and_resolve_references()
    config.seed = (config.seed + _SEED_STRIDE * len(_set_aside(workdir))) % _SEEDS
    return config


def put_aside(workdir: str | os.PathLike, seed: int, collapse: Collapsed) -> None:
    """Moves a run's checkpoints, learning curve, samples and TensorBoard events to WORKDIR/collapsed/1, 2, ..."""
    workdir = pathlib.Path(workdir)
    folder = workdir / "collapsed" / str(len(_set_aside(workdir)) + 1)
    folder.mkdir(parents=True, exist_ok=True)
    write_record(folder / "why.json", {"seed": seed, "images_seen": collapse.images_seen, "why": collapse.why})
    for name in ("curve.csv", "samples", "tensorboard"):
        if (workdir / name).exists():
            _move(workdir / name, folder / name)
    # The checkpoints are moved last. If the run is killed before that, the next start of the run makes the missing
    # moves.
    (workdir / "checkpoints").rename(folder / "checkpoints")


def _move(source: pathlib.Path, target: pathlib.Path) -> None:
    """Moves a file or a folder. Part of the folder may have been moved already."""
    if source.is_dir():
        target.mkdir(exist_ok=True)
        for child in source.iterdir():
            _move(child, target / child.name)
        source.rmdir()
    else:
        source.replace(target)


def _set_aside(workdir: str | os.PathLike) -> list[pathlib.Path]:
    folders = [path.parent for path in (pathlib.Path(workdir) / "collapsed").glob("*/checkpoints")]
    return sorted((folder for folder in folders if folder.name.isdecimal()), key=lambda folder: int(folder.name))
