"""Comparison of our segmenters with others: latency, size, memory and IoU on the same photos, as a Markdown table.

    python -m benchmarks.peers.fetch PEERS
    python -m tf2onnx.convert --saved-model EXPORT/saved_model --signature_def serving_default --opset 18 \\
        --output EXPORT/segmenter_float32.onnx
    python -m benchmarks.peers.compare --ours=EXPORT --peers=PEERS --photos=DIR --masks=MASKS

The commands need the packages of requirements.txt. EXPORT holds segmenter_*.tflite, which `export.main` wrote, and
the .onnx file that the second command makes for ONNX Runtime. Repeat --ours for each student of a run.

There is a process for each model and each number of threads. It runs the model without pre- and postprocessing. The
processes take turns, so other work on the machine slows all of them equally. The table shows the median over all calls
and, in brackets, the fastest call. On a busy machine, other work disturbs long calls. So the table also shows the CPU
time on one thread.

IoU is measured at each photo's own size. Each model gets the photo in the form that its documentation describes. Photos
without a mask do not count. By default (--half=test), the test photos of a run are used: every second photo with a
mask, in the order of their names.
"""

import os
import pathlib
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence

from absl import flags

from benchmarks.peers import fetch, segmenters
from benchmarks.peers.segmenters import Segmenter
from benchmarks.speed.turns import Worker
from export.evaluate import score
from tf_layered_gan.command_line import define_path, run_command

Models = dict[pathlib.Path, tuple[str, Callable[[pathlib.Path], Segmenter]]]

_PEERS = {  # for each file, the name of its model in the table and the function that opens it
    "mediapipe_selfie.tflite": ("MediaPipe selfie segmenter", segmenters.mediapipe_selfie),
    "u2netp.onnx": ("U²-Netp", segmenters.u2netp),
}
HALVES = {"validation": slice(0, None, 2), "test": slice(1, None, 2), "all": slice(None)}  # see `folder.reading.load`


def find_models(ours: Iterable[str | pathlib.Path], peers: str | pathlib.Path) -> Models:
    """Finds segmenter_*.tflite and segmenter_*.onnx in our folders, and the files that `fetch` wrote.

    Returns:
        dict from each file to a pair: the name of its model in the table, and the function that opens the file (see
        `segmenters`).

    Raises:
        ValueError: if one of our folders holds no model, or a peer's file is missing.
    """
    models: Models = {}
    for export in map(pathlib.Path, ours):
        files = sorted([*export.glob("segmenter_*.tflite"), *export.glob("segmenter_*.onnx")])
        if not files:
            raise ValueError(f"{export} holds no segmenter_*.tflite: export a run (python -m export.main)")
        models |= {file: (f"ours, {file}", segmenters.ours) for file in files}
    for file, entry in _PEERS.items():
        path = pathlib.Path(peers, file)
        if not path.is_file():
            raise ValueError(f"{path} does not exist: fetch it (python -m benchmarks.peers.fetch {peers})")
        models[path] = entry
    return models


def measure(
    paths: Iterable[pathlib.Path], threads: Sequence[int], rounds: int
) -> dict[tuple[pathlib.Path, int], dict[str, float]]:
    """Measures the time and the memory of each model with each number of threads. The processes take turns.

    Returns:
        dict by (path, threads). Each value is a dict. "median" and "least" are the median time and the least time of a
        call in ms. "cpu" is the median CPU time of a call in ms. "peak" is the process's peak memory in MiB. "before"
        is the peak memory in MiB before the model was loaded: the memory of Python, NumPy and the runtime.
    """
    command = [sys.executable, "-m", "benchmarks.peers.worker"]
    workers = {
        (path, count): Worker([*command, str(path.resolve()), str(count)]) for path in paths for count in threads
    }
    taken: dict[tuple[pathlib.Path, int], list] = {key: [] for key in workers}
    for _ in range(rounds):
        for key, worker in workers.items():
            taken[key] += worker.take("burst")[-1]
    return {key: _finish(worker, taken[key]) for key, worker in workers.items()}


def _finish(worker: Worker, taken: list) -> dict[str, float]:
    peak, before = worker.take("memory")[-1]
    worker.close()
    seconds, cpu = zip(*taken, strict=True)
    times = {"median": statistics.median(seconds), "least": min(seconds), "cpu": statistics.median(cpu)}
    return {name: 1000 * value for name, value in times.items()} | {"peak": peak, "before": before}


def format_table(models: Models, scores: Mapping, figures: Mapping, threads: Sequence[int]) -> str:
    """Formats a Markdown table with a row for each model. Peers whose weights were not found have a row too.

    Args:
        models: the models from `find_models`.
        scores: the results of `export.evaluate.score`, a dict by the name of the model in the table.
        figures: the results of `measure`.
        threads: the numbers of threads. The table has a column for each number.
    """
    latencies = [f"{count} thread{'s' * (count > 1)}, ms" for count in threads]
    head = ["segmenter", "KB", *latencies, "CPU, ms", "peak memory, MiB", "model's part", "IoU", "IoU per photo"]
    rows = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for path, (name, _) in models.items():
        first, metrics = figures[path, threads[0]], scores[name]
        row = [name, f"{path.stat().st_size / 1000:,.0f}", *(_latency(figures[path, count]) for count in threads)]
        row += [_milliseconds(first["cpu"]), f"{first['peak']:.0f}", f"{first['peak'] - first['before']:.0f}"]
        rows.append(row + [f"{metrics['iou']:.3f}", f"{metrics['iou_per_image']:.3f}"])
    rows += [[name, "not found"] + [""] * (len(head) - 2) for name in fetch.NOT_FOUND]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _latency(figure: dict[str, float]) -> str:
    return f"{_milliseconds(figure['median'])} ({_milliseconds(figure['least'])})"


def _milliseconds(value: float) -> str:
    return f"{value:.2f}" if value < 1 else f"{value:,.1f}"


def main() -> None:
    """Prints the table for the models that the flags name."""
    given = flags.FLAGS
    threads = list(map(int, given.threads))
    models = find_models(given.ours, given.peers)
    probabilities = {name: load(path) for path, (name, load) in models.items()}
    scores = score(probabilities, given.photos, given.masks, given.unlabelled, HALVES[given.half])
    load_before = os.getloadavg()[0]
    figures = measure(models, threads, given.rounds)
    print(format_table(models, scores, figures, threads))
    images = next(iter(scores.values()))["images"]
    print(f"\n{images} photos; {given.rounds} turns each, on {os.cpu_count()} cores.")
    print(f"Load, including these processes: {load_before:.1f} at the beginning, {os.getloadavg()[0]:.1f} at the end.")
    for name, tried in fetch.NOT_FOUND.items():
        print(f"{name} was not found in {tried}.")


if __name__ == "__main__":
    flags.DEFINE_multi_string("ours", None, "The folder export/ of a run or of one of its students.", required=True)
    define_path("peers", "The folder that fetch.py filled.", required=True)
    define_path("photos", "A folder of photos.", required=True)
    define_path("masks", "A folder of their masks.", required=True)
    flags.DEFINE_integer(
        "unlabelled", None, "Grey value of mask pixels without a label.", lower_bound=0, upper_bound=255
    )
    flags.DEFINE_enum("half", "test", list(HALVES), "Which of the photos with a mask are used.")
    flags.DEFINE_list("threads", ["1", "2"], "Numbers of threads. Every model runs with each number of threads.")
    flags.DEFINE_integer("rounds", 30, "Turns that each process takes.", lower_bound=1)
    run_command(main)
