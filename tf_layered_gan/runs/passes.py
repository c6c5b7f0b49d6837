"""The files of the passes over photos in a run's directory, see `training.photo_passes`."""

import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

import keras
from ml_collections import ConfigDict

from tf_layered_gan.config import pass_steps
from tf_layered_gan.files.records import read_record, write_record
from tf_layered_gan.models import build
from tf_layered_gan.models.segmenter import Segmenter
from tf_layered_gan.runs.checkpoints import Checkpointer, final_step_on_disk

_FOLDER = "passes"


def folder(workdir: str | os.PathLike, number: int) -> pathlib.Path:
    """Returns the folder of a pass. Pass 0 is the bootstrap."""
    return pathlib.Path(workdir) / _FOLDER / str(number)


def discard_stale(workdir: str | os.PathLike, position: dict[str, int]) -> None:
    """Removes the passes after the GAN if the GAN or the segmenter has taken more steps since these passes began.

    Args:
        workdir: the run's directory.
        position: see `Checkpointer.position`.
    """
    file = pathlib.Path(workdir) / _FOLDER / "after.json"
    if file.exists() and read_record(file) != position:
        for path in file.parent.iterdir():
            if path.name.isdecimal() and path.name != "0":
                shutil.rmtree(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_record(file, position)


def records(config: ConfigDict, workdir: str | os.PathLike) -> Iterator[dict[str, Any]]:
    """Reads the records of the passes that have ended, in order, see `photo_passes`."""
    for number in range(config.refine.passes + 1):
        file = folder(workdir, number) / "pass.json"
        if file.exists():
            yield read_record(file)


def number_taken(config: ConfigDict, workdir: str | os.PathLike) -> int:
    """Returns how many finished passes trained a segmenter. The bootstrap counts as a pass."""
    return sum(record["photos"] > 0 for record in records(config, workdir))


def training_seconds(config: ConfigDict, workdir: str | os.PathLike) -> float:
    """Returns the time in seconds that the passes took, including the time to make the masks."""
    return sum(record.get("seconds", 0.0) for record in records(config, workdir))


def position(config: ConfigDict, workdir: str | os.PathLike) -> dict[str, int]:
    """Returns a dict from the name of each pass to the number of its steps taken so far.

    A pass that has ended has taken all its steps.
    """
    ended = {record["pass"] for record in records(config, workdir)}
    steps = {n: final_step_on_disk(folder(workdir, n)) for n in range(config.refine.passes + 1) if n not in ended}
    return {pass_name(n): steps.get(n, pass_steps(config)) for n in range(config.refine.passes + 1)}


def pass_name(number: int) -> str:
    """Returns the name of a pass. Pass 0 is the bootstrap."""
    return f"pass {number}" if number else "bootstrap"


def pass_networks(config: ConfigDict, workdir: str | os.PathLike) -> dict[int, keras.Model]:
    """Restores the segmenters of the passes that have ended. Returns a dict from the number of a pass to its segmenter.

    Raises:
        ValueError: a pass has a record, but its checkpoints cannot be read.
    """
    numbers = (record["pass"] for record in records(config, workdir) if record["photos"])
    return {number: _pass_network(config, workdir, number) for number in numbers}


def _pass_network(config: ConfigDict, workdir: str | os.PathLike, number: int) -> keras.Model:
    segmenter = build.build_photo_segmenter(config, number)
    if not Checkpointer(folder(workdir, number), None, segmenter).restore():
        raise ValueError(f"{folder(workdir, number)} has no checkpoint, although the pass has ended")
    return segmenter.average_network


def final_pass(config: ConfigDict, workdir: str | os.PathLike, segmenter: Segmenter) -> int | None:
    """Returns the number of the pass whose network is the result of a run, or None.

    The result is the last kept pass after the GAN, see `photo_passes`. If no such pass was kept, there are two cases.
    If no segmenter learned from pairs, or if the bootstrap was the only teacher of the first pass, the result is the
    bootstrap. Otherwise the result is the segmenter that learned from pairs, and None is returned.

    Args:
        config, workdir: the config and the directory of the run.
        segmenter: the segmenter that learned from pairs.
    """
    ended = {record["pass"]: record for record in records(config, workdir)}
    with_network = [number for number, record in ended.items() if record["photos"]]
    kept = [number for number in with_network if number > 0 and ended[number].get("kept", True)]
    if kept:
        return kept[-1]
    bootstrap_taught = not is_trained(segmenter) or ended.get(1, {}).get("teachers") == ["bootstrap"]
    return 0 if bootstrap_taught and 0 in with_network else None


def final_network(config: ConfigDict, workdir: str | os.PathLike, segmenter: Segmenter) -> keras.Model:
    """Restores the network that a run evaluates and exports, see `final_pass`. Raises the errors of `pass_networks`."""
    number = final_pass(config, workdir, segmenter)
    return segmenter.average_network if number is None else _pass_network(config, workdir, number)


def is_trained(model: keras.Model) -> bool:
    """Returns whether a model has taken a training step."""
    return int(model.optimizer.iterations.numpy()) > 0
