"""The command on pictures: each read, segmented and its results written, or named and counted where that fails."""

import sys

from .pictures import read_picture
from .printing import printable
from .saving import save


def segment_pictures(segmenter, jobs, makers, stop):
    """Segments pictures until all are done or `stop` is set.

    Args:
        segmenter: `Segmenter`.
        jobs: list of (picture, {kind: path of its result}), see `plan`.
        makers: dict from kind to the function that makes a result of picture and probability.
        stop: threading.Event.

    Returns:
        int, int: how many were segmented, and how many failed.
    """
    done = failed = 0
    for path, targets in jobs:
        if stop.is_set():
            break
        try:
            _segment(segmenter, path, targets, makers)
            done += 1
        except Exception as error:  # broken files make Pillow raise almost anything
            failed += 1
            print(printable(f"skipped {path}: {type(error).__name__}: {error}"), file=sys.stderr)
    return done, failed


def _segment(segmenter, path, targets, makers):
    picture = read_picture(path)
    probability = segmenter.probability(picture)
    for kind, target in targets.items():
        save(makers[kind](picture, probability), target)
