"""The records in the workdir of a run. The report is made from these records."""

import dataclasses
import os
import pathlib
import re
from collections.abc import Callable
from typing import Any, TypeVar

from tf_layered_gan.files.records import read_record
from tf_layered_gan.reporting.scalars import Series, read_scalars
from tf_layered_gan.runs import config_record
from tf_layered_gan.runs.learning_curve import LearningCurve
from tf_layered_gan.runs.passes import pass_name

T = TypeVar("T")
# Version 0.1.0 wrote samples/step_0000500.png, without headings in the image.
_GRID = re.compile(r"(layers_)?step_(\d+)\.png")


@dataclasses.dataclass(frozen=True)
class Recorded:
    """The records of a run. A record that does not exist is empty, and `missing` names it.

    Attributes:
        workdir: the run's directory.
        settings: dict from dotted field names to the values of config.json.
        metrics: the content of metrics.json.
        curve: the points of curve.csv.
        passes: the records of the finished passes over photos, in order.
        scalars: dict from the name of each scalar in TensorBoard's events to its points. If a scalar belongs to a pass,
            its name begins with the name of the pass.
        grids: the steps and files of the layer grids, in order.
        missing: a sentence for each record that is missing or damaged.
    """

    workdir: pathlib.Path
    settings: dict[str, Any]
    metrics: dict[str, Any]
    curve: list[dict[str, Any]]
    passes: list[dict[str, Any]]
    scalars: dict[str, Series]
    grids: list[tuple[int, pathlib.Path]]
    missing: list[str]

    @property
    def name(self) -> str:
        """The name of the workdir."""
        return self.workdir.resolve().name or str(self.workdir)

    @property
    def is_student(self) -> bool:
        """Whether the workdir is the folder of a student."""
        return (self.workdir / "student.json").exists()

    @property
    def why_no_gan(self) -> str:
        """A sentence that says why the run trains no GAN, or "" if the run has a GAN or may still train a GAN."""
        if self.is_student:
            return "A student has no GAN: see the report of its teacher's run."
        if self.settings.get("segmenter.supervised", False):
            return "The run trained no GAN: it learned from true masks."
        trusted = any(record["pass"] == 0 and record.get("trusted", False) for record in self.passes)
        if trusted and self.settings.get("schedule.gan") == "if_needed":
            return "The run trained no GAN, because the bootstrap sufficed (schedule.gan=if_needed)."
        return ""

    @property
    def not_kept(self) -> set[str]:
        """The names of the passes that were not kept, such as "pass 2"."""
        return {f"pass {record['pass']}" for record in self.passes if not record.get("kept", True)}


def read_run(workdir: str | os.PathLike) -> Recorded:
    """Reads the records of a run from its workdir, or of a student from its folder. Damaged files raise no error."""
    workdir, missing = pathlib.Path(workdir), list[str]()

    def reading(read: Callable[[], T], empty: T, file: pathlib.Path, meaning: str) -> T:
        if not file.exists():
            missing.append(meaning)
            return empty
        try:
            return read()
        except (ValueError, OSError, KeyError, TypeError) as error:
            missing.append(f"{error}.")
            return empty

    is_student = (workdir / "student.json").exists()
    settings_file = (workdir.parent.parent if is_student else workdir) / "config.json"
    metrics, curve = workdir / "metrics.json", workdir / "curve.csv"
    nothing = dict[str, Any]()
    no_config = "There is no config.json."
    settings = reading(lambda: config_record.recorded_facts(settings_file), nothing, settings_file, no_config)
    supervised = settings.get("segmenter.supervised", False)
    events = workdir / "tensorboard"
    unfinished = "The run has not reached its end: there is no metrics.json, and the figures below may be missing."
    no_curve = "There is no curve.csv: no phase has ended yet, or the validation photos have no true masks."
    no_events = "There are no TensorBoard events, so there are no curves."
    return Recorded(
        workdir,
        settings,
        reading(lambda: read_record(metrics), {}, metrics, unfinished),
        [] if is_student or supervised else reading(LearningCurve(workdir).points, [], curve, no_curve),
        reading(lambda: _passes(workdir), [], workdir, ""),
        reading(lambda: _scalars(workdir), {}, events, no_events),
        _grids(workdir / "samples"),
        missing,
    )


def _passes(workdir: pathlib.Path) -> list[dict[str, Any]]:
    return [read_record(folder / "pass.json") for folder in _pass_folders(workdir) if (folder / "pass.json").exists()]


def _scalars(workdir: pathlib.Path) -> dict[str, Series]:
    scalars = read_scalars(workdir / "tensorboard")
    for folder in _pass_folders(workdir):
        name = pass_name(int(folder.name))
        scalars |= {f"{name}/{tag.split('/')[-1]}": s for tag, s in read_scalars(folder / "tensorboard").items()}
    return scalars


def _pass_folders(workdir: pathlib.Path) -> list[pathlib.Path]:
    folders = [folder for folder in (workdir / "passes").glob("*") if folder.name.isdecimal()]
    return sorted(folders, key=lambda folder: int(folder.name))


def _grids(folder: pathlib.Path) -> list[tuple[int, pathlib.Path]]:
    found = [(_GRID.fullmatch(file.name), file) for file in folder.glob("*.png")]
    return sorted((int(match[2]), file) for match, file in found if match)
