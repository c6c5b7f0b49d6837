"""Checks of a single field of a config. A check describes the allowed values in words and as a function."""

import dataclasses
import math
import re
from collections.abc import Callable
from typing import Any

MOST = 2**31 - 1  # No useful value is near this limit. A run with a larger value could not even start.


@dataclasses.dataclass(frozen=True)
class Check:
    """A rule for one field.

    Attributes:
        allowed: the allowed values, in words. The error message "FIELD is VALUE, allowed: ..." ends with these words.
        accepts: function that takes a value of the field's type and returns True if the value is allowed.
    """

    allowed: str
    accepts: Callable[[Any], bool]


def anything() -> Check:
    """Accepts every value of the field's type."""
    return Check("any value", lambda value: True)


def switch() -> Check:
    """Accepts False, True and "auto"."""
    return Check("False, True or auto", lambda value: isinstance(value, bool) or value == "auto")


def one_of(*values: str) -> Check:
    """Accepts the given words."""
    return Check(f"{', '.join(values[:-1])} or {values[-1]}", lambda value: value in values)


def at_least(least: float, most: float = MOST) -> Check:
    """Accepts numbers from `least` to `most`, both included."""
    return Check(f"{least} or more, at most {most}", lambda value: least <= value <= most)


def more_than_0(most: float = MOST) -> Check:
    """Accepts positive numbers up to `most`."""
    return Check(f"more than 0, at most {most}", lambda value: 0 < value <= most)


def within(low: float, high: float) -> Check:
    """Accepts numbers from `low` to `high`, both included."""
    return Check(f"from {low} to {high}", lambda value: low <= value <= high)


def decay() -> Check:
    """Accepts numbers from 0 to below 1, such as the decay of a moving average."""
    return Check("from 0 to below 1", lambda value: 0 <= value < 1)


def probability() -> Check:
    """Accepts numbers between 0 and 1, both excluded."""
    return Check("between 0 and 1, both excluded", lambda value: 0 < value < 1)


def power_of_two(least: int, most: int) -> Check:
    """Accepts powers of two from `least` to `most`."""
    words = f"a power of two from {least} to {most}"
    return Check(words, lambda value: least <= value <= most and value & (value - 1) == 0)


def seed() -> Check:
    """Accepts the seeds that TensorFlow and NumPy allow, except the largest, because the segmenter uses seed + 1."""
    return Check("from 0 to 2**32 - 2", lambda value: 0 <= value < 2**32 - 1)


def ordered_pair(low: float, high: float) -> Check:
    """Accepts (first, second) with low <= first <= second <= high."""

    def accepts(value: tuple) -> bool:
        return _are_numbers(value) and len(value) == 2 and low <= value[0] <= value[1] <= high

    return Check(f"a pair (low, high) with {low} <= low <= high <= {high}", accepts)


def weight_pair(most: float) -> Check:
    """Accepts two weights of a loss: one for round 1 and one for the later rounds."""

    def accepts(value: tuple) -> bool:
        return _are_numbers(value) and len(value) == 2 and min(value) >= 0 and max(value) <= most

    return Check(f"a pair (round 1, later rounds), each 0 or more, at most {most}", accepts)


def folder() -> Check:
    """Accepts the path of a folder, or None."""
    return Check("a folder, or none", lambda value: value != "")


def file() -> Check:
    """Accepts the path of a file, or None."""
    return Check("a file, or none", lambda value: value != "")


def grey() -> Check:
    """Accepts a grey value, or None."""
    return Check("a grey value from 0 to 255, or none", lambda value: value is None or 0 <= value <= 255)


def regular_expression() -> Check:
    """Accepts a regular expression, or None."""
    return Check("a regular expression, or none", _compiles)


def is_finite(number: float) -> bool:
    """Returns whether a number is finite. Returns False for an integer that is too large for a float."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _compiles(text: str | None) -> bool:
    try:
        re.compile(text or "")
    except (re.error, OverflowError, RecursionError):  # for example a{9999999999}, or very many nested brackets
        return False
    return True


def _are_numbers(values: tuple) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) and is_finite(v) for v in values)
