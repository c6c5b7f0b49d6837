"""Suggestions for misspelt names."""

import difflib
from collections.abc import Iterable


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Returns "; did you mean NAME?" with the most similar known name, or "" if no known name is similar.

    Names may have sections, as in "gan.gamma_mi". The parts after the last dot are compared first. So the right name is
    found even if the section is wrong or missing.
    """
    full = {name.lower(): name for name in known}
    last = {_last(name): name for name in full}
    near = difflib.get_close_matches(_last(given.lower()), last, n=1, cutoff=0.8)
    found = last[near[0]] if near else next(iter(difflib.get_close_matches(given.lower(), full, n=1)), None)
    return f"; did you mean {full[found]}?" if found else ""


def _last(name: str) -> str:
    return name.rsplit(".", 1)[-1]
