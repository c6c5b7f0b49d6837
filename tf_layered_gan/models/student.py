"""What a student is: a smaller network that learns from a finished run's, and its folder in the run's workdir."""

import dataclasses
import math
import pathlib
import re

from tf_layered_gan.files.records import read_record, write_record
from tf_layered_gan.models.networks.separable_unet import separable_unet
from tf_layered_gan.models.networks.unet import unet

NETWORKS = {"separable": separable_unet, "unet": unet}  # functions of resolution, width and depth


def _setting(default, about):
    return dataclasses.field(default=default, metadata={"about": about})


@dataclasses.dataclass(frozen=True)
class Student:
    """The settings of a student; SETTINGS has each one's type, default and description.

    Raises:
        ValueError: names what was given and what is allowed.
    """

    network: str = _setting("separable", f"Which network: {' or '.join(NETWORKS)}.")
    width: int = _setting(16, "Its channels: unet at full resolution, separable after the first halving.")
    steps: int = _setting(500, "How many training steps, over which the learning rate falls to zero.")
    learning_rate: float = _setting(2e-3, "Adam's, at first.")
    gamma_segmentation: float = _setting(0.0, "Weight of the loss on the run's synthetic pairs; at 0 none are painted.")
    gamma_consistency: float = _setting(1.0, "Weight of the loss on real photos, which the run's segmenter segments.")

    def __post_init__(self):
        """Refuses what the class does not allow."""
        wrong = [
            f"{name} is {getattr(self, name)!r:.200}, allowed: {allowed}"
            for name, allowed, valid in _checks(self)
            if not valid
        ]
        if wrong:
            raise ValueError("; ".join(wrong))


SETTINGS = {field.name: (field.type, field.default, field.metadata["about"]) for field in dataclasses.fields(Student)}


def _checks(student):
    """Yields (field, what is allowed, whether it is)."""
    yield "network", " or ".join(NETWORKS), student.network in NETWORKS
    yield "width", "a whole number from 1 to 512", _is(int, student.width, 1, 512)
    yield "steps", "a whole number from 1 to 2**31 - 1", _is(int, student.steps, 1, 2**31 - 1)
    rate = student.learning_rate
    yield "learning_rate", "more than 0, at most 1", _is((int, float), rate, 0, 1) and rate > 0
    gammas = ("gamma_segmentation", "gamma_consistency")
    for name in gammas:
        yield name, "from 0 to 1,000,000", _is((int, float), getattr(student, name), 0, 1e6)
    yield gammas[1], "more than 0 where gamma_segmentation is not", any(getattr(student, name) for name in gammas)


def _is(kind, value, low, high):
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value) and low <= value <= high


def folder(workdir, name):
    """Returns the folder of a run's student, WORKDIR/students/NAME.

    Raises:
        ValueError: if the name could be that of another place.
    """
    if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        raise ValueError(f"a student's name is {name!r:.200}, allowed: letters, digits, and from the second on _ . -")
    return pathlib.Path(workdir) / "students" / name


def record(directory, student, teacher):
    """Writes student.json, or checks that the student in a folder was begun with the same.

    Args:
        directory: its folder, which exists.
        student: Student.
        teacher: dict of what tells one state of the run's segmenter from another.

    Raises:
        ValueError: if it was begun with others, which it names.
    """
    path, given = directory / "student.json", {**dataclasses.asdict(student), "teacher": teacher}
    if not path.exists():
        write_record(path, given)
    begun = read_record(path)
    others = sorted(name for name in begun.keys() | given.keys() if begun.get(name) != given.get(name))
    if others:
        raise ValueError(f"{path} was begun with other values of {', '.join(others)}; take another --student=NAME")


def load(directory):
    """Reads the settings of the student in a folder.

    Returns:
        Student.

    Raises:
        FileNotFoundError: there is no student.
        ValueError: its student.json is damaged; names it.
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
