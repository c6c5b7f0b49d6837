"""The time between two training steps of the GAN.

    python -m benchmarks.speed.between_steps shapes small

In this time, the loop takes the next batch, sets the learning rates and checks the report of the step. The arguments
are names of configs. The command trains a run with each config in a temporary directory, in the loop of `training.run`.
The photos are made up, see `start_up.write_photos`. The command prints a Markdown table of medians. The last column is
the time between steps, divided by the time of the whole loop. A call that takes several steps at once could save at
most this share of the time.
"""

import dataclasses
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from tf_layered_gan import startup  # noqa: F401  # isort: skip

from absl import app, flags
from ml_collections import ConfigDict

from benchmarks.speed.start_up import write_photos
from tf_layered_gan.command_line import command_errors
from tf_layered_gan.config import shipped
from tf_layered_gan.training.phases import gan_phase
from tf_layered_gan.training.session import open_session

_WARM_UP = 5  # steps


def timed(step: Callable, spans: list[tuple[float, float]]) -> Callable:
    """Returns a step that also appends the start and end time of each call to `spans`."""

    def take(batch: tuple) -> Any:
        begin = time.perf_counter()
        report = step(batch)
        values = {name: value.numpy() for name, value in report.items()}  # waits until a GPU has finished
        spans.append((begin, time.perf_counter()))
        return values

    return take


def summary(spans: list[tuple[float, float]]) -> tuple[float, float, float]:
    """Summarises the times of the steps.

    Returns:
        the median seconds of a step, the median seconds between steps, and the time between steps divided by the time
        of the whole loop.
    """
    steps = [end - begin for begin, end in spans[1:]]
    between = [begin - end for (_, end), (begin, _) in zip(spans, spans[1:], strict=False)]
    return statistics.median(steps), statistics.median(between), sum(between) / (sum(between) + sum(steps))


def measure(config: ConfigDict, workdir: pathlib.Path, steps: int) -> list[tuple[float, float]]:
    """Trains the GAN of a new run. Returns when each step began and ended."""
    config.schedule.gan_images_per_round = steps * config.batch_size
    spans: list[tuple[float, float]] = []
    with open_session(config, workdir) as session:
        run = next(session.attempts())
        phase = gan_phase(run, 1)
        run.take(dataclasses.replace(phase, step=timed(phase.step, spans), after=lambda: None))
    return spans[_WARM_UP:]


def main(argv: list[str]) -> None:
    """Prints the table."""
    with command_errors(), tempfile.TemporaryDirectory() as place:
        write_photos(pathlib.Path(place, "photos"), flags.FLAGS.photos)
        print("| config | step, ms | between steps, ms | share |\n| --- | ---: | ---: | ---: |")
        for name in argv[1:]:
            config = shipped.load(name, {"data.path": f"{place}/photos"})
            step, between, share = summary(measure(config, pathlib.Path(place, name), flags.FLAGS.steps))
            print(f"| {name} | {1000 * step:.1f} | {1000 * between:.2f} | {share:.1%} |", flush=True)


if __name__ == "__main__":
    flags.DEFINE_integer("steps", 200, "Steps of each config.", lower_bound=_WARM_UP + 2)
    flags.DEFINE_integer("photos", 500, "Number of photos to make up.", lower_bound=3)
    app.run(main)
