"""The command for images: reads and segments each, and writes its results."""

import sys
import threading
from pathlib import Path

from ..files.atomic import save_png
from ..files.images import read_image
from ..files.printing import printable
from ..results import Makers
from ..segmenter import Segmenter
from .plan import Targets


def segment_images(
    segmenter: Segmenter, jobs: list[tuple[Path, Targets]], makers: Makers, stop: threading.Event
) -> tuple[int, int]:
    """Segments images until all are done or `stop` is set. An image that fails is named on stderr.

    Returns:
        How many images were segmented, and how many failed.
    """
    done = failed = 0
    for path, targets in jobs:
        if stop.is_set():
            break
        try:
            _segment(segmenter, path, targets, makers)
            done += 1
        except Exception as error:  # an error in one image must not stop the others
            failed += 1
            print(printable(f"skipped {path}: {error}"), file=sys.stderr)
    return done, failed


def _segment(segmenter: Segmenter, path: Path, targets: Targets, makers: Makers) -> None:
    image = read_image(path)
    probability = segmenter.probability(image)
    for kind, target in targets.items():
        save_png(makers[kind](image, probability), target)
