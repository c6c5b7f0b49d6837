"""Comparison of three speeds: reading photos, making batches, and taking training steps.

    python -m benchmarks.speed.data_speed 64 128

The arguments are resolutions. The networks are those of `--config=folder`. The photos are made up, see
`start_up.write_photos`. The command prints a Markdown table. *Reading* means decoding the photos into the cache, which
happens once in a run. *Batches* are the photos and random draws that the GAN's steps need. In the row *batches, one of
two workers*, a single worker makes its half of each batch, but the speed counts the images of whole batches. The last
column is the speed of the row divided by the speed of the training step. Each row is measured alone. A value of 2 in
this column means that the data takes half as long as the step.
"""

import pathlib
import tempfile
import time
from collections.abc import Callable, Iterator

import tensorflow as tf
from absl import app, flags
from ml_collections import ConfigDict

from benchmarks.speed.start_up import write_photos
from configs import folder as folder_config
from tf_layered_gan.command_line import command_errors
from tf_layered_gan.data import sources
from tf_layered_gan.models import build
from tf_layered_gan.training.batches import Batches
from tf_layered_gan.training.devices import distribution


class _SecondOfTwo:
    """A replacement for a `tf.distribute` strategy. It makes the datasets of the second of two workers."""

    def distribute_datasets_from_function(self, dataset: Callable) -> tf.data.Dataset:
        return dataset(tf.distribute.InputContext(2, 1, 2))


def _seconds(take: Callable[[], object], seconds: float) -> float:
    """Returns the mean time of a call. The first call is not timed."""
    take()
    begin, calls = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds or calls < 3:
        take()
        calls += 1
    return (time.perf_counter() - begin) / calls


def _speeds(config: ConfigDict, cache: pathlib.Path, seconds: float) -> Iterator[tuple[str, float]]:
    """Yields the name of each row and its images per second. The training step comes first."""
    begin = time.perf_counter()
    splits = sources.load_photos(config, cache)
    reading = sum(len(split) for split in (splits.train, splits.validation, splits.test)) / (
        time.perf_counter() - begin
    )
    strategy = tf.distribute.get_strategy()
    gan = build.build_gan(config, build.build_segmenter(config))
    gan.uses_segmenter = False  # without the background loss, the step is fastest
    batches = iter(Batches(config, splits, strategy).gan(0))
    batch, step = next(batches), distribution.distributed_step(strategy, gan.train_step, jit=False)
    yield "training step, the fastest", config.batch_size / _seconds(lambda: step((batch,)), seconds)
    yield "reading photos", reading
    yield "batches", config.batch_size / _seconds(lambda: next(batches), seconds)
    worker = iter(Batches(config, splits, _SecondOfTwo()).gan(0))
    yield "batches, one of two workers", config.batch_size / _seconds(lambda: next(worker), seconds)


def main(argv: list[str]) -> None:
    """Prints the table."""
    with command_errors(), tempfile.TemporaryDirectory() as place:
        write_photos(pathlib.Path(place, "photos"), flags.FLAGS.photos)
        print("| resolution | | images/s | times the step |\n| --- | --- | ---: | ---: |")
        for resolution in map(int, argv[1:]):
            config = folder_config.get_config()
            config.resolution, config.data.path = resolution, f"{place}/photos"
            rows = dict(_speeds(config, pathlib.Path(place, "cache"), flags.FLAGS.seconds))
            for name, speed in rows.items():
                ratio = speed / rows["training step, the fastest"]
                print(f"| {resolution} | {name} | {speed:,.0f} | {ratio:.1f} |", flush=True)


if __name__ == "__main__":
    flags.DEFINE_float("seconds", 10, "How many seconds to measure the step and each row of batches.", lower_bound=0)
    flags.DEFINE_integer("photos", 500, "Number of photos to make up.", lower_bound=3)
    app.run(main)
