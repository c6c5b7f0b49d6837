"""The command for images, which reads and segments the images and writes their results."""

import errno
import sys
import threading
from pathlib import Path

from PIL import Image

from ..files.atomic import save_png
from ..files.images import as_image
from ..files.printing import say
from ..progress import clear_line, progress
from ..results import Makers
from ..segmenter import Segmenter
from .plan import Targets

# Errors that concern only one file name. After other errors, such as a full disk, the next image would fail as well.
_NAME_ERRORS = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.EISDIR, errno.ENOTDIR, errno.EEXIST)


class OutputLost(OSError):
    """A result cannot be written, for example because the disk is full. The message names the result."""


def segment_images(
    segmenter: Segmenter, jobs: list[tuple[Path, Targets]], makers: Makers, stop: threading.Event
) -> tuple[int, int, int]:
    """Segments images until all are done or `stop` is set. If an image fails, its name is printed to stderr.

    Returns:
        How many images were segmented, how many failed, and how many of the segmented images replaced earlier results.

    Raises:
        OutputLost: if a result cannot be written. The results that were written before are kept.
    """
    done = failed = replaced = 0
    for path, targets in progress(jobs, "segmenting", len(jobs), "images"):
        if stop.is_set():
            break
        had_results = any(target.exists() for target in targets.values())
        try:
            _segment(segmenter, path, targets, makers)
            done += 1
            replaced += had_results
        except OutputLost as error:
            raise OutputLost(f"{error}; {done} of {len(jobs)} images were segmented before, {failed} failed") from error
        except Exception as error:  # an error in one image must not stop the others
            failed += 1
            clear_line()
            say(f"skipped {path}: {error}", sys.stderr)
    return done, failed, replaced


def _segment(segmenter: Segmenter, path: Path, targets: Targets, makers: Makers) -> None:
    image, alpha = as_image(path)
    probability = segmenter.segment((image, alpha))
    for kind, target in targets.items():
        _save(makers[kind](image, probability, alpha), target, image.info.get("dpi"))


def _save(result: Image.Image, target: Path, dpi: tuple[float, float] | None) -> None:
    try:
        save_png(result, target, dpi)
    except OSError as error:
        if error.errno in _NAME_ERRORS:
            raise
        raise OutputLost(f"cannot write {target}: {error.strerror or error}") from error
