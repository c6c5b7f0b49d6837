"""Students and their folders in the workdir. A student is a smaller network that learns from a finished run."""

import dataclasses
import math
import os
import pathlib
import re
from collections.abc import Iterator
from typing import Any

from tf_layered_gan.files.records import read_record, write_record

NETWORKS = ("separable", "unet")


def _setting(default: Any, about: str) -> Any:
    return dataclasses.field(default=default, metadata={"about": about})


@dataclasses.dataclass(frozen=True)
class Student:
    """The settings of a student. SETTINGS holds the type, default and description of each setting.

    Raises:
        ValueError: if a setting is wrong. The message names each wrong setting, its value and the allowed values.
    """

    network: str = _setting("separable", f"Which network: {' or '.join(NETWORKS)}.")
    width: int = _setting(16, "Number of channels, at full resolution for unet and at half resolution for separable.")
    steps: int = _setting(500, "Number of training steps; during these steps, the learning rate falls to zero.")
    learning_rate: float = _setting(2e-3, "Adam's learning rate at the first step.")
    gamma_segmentation: float = _setting(
        0.0, "Weight of the loss on the run's synthetic pairs; if it is 0, no pairs are made."
    )
    gamma_consistency: float = _setting(1.0, "Weight of the loss on photos that the run's segmenter segments.")

    def __post_init__(self) -> None:
        """Checks the settings."""
        wrong = [
            f"{name} is {getattr(self, name)!r:.200}, allowed: {allowed}"
            for name, allowed, valid in _checks(self)
            if not valid
        ]
        if wrong:
            raise ValueError("; ".join(wrong))


SETTINGS = {field.name: (field.type, field.default, field.metadata["about"]) for field in dataclasses.fields(Student)}


def _checks(student: Student) -> Iterator[tuple[str, str, bool]]:
    """Yields the name of each setting, its allowed values, and whether its value is allowed."""
    yield "network", " or ".join(NETWORKS), student.network in NETWORKS
    yield "width", "a whole number from 1 to 512", _is(int, student.width, 1, 512)
    yield "steps", "a whole number from 1 to 2**31 - 1", _is(int, student.steps, 1, 2**31 - 1)
    rate = student.learning_rate
    yield "learning_rate", "more than 0, at most 1", _is((int, float), rate, 0, 1) and rate > 0
    gammas = ("gamma_segmentation", "gamma_consistency")
    for name in gammas:
        yield name, "from 0 to 1,000,000", _is((int, float), getattr(student, name), 0, 1e6)
    yield gammas[1], "more than 0 if gamma_segmentation is 0", any(getattr(student, name) for name in gammas)


def _is(kind: Any, value: Any, low: float, high: float) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value) and low <= value <= high


def folder(workdir: str | os.PathLike, name: str) -> pathlib.Path:
    """Returns the folder of a student, WORKDIR/students/NAME.

    Raises:
        ValueError: the name has a character that is not allowed, such as a slash.
    """
    if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        allowed = "letters, digits and _ everywhere, and . and - after the first character"
        raise ValueError(f"a student's name is {name!r:.200}, allowed: {allowed}")
    return pathlib.Path(workdir) / "students" / name


def record(directory: pathlib.Path, student: Student, teacher: dict[str, Any]) -> None:
    """Writes student.json. If the file exists, checks that it holds the given settings and the given teacher.

    Args:
        directory: the student's folder, which must exist.
        student: the student's settings.
        teacher: a JSON-compatible dict that identifies the state of the run's segmenter.

    Raises:
        ValueError: if the settings or the teacher differ from the existing student.json. The message names the
            differences.
    """
    path, given = directory / "student.json", {**dataclasses.asdict(student), "teacher": teacher}
    if not path.exists():
        write_record(path, given)
    recorded = read_record(path)
    others = sorted(name for name in recorded.keys() | given.keys() if recorded.get(name) != given.get(name))
    if others:
        raise ValueError(f"{path} was written with other values of {', '.join(others)}; take another --student=NAME")


def load(directory: pathlib.Path) -> Student:
    """Reads the settings of the student in a folder.

    Raises:
        FileNotFoundError: if there is no student.
        ValueError: if student.json is damaged.
    """
    path = directory / "student.json"
    if not path.exists():
        raise FileNotFoundError(f"no student.json in {directory}: train first (python -m tf_layered_gan.distill)")
    settings = read_record(path)
    settings.pop("teacher", None)
    try:
        return Student(**settings)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
