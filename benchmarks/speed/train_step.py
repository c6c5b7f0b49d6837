"""Comparison of the speed of the GAN's training step with the same step in PyTorch, on the CPU.

    python3.11 -m venv .venv-torch
    .venv-torch/bin/pip install -r benchmarks/speed/torch_step/requirements.txt
    python -m benchmarks.speed.train_step --torch_python=.venv-torch/bin/python

Each row has a resolution, a width (of G_b, G_f and D) and a round. From round 2 on, the background loss is used, with a
U-Net of width 8. All other settings are the paper's (batches of 32). A training step begins with a step of
power iteration and a forward pass. Then G_b and G_f are updated, and after them D, E_x and E_pi. At the end, the moving
average of the generators' weights is updated. The batch is in memory, so reading photos and drawing codes do not count.

Both sides start with the same weights. Before the timing, the reports of the first steps are compared. A report has the
loss terms and the norms of the gradients. Each side has its own process, and the processes take turns, so other work on
the machine slows all of them equally. The line of each side ends with its speed as a percentage of the speed of a large
matrix product. The product takes turns with the steps. It is measured with both libraries, and the figure of the faster
library is used.
"""

import json
import os
import pathlib
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence

from absl import flags

from benchmarks.speed.turns import Turn, Worker, describe_ratio
from tf_layered_gan.command_line import define_path, run_command

OURS = "ours"
# With these settings, glibc keeps freed memory. Without them, glibc returns the memory of each large tensor to the
# system, and PyTorch's step at 128 pixels takes 1.4 times as long. TensorFlow's step takes the same time with and
# without them, so our side runs without them.
_KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**34),
    "MALLOC_TOP_PAD_": str(2**26),
}
_PRODUCT = 2 * 2048**3 / 1e9  # GFLOP of the matrix product in the workers
_FIRST = 1e-4  # allowed difference between the reports of the first step; for values above 1, the relative difference
_ROUNDED = 0.1  # the same if a side computes in bfloat16, for all steps
_STEPS_COMPARED = 3
# Allowed difference in later steps. It is larger than in the first step, because the length of Adam's first steps does
# not depend on the size of the gradient, so rounding errors grow.
_LATER = 0.05

Report = Mapping[str, float]


def difference(ours: Report, theirs: Report) -> float:
    """Returns the largest difference between two reports of a step. For values above 1, the difference is relative.

    Raises:
        ValueError: if the two reports do not have the same names.
    """
    if ours.keys() != theirs.keys():
        raise ValueError(f"only one side reports {', '.join(sorted(ours.keys() ^ theirs.keys()))}")
    return max(abs(theirs[name] - value) / max(1.0, abs(value)) for name, value in ours.items())


def compare_first_steps(workers: Mapping[str, Worker], rounded: bool = False) -> dict[str, float]:
    """Takes the first steps, which are not timed, and compares their reports.

    Args:
        workers: our worker and the others.
        rounded: whether a worker computes in bfloat16.

    Returns:
        dict: its keys are the names of all workers except ours. Each value is the difference between the reports of
            this worker's first step and of our first step.

    Raises:
        ValueError: if a report of another worker differs too much from ours.
    """
    first: dict[str, float] = {}
    for number in range(_STEPS_COMPARED):
        reports = {name: worker.take("step")[-1] for name, worker in workers.items()}
        for name in [name for name in reports if name != OURS]:
            found, allowed = difference(reports[OURS], reports[name]), _LATER if number else _FIRST
            allowed = _ROUNDED if rounded else allowed
            if not found <= allowed:
                raise ValueError(f"step {number + 1} of {name} differs from ours by {found:.2g}, allowed: {allowed}")
            first.setdefault(name, found)
    return first


def take_turns(workers: Mapping[str, Worker], pairs: int) -> tuple[dict[str, list[Turn]], float]:
    """Lets the workers take turns.

    Returns:
        A pair. First, a dict with the seconds and the CPU seconds of every step of each worker. Second, the median
        GFLOP/s of the matrix product in the faster library.
    """
    steps: dict[str, list] = {name: [] for name in workers}
    products: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(pairs):
        for name, worker in workers.items():
            steps[name].append(worker.take("step")[:2])
            products[name].append(worker.take("product")[0])
    return steps, _PRODUCT / min(map(statistics.median, products.values()))


def describe(batch_size: int, gflop: float, steps: Mapping[str, Sequence], product: float) -> list[str]:
    """Describes a row of the comparison. Each side has a line with its speed, and each side except ours has a ratio.

    A ratio is our images per second divided by those of the other side. The line of a ratio has the median over the
    pairs of turns, and the first and third quartile.

    Args:
        batch_size: images in a step.
        gflop: the arithmetic of a step in GFLOP.
        steps, product: see `take_turns`.
    """
    lines, ours = [], steps[OURS]
    for name, turns in steps.items():
        seconds, cpu = (statistics.median(values) for values in zip(*turns, strict=True))
        share = gflop / seconds / product
        lines.append(
            f"  {name:14} {batch_size / seconds:8.1f} images/s  {1000 * seconds:8.0f} ms  CPU {1000 * cpu:8.0f} ms  "
            f"{gflop / seconds:6.1f} GFLOP/s  {share:4.0%} of the matrix product"
        )
    for name in [name for name in steps if name != OURS]:
        lines.append(f"  {name}: {describe_ratio(ours, steps[name])}")
    return lines


def measure(row: str, number: str, given: flags.FlagValues) -> None:
    """Measures a row in one round and prints it."""
    resolution, width = row.split(":")
    threads = str(given.threads)
    environment = os.environ | _KEEP_MEMORY | {"OMP_NUM_THREADS": threads}
    with tempfile.TemporaryDirectory() as folder:
        ours = [sys.executable, "-m", "benchmarks.speed.gan_step", folder, resolution, width, number, threads]
        ours += [given.precision]
        workers = {OURS: Worker(ours)}
        torch = [given.torch_python, "-m", "benchmarks.speed.torch_step.worker", folder]
        workers |= {f"torch {way}": Worker([*torch, way, threads], environment) for way in given.torch}
        settings = json.loads(pathlib.Path(folder, "settings.json").read_text())
        differences = compare_first_steps(workers, "bfloat16" in (given.precision, *given.torch))
        steps, product = take_turns(workers, given.pairs)
        for worker in workers.values():
            worker.close()
    print(f"{resolution} px, width {width}, round {number}: {settings['gflop']:.1f} GFLOP a step; ", end="")
    print(f"matrix product {product:.1f} GFLOP/s; ", end="")
    print("; ".join(f"first step of {name} differs from ours by {found:.1e}" for name, found in differences.items()))
    print("\n".join(describe(settings["batch_size"], settings["gflop"], steps, product)), flush=True)


def main() -> None:
    """Measures the rows that the flags name."""
    given = flags.FLAGS
    for row in given.rows:
        for number in given.rounds:
            measure(row, number, given)
    print(f"{given.pairs} pairs, {given.threads} threads, load average {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    define_path("torch_python", "A Python interpreter with the packages in torch_step/requirements.txt.", required=True)
    flags.DEFINE_list("rows", ["32:16", "64:16", "64:32", "128:16"], "Each RESOLUTION:WIDTH.")
    flags.DEFINE_list("rounds", ["1", "2"], "Rounds whose step is measured. From 2 on, all rounds have the same step.")
    flags.DEFINE_enum("precision", "float32", ["float32", "bfloat16"], "The precision of our step.")
    flags.DEFINE_list(
        "torch",
        ["eager", "compile"],
        "Ways to run PyTorch: eager, compile or bfloat16. Compiling takes minutes for each row.",
    )
    flags.DEFINE_integer("pairs", 15, "Turns of each side.", lower_bound=2)
    flags.DEFINE_integer("threads", len(os.sched_getaffinity(0)), "Threads of each side.", lower_bound=1)
    run_command(main)
