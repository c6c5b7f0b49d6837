"""Measurement of the time and the memory that a segmenter takes on this machine."""

import itertools
import pathlib
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from PIL import Image

from .. import results
from ..files.images import UnreadableImage, read_image
from ..fit import to_square
from ..segmenter import Segmenter
from .plan import find_images

WARM_UP = 10  # the first calls are not timed, because they are slower: caches are empty, and the CPU's clock is low
RANDOM_SIZE = (640, 480)

T = TypeVar("T")


def measure(segmenter: Segmenter, source: pathlib.Path | None, runs: int, batch: int = 1) -> dict[str, np.ndarray]:
    """Measures the time of the model alone, and of all work from image file to mask. Masks are not written.

    Args:
        segmenter: `Segmenter`.
        source: an image, or a folder whose images are used one after another. None means a random image.
        runs: number of batches to time, 1 or more.
        batch: number of images in a call of the model, 1 or more.

    Returns:
        dict with "model alone" and "end to end". Both values are the seconds per image, float64 [run].

    Raises:
        ValueError: if there is no image, an image cannot be read, or `runs` or `batch` is below 1.
    """
    for name, number in {"runs": runs, "batch": batch}.items():
        if number < 1:
            raise ValueError(f"{name} is {number}, allowed: 1 or more")
    with tempfile.TemporaryDirectory() as folder:
        paths = itertools.cycle(find_images([source]) if source else [_random_image(pathlib.Path(folder))])
        batches = (list(itertools.islice(paths, batch)) for _ in range(WARM_UP + runs))
        timed = [_time(segmenter, paths) for paths in batches][WARM_UP:]
    return dict(zip(("model alone", "end to end"), np.transpose(timed) / batch, strict=True))


def _time(segmenter: Segmenter, paths: Sequence[pathlib.Path]) -> tuple[float, float]:
    """Measures a batch. Returns two times in seconds: of the model alone, and of all work from files to masks."""
    pixels = np.stack([_pixels(path, segmenter) for path in paths])

    def segment(paths: Sequence[pathlib.Path]) -> None:
        for probability in segmenter.probabilities(paths, batch=len(paths)):
            results.mask(probability)

    return _seconds(segmenter.predict, pixels), _seconds(segment, paths)


def _pixels(path: pathlib.Path, segmenter: Segmenter) -> np.ndarray:
    try:
        return to_square(read_image(path), segmenter.resolution, segmenter.fit)[0]
    except UnreadableImage as error:
        raise ValueError(f"{path} cannot be read: {error}") from error


def _seconds(function: Callable[[T], object], argument: T) -> float:
    started = time.perf_counter()
    function(argument)
    return time.perf_counter() - started


def _random_image(folder: pathlib.Path) -> pathlib.Path:
    width, height = RANDOM_SIZE
    path = folder / "random.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), "uint8")).save(path)
    return path


def report(times: Mapping[str, np.ndarray]) -> str:
    """Returns a table with the percentiles of the times from `measure`, and the peak memory."""
    lines = [f"{'':12}{'p50':>10}{'p90':>10}{'p99':>10}{'images/s':>12}"]
    for name, seconds in times.items():
        percentiles = "".join(f"{value * 1000:7.2f} ms" for value in np.percentile(seconds, (50, 90, 99)))
        lines.append(f"{name:12}{percentiles}{len(seconds) / seconds.sum():12.1f}")
    return "\n".join([*lines, f"peak memory {_peak_memory()}"])


def _peak_memory() -> str:
    """Returns the peak memory of this process as text. Only Linux reports the peak."""
    status = pathlib.Path("/proc/self/status")
    if not status.is_file():
        return "unknown: there is no /proc/self/status"
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return f"{int(peak.split()[1]) / 1024:.0f} MiB"
