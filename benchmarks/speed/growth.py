"""Measurement of how the cost of training grows with each setting. For each setting, the command fits an exponent and
draws the fitted line.

    python -m benchmarks.speed.growth --output=benchmarks/speed/growth.png

Each axis is a setting. Each axis except `photos` changes one setting of the GAN's training step. The other settings of
the step are small: 32 pixels, networks of width 8 without residual blocks, batches of 16, 100 categories, one device.
The step is the same as in training, with a batch in memory. For the cost of replicas see `benchmarks.speed.replicas`.
The axis `photos` is the number of photos in a dataset. For this axis, the command measures the time to read a batch of
16 training photos. This time includes looking up which photos come next in the epoch.

A point is the median CPU time of a few turns. The points of an axis take turns, so other work on the machine slows all
of them equally. A line is fitted through the points on a log-log scale. Its slope is the exponent: the time grows like
value ** exponent. With an exponent of 1, twice the value takes twice the time.
"""

import functools
import itertools
import pathlib
import statistics
import time
from collections.abc import Callable, Mapping

from tf_layered_gan import startup  # noqa: F401  # isort: skip

import matplotlib

matplotlib.use("Agg")  # this backend works on machines without a screen

import numpy as np
import tensorflow as tf
from absl import flags
from matplotlib import pyplot

from benchmarks.speed.gan_step import prepare, row_config
from tf_layered_gan.command_line import define_path, run_command
from tf_layered_gan.config import validate
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.data.pipeline import Share, photo_batch

Points = Mapping[int, float]  # seconds by value

_BASE = {"resolution": 32, "width": 8, "batch": 16, "categories": 100}
_AXES = {  # the unit and the values of each axis
    "resolution": ("pixels a side", (16, 32, 64)),
    "width": ("channels", (8, 16, 32)),
    "batch": ("images", (16, 32, 64)),
    "categories": ("categories", (10, 100, 1_000)),
    "photos": ("photos", (1_000, 10_000, 100_000, 1_000_000)),
}
_READS = 20  # number of batches that are read in a turn


@functools.cache
def gan_step(resolution: int, width: int, batch: int, categories: int) -> Callable[[], object]:
    """Returns the GAN's training step. It has been called once, because the first call traces it."""
    config = row_config(resolution, width, batch)
    config.networks.residual_blocks, config.codes.num_categories = 0, categories
    validate(config)
    _, step, _ = prepare(config, uses_segmenter=False)
    step()
    return step


def photo_reader(count: int) -> Callable[[], object]:
    """Returns a function that reads some batches from a dataset of `count` black photos."""
    size = _BASE["resolution"]
    photos = Photos(np.zeros((count, size, size, 3), np.uint8), None, ("",) * count)
    size_of_batch = _BASE["batch"]
    read = photo_batch(photos, batch_size=size_of_batch, resolution=size, crop_scale=(0.8, 1.0), flip=True, seed=0)
    batch = tf.function(lambda step: read(step, Share(0, size_of_batch))["image"], autograph=False)
    steps = itertools.count()
    return lambda: [batch(tf.constant(next(steps), tf.int64)) for _ in range(_READS)]


def measure(calls: Mapping[int, Callable[[], object]], turns: int) -> dict[int, float]:
    """Calls the functions in turn. Returns the median CPU seconds of each function."""
    taken: dict[int, list[float]] = {value: [] for value in calls}
    for turn in range(turns + 1):
        for value, call in calls.items():
            start = time.process_time()
            call()
            if turn:  # the first turn is not timed, because it fills the caches
                taken[value].append(time.process_time() - start)
    return {value: statistics.median(seconds) for value, seconds in taken.items()}


def exponent(points: Points) -> float:
    """Returns the slope of the line that is fitted through the points on a log-log scale."""
    return float(np.polyfit(np.log(list(points)), np.log(list(points.values())), 1)[0])


def draw(found: Mapping[str, Points], output: pathlib.Path) -> None:
    """Draws each axis with its fitted line into one PNG file."""
    figure, grid = pyplot.subplots(1, len(found), figsize=(3.4 * len(found), 3.2), layout="constrained")
    for axes, (name, points) in zip(grid, found.items(), strict=True):
        values, milliseconds = np.array(list(points)), 1000 * np.array(list(points.values()))
        slope = exponent(points)
        middle = np.exp(np.log(milliseconds).mean()) * (values / np.exp(np.log(values).mean())) ** slope
        axes.loglog(values, milliseconds, "o", label="measured")
        axes.loglog(values, middle, "-", label=f"exponent {slope:.2f}")
        axes.set(xlabel=f"{name}, {_AXES[name][0]}", ylabel="CPU time, ms", xticks=values)
        axes.set_xticks(values, [f"{value:,}" for value in values])
        axes.minorticks_off()
        axes.set_ylim(milliseconds.min() / 2, milliseconds.max() * 2)
        axes.set_title("a batch of photos" if name == "photos" else "a training step")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(output, dpi=90, metadata={"Software": None})
    pyplot.close(figure)


def measure_axis(name: str, turns: int) -> dict[int, float]:
    """Measures the points of an axis."""
    values = _AXES[name][1]
    if name == "photos":
        found = measure({value: photo_reader(value) for value in values}, turns)
        return {value: seconds / _READS for value, seconds in found.items()}
    return measure({value: gan_step(**(_BASE | {name: value})) for value in values}, turns)


def main() -> None:
    """Measures all axes, prints a table and draws the axes."""
    found = {}
    for name in _AXES:
        found[name] = measure_axis(name, flags.FLAGS.turns)
        points = ", ".join(f"{value:,}: {1000 * seconds:.2f}" for value, seconds in found[name].items())
        print(f"| {name} | {points} | {exponent(found[name]):.2f} |", flush=True)
    draw(found, pathlib.Path(flags.FLAGS.output))
    print(f"wrote {flags.FLAGS.output}")


if __name__ == "__main__":
    define_path("output", "The PNG file to write.", required=True)
    flags.DEFINE_integer("turns", 5, "Timed turns of each point.", lower_bound=1)
    run_command(main)
