"""Comparison of the speed of this program with the speed of other programs (the *peers*), on the CPU.

    python3.11 -m venv .venv-after
    .venv-after/bin/pip install -r benchmarks/speed/after_training/requirements.txt
    python -m benchmarks.peers.fetch PEERS
    python -m benchmarks.speed.after_training.compare --peers_python=.venv-after/bin/python --peers=PEERS \\
        --model=EXPORT/segmenter_int8.tflite --photos=FLOWERS,CARS

Each row compares one task: a metric, the decoding of photos, or a run of `edge-segmenter`. One side is this program,
and the other side is the peer. For Inception, the network of FID, both sides use the same random weights, so no weights
are downloaded. The same number of photos is copied from each folder in --photos to a temporary folder.

Each side has its own process, and the processes take turns, so other work on the machine slows both equally. The first
turn of a row is not timed. In this turn, the results of both sides are compared. Features, FID, the adjusted Rand index
and the segmentation covering may differ only by rounding. The mean colours of decoded photos may differ by up to 1 on
the scale from 0 to 255, because the two sides resize differently. The command prints the ratio of the two speeds, which
is the median over the pairs of turns. A ratio above 1 means that our side is faster.
"""

import os
import pathlib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence

import numpy as np
from absl import flags

from benchmarks.speed.after_training.rows import Row, all_rows
from benchmarks.speed.turns import Worker, describe_ratio
from edge_segmenter.files.finding import list_images
from tf_layered_gan.command_line import define_path, run_command

_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # variables that NumPy, PyTorch and ONNX Runtime read


def copy_photos(folders: Sequence[str], count: int, target: pathlib.Path) -> int:
    """Copies the same number of photos from each folder. Returns the number of copies.

    The copied photos are evenly spaced in the list of the photos of their folder.
    """
    target.mkdir()
    each = count // len(folders)
    for i, folder in enumerate(folders):
        found = list_images(folder).images
        if len(found) < each:
            raise ValueError(f"{folder} has {len(found)} photos, needed: {each}")
        for k in range(each):
            photo = found[k * len(found) // each]
            shutil.copy(photo, target / f"{i}_{k:05}{photo.suffix}")
    return each * len(folders)


def check(row: Row, ours: object, theirs: object) -> float:
    """Returns the largest difference between the results of both sides.

    If `row.allowed` is less than 1, differences are relative to the peer's value wherever the peer's value is above 1.
    Elsewhere they are absolute.

    Raises:
        ValueError: if the difference is larger than the row allows.
    """
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"{row.name}: our result has the shape {a.shape}, the peer's result {b.shape}")
    found = float((abs(a - b) / np.maximum(1, abs(b) if row.allowed < 1 else 1)).max())
    if not found <= row.allowed:
        raise ValueError(f"{row.name}: the results differ by {found:.2g}, allowed: {row.allowed:.2g}")
    return found


def measure(row: Row, ours: Worker, peer: Worker) -> str:
    """Compares the results of both sides for a row, times both sides, and returns the line that describes the row."""
    found = check(row, ours.take(row.name)[-1], peer.take(row.name)[-1])
    pairs = [(ours.take(row.name)[:2], peer.take(row.name)[:2]) for _ in range(row.pairs)]
    sides = list(zip(*pairs, strict=True))
    rates = [row.count / statistics.median(seconds for seconds, _ in turns) for turns in sides]
    about = f"{row.name:10} ours {rates[0]:10,.3f} {row.unit}/s  peer {rates[1]:10,.3f}  "
    return f"{about}{describe_ratio(*sides)}  differs by {found:.1e}  {row.about}"


def main() -> None:
    """Measures the rows that the flags name."""
    given = flags.FLAGS
    with tempfile.TemporaryDirectory() as folder:
        photos = copy_photos(given.photos, given.count, pathlib.Path(folder, "photos"))
        rows = all_rows(photos, given.edge_photos, given.pairs)
        edge = next(row.count for row in rows if row.name == "edge")
        environment = os.environ | dict.fromkeys(_SETTINGS, str(given.threads))
        home = {"U2NET_HOME": str(pathlib.Path(given.peers).resolve())}
        arguments = [folder, str(given.threads)]
        model = str(pathlib.Path(given.model).resolve())
        module = "benchmarks.speed.after_training."
        ours = Worker([sys.executable, "-m", f"{module}ours", *arguments, model, str(edge)], environment)
        peer = Worker([given.peers_python, "-m", f"{module}peer", *arguments], environment | home)
        for row in rows:
            if row.name in (given.rows or row.name):
                print(measure(row, ours, peer), flush=True)
        ours.close()
        peer.close()
    print(f"{given.threads} threads, load average {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    define_path("peers_python", "A Python interpreter that has the packages in requirements.txt.", required=True)
    define_path("peers", "The folder that benchmarks.peers.fetch filled.", required=True)
    define_path("model", "Our .tflite file.", required=True)
    flags.DEFINE_list("photos", None, "Folders of photos.", required=True)
    flags.DEFINE_list("rows", [], "Names of rows; default: all.")
    flags.DEFINE_integer("count", 500, "Photos to copy.", lower_bound=100)
    flags.DEFINE_integer("edge_photos", 1_000, "Photos that edge-segmenter segments.", lower_bound=10)
    flags.DEFINE_integer("pairs", 15, "Turns of each side; slow rows have fewer turns.", lower_bound=2)
    flags.DEFINE_integer("threads", 1, "Threads of each side.", lower_bound=1)
    run_command(main)
