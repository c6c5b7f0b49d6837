"""How long a segmenter takes on this machine, and how much memory."""

import itertools
import pathlib
import tempfile
import time

import numpy as np
from PIL import Image

from . import results
from .letterbox import letterbox
from .pictures import read_picture
from .plan import find_pictures

WARM_UP = 10  # runs that are not timed: caches fill, the clock of the processor rises
RANDOM_SIZE = (640, 480)


def measure(segmenter, source, runs, batch=1):
    """Times the model alone, and all from a picture's file to its mask, which is not written.

    Args:
        segmenter: `Segmenter`.
        source: pathlib.Path of a picture or a folder, whose pictures are taken in turn; None for a random picture.
        runs: int, 1 or more, how many batches are timed.
        batch: int, 1 or more, how many pictures the model takes in a call.

    Returns:
        dict from "model alone" and "end to end" to float64 [run], seconds a picture.

    Raises:
        ValueError: for no picture, one that cannot be read, or no number of runs or of pictures.
    """
    for name, number in {"runs": runs, "batch": batch}.items():
        if number < 1:
            raise ValueError(f"{name} must be 1 or more, got {number}")
    with tempfile.TemporaryDirectory() as folder:
        paths = itertools.cycle(find_pictures(source) if source else [_random_picture(pathlib.Path(folder))])
        batches = (list(itertools.islice(paths, batch)) for _ in range(WARM_UP + runs))
        timed = [_time(segmenter, paths) for paths in batches][WARM_UP:]
    return dict(zip(("model alone", "end to end"), np.transpose(timed) / batch, strict=True))


def _time(segmenter, paths):
    """Returns the seconds that the model takes on a batch of pictures, and those from their files to their masks."""
    pixels = np.stack([_pixels(path, segmenter.resolution) for path in paths])

    def segment(paths):
        for probability in segmenter.probabilities(paths, batch=len(paths)):
            results.mask(probability)

    return _seconds(segmenter.predict, pixels), _seconds(segment, paths)


def _pixels(path, resolution):
    try:
        return letterbox(read_picture(path), resolution)[0]
    except Exception as error:  # broken files make Pillow raise almost anything
        raise ValueError(f"{path} cannot be read: {error}") from error


def _seconds(function, argument):
    started = time.perf_counter()
    function(argument)
    return time.perf_counter() - started


def _random_picture(folder):
    width, height = RANDOM_SIZE
    path = folder / "random.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), "uint8")).save(path)
    return path


def report(times):
    """Returns the percentiles of `measure`'s times, and the peak memory, as a table."""
    lines = [f"{'':12}{'p50':>10}{'p90':>10}{'p99':>10}{'pictures/s':>12}"]
    for name, seconds in times.items():
        percentiles = "".join(f"{value * 1000:7.2f} ms" for value in np.percentile(seconds, (50, 90, 99)))
        lines.append(f"{name:12}{percentiles}{len(seconds) / seconds.sum():12.1f}")
    return "\n".join([*lines, f"peak memory {_peak_memory()}"])


def _peak_memory():
    """Returns in words the most that this process has held in memory, in MiB, which Linux alone states."""
    status = pathlib.Path("/proc/self/status")
    if not status.is_file():
        return "unknown: there is no /proc/self/status"
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return f"{int(peak.split()[1]) / 1024:.0f} MiB"
