"""The time of the GAN's training step, split by network and by kind of operation.

    python -m benchmarks.speed.step_profile --resolution=64 --width=32

The step is the same as in a row of `train_step`. TensorFlow's profiler measures the operations of the step, and slows
the step a little. With several threads, operations run at the same time, so the sum of their times is larger than the
time of the step.
"""

import collections
import pathlib
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from absl import flags

from benchmarks.speed import gan_step  # isort: skip

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from tf_layered_gan.command_line import run_command

_NETWORKS = ("background_generator", "foreground_generator", "discriminator", "mask_encoder", "unet")
# Operations of these kinds contain other operations, so their time would be counted twice.
_CONTAINERS = ("PartitionedCall", "StatefulPartitionedCall")
_EVENT = re.compile(r"(?P<path>[\w./-]+):(?P<op>\w+)")
_WARM_UP = 2  # steps


class Operation(NamedTuple):
    """One execution of an operation.

    Attributes:
        network: the network that the operation belongs to, or "other".
        backward: whether it computes gradients.
        kind: the kind of operation, such as "Conv2D". Prefixes of CPU kernels, such as "_Mkl", are left out.
        milliseconds: its time.
    """

    network: str
    backward: bool
    kind: str
    milliseconds: float


def parse(event: str, milliseconds: float) -> Operation | None:
    """Reads an event of the profiler, "PATH:KIND". Returns None if the event is not an operation."""
    match = _EVENT.fullmatch(event)
    if not match or match["op"] in _CONTAINERS:
        return None
    network = next((name for name in _NETWORKS if name in match["path"]), "other")
    kind = re.sub("^_(MklNative|Mkl)?", "", match["op"])
    return Operation(network, match["path"].startswith("gradient_tape/"), kind, milliseconds)


def profile(step: Callable[[], object], steps: int) -> Iterator[Operation]:
    """Runs steps under the profiler. Yields their operations."""
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            for _ in range(steps):
                step()
        (path,) = pathlib.Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            if operation := parse(plane.event_metadata[event.metadata_id].name, event.duration_ps / 1e9):
                yield operation


def format_tables(operations: Iterable[Operation], steps: int, most: int) -> str:
    """Formats two Markdown tables: the time of each network, and the time of the slowest kinds of operations.

    Args:
        operations: the operations of some steps.
        steps: the number of these steps.
        most: the largest number of rows in the second table.
    """
    by_network: dict[tuple[str, bool], float] = collections.defaultdict(float)
    by_kind: dict[str, float] = collections.defaultdict(float)
    calls: dict[str, int] = collections.defaultdict(int)
    for operation in operations:
        by_network[operation.network, operation.backward] += operation.milliseconds / steps
        by_kind[operation.kind] += operation.milliseconds / steps
        calls[operation.kind] += 1
    total = sum(by_kind.values())
    lines = ["| network | forward, ms | backward, ms | share |", "| --- | ---: | ---: | ---: |"]
    for name in (*_NETWORKS, "other"):
        forward, backward = by_network[name, False], by_network[name, True]
        lines.append(f"| {name} | {forward:.1f} | {backward:.1f} | {(forward + backward) / total:.1%} |")
    lines += ["", "| operation | in a step | ms | share |", "| --- | ---: | ---: | ---: |"]
    for kind, milliseconds in sorted(by_kind.items(), key=lambda item: -item[1])[:most]:
        lines.append(f"| {kind} | {calls[kind] // steps} | {milliseconds:.1f} | {milliseconds / total:.1%} |")
    return "\n".join(lines)


def main() -> None:
    """Prints the tables of the step that the flags describe."""
    given = flags.FLAGS
    config = gan_step.row_config(given.resolution, given.width)
    _, step, _ = gan_step.prepare(config, uses_segmenter=given.round > 1)
    for _ in range(_WARM_UP):
        step()
    start = time.perf_counter()
    for _ in range(given.steps):
        step()
    seconds = (time.perf_counter() - start) / given.steps
    print(format_tables(profile(step, given.steps), given.steps, given.most))
    print(f"\nWithout the profiler, a step takes {1000 * seconds:.0f} ms: {config.batch_size / seconds:.1f} images/s.")


if __name__ == "__main__":
    flags.DEFINE_integer("resolution", 64, "Pixels.", lower_bound=16)
    flags.DEFINE_integer("width", 16, "Channels of G_b, G_f and D.", lower_bound=1)
    flags.DEFINE_integer("round", 1, "From round 2 on, the background loss applies.", lower_bound=1)
    flags.DEFINE_integer("steps", 5, "Steps to profile.", lower_bound=1)
    flags.DEFINE_integer("most", 20, "At most this many kinds of operations are in the second table.", lower_bound=1)
    run_command(main)
