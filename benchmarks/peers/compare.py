"""Our segmenters side by side with others: latency, size, memory, and IoU on the same photos, as a Markdown table.

    python -m benchmarks.peers.fetch PEERS
    python -m tf2onnx.convert --saved-model EXPORT/saved_model --signature_def serving_default --opset 18 \\
        --output EXPORT/segmenter_float32.onnx
    python -m benchmarks.peers.compare --ours=EXPORT --peers=PEERS --photos=DIR --masks=MASKS

It takes an environment of its own, see requirements.txt. EXPORT holds segmenter_*.tflite of `export.main`, and what the
second line makes of its SavedModel, for ONNX Runtime; --ours can be given again, as for a run's students. Each model
runs in a process of its own, alone and without what goes before and after it, on each number of threads; the processes
take turns, so that what else the machine does hits all alike, and the median over all runs counts. In brackets stands
the fastest run. A run that is long does not get through undisturbed on a busy machine, so the time that one thread had
of the CPU stands there, too. IoU is of each photo's own size, each model being given the photo as its own documentation
says; photos without a mask do not count. By default the photos are those that a run reports on (--half=test): of those
with a mask, in the order of their names, every other one.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys

import numpy as np
from absl import app, flags

from benchmarks.peers import fetch, segmenters
from edge_segmenter.images import read_image
from tf_layered_gan.data.photo_files import find_photos
from tf_layered_gan.data.squares import full_labels
from tf_layered_gan.evaluation import segmentation
from tf_layered_gan.evaluation.metrics.segmentation import confusion_matrices, summarize

_PEERS = {  # by file: the name in the table, and what opens it
    "mediapipe_selfie.tflite": ("MediaPipe selfie segmenter", segmenters.mediapipe_selfie),
    "u2netp.onnx": ("U²-Netp", segmenters.u2netp),
}
_HALVES = {"validation": slice(0, None, 2), "test": slice(1, None, 2), "all": slice(None)}  # as `data.folder.load` does


def find_models(ours, peers):
    """Finds the model files.

    Args:
        ours: folders, each with segmenter_*.tflite, perhaps .onnx.
        peers: folder that `fetch` has filled.

    Returns:
        dict from each file's path to its name in the table and the function that opens it, see `segmenters`.

    Raises:
        ValueError: if one of ours holds no model, or a peer's file is missing.
    """
    models = {}
    for export in map(pathlib.Path, ours):
        files = sorted([*export.glob("segmenter_*.tflite"), *export.glob("segmenter_*.onnx")])
        if not files:
            raise ValueError(f"{export} holds no segmenter_*.tflite: export a run (python -m export.main)")
        models |= {file: (f"ours, {file}", segmenters.ours) for file in files}
    for file, entry in _PEERS.items():
        path = pathlib.Path(peers, file)
        if not path.is_file():
            raise ValueError(f"no {path}: fetch it (python -m benchmarks.peers.fetch {peers})")
        models[path] = entry
    return models


def score(probabilities, photos, masks, half, unlabelled=None):
    """Scores segmenters on the same photos.

    Args:
        probabilities: dict from a name to a function from a picture to the probability, see `segmenters`.
        photos, masks: folders, see `data.folder.load`.
        half: "validation", "test" or "all" of the photos that have a mask.
        unlabelled: None, or the grey, 0 to 255, of mask pixels that have no label.

    Returns:
        dict from each name to the dict of `segmentation_metrics`.
    """
    confusions = {name: [] for name in probabilities}
    masked = [source for source in find_photos(photos, masks) if source.mask]
    for source in masked[_HALVES[half]]:
        photo, mask = read_image(source.photo), read_image(source.mask, backdrop="black")
        truth = full_labels(photo, mask, unlabelled=unlabelled, mask_name=source.mask)[None]
        for name, probability in probabilities.items():
            predicted = probability(photo)[None] > segmentation.THRESHOLD
            confusions[name].append(confusion_matrices(predicted, truth)[0])
    return {name: summarize(np.stack(counts)) for name, counts in confusions.items()}


def measure(paths, threads, rounds):
    """Times models and their memory, in turns.

    Args:
        paths: model files.
        threads: list of int, each number of threads to run a model with.
        rounds: how many turns each takes.

    Returns:
        dict from (path, threads) to a dict: "median" and "least", ms; "cpu", ms of the CPU, the median; "peak", MiB, of
        the whole process; and "before", MiB, what Python, NumPy and the runtime took before the model was loaded.
    """
    workers = {(path, count): _start(path, count) for path in paths for count in threads}
    taken = {key: [] for key in workers}
    for _ in range(rounds):
        for key, worker in workers.items():
            print(file=worker.stdin, flush=True)
            taken[key] += json.loads(worker.stdout.readline())
    return {key: _finish(worker, taken[key]) for key, worker in workers.items()}


def _start(path, threads):
    command = [sys.executable, "-m", "benchmarks.peers.worker", path, str(threads)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _finish(worker, taken):
    output, _ = worker.communicate()
    peak, before = json.loads(output)
    seconds, cpu = zip(*taken, strict=True)
    times = {"median": statistics.median(seconds), "least": min(seconds), "cpu": statistics.median(cpu)}
    return {name: 1000 * value for name, value in times.items()} | {"peak": peak, "before": before}


def format_table(models, scores, figures, threads):
    """Formats a Markdown table, a row for each model and each peer that could not be had.

    Args:
        models: see `find_models`.
        scores: see `score`, by the names in `models`.
        figures: see `measure`.
        threads: as for `measure`.

    Returns:
        str.
    """
    latencies = [f"{count} thread{'s' * (count > 1)}, ms" for count in threads]
    head = ["segmenter", "KB", *latencies, "CPU, ms", "peak memory, MiB", "of that the model", "IoU", "IoU per photo"]
    rows = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for path, (name, _) in models.items():
        first, metrics = figures[path, threads[0]], scores[name]
        row = [name, f"{path.stat().st_size / 1000:,.0f}", *(_latency(figures[path, count]) for count in threads)]
        row += [_milliseconds(first["cpu"]), f"{first['peak']:.0f}", f"{first['peak'] - first['before']:.0f}"]
        rows.append(row + [f"{metrics['iou']:.3f}", f"{metrics['iou_per_image']:.3f}"])
    rows += [[name, "not had"] + [""] * (len(head) - 2) for name in fetch.NOT_HAD]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _latency(figure):
    return f"{_milliseconds(figure['median'])} ({_milliseconds(figure['least'])})"


def _milliseconds(value):
    return f"{value:.2f}" if value < 1 else f"{value:,.1f}"


def main(argv):
    """Runs the command line."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    given = flags.FLAGS
    threads = list(map(int, given.threads))
    try:
        models = find_models(given.ours, given.peers)
        probabilities = {name: load(path) for path, (name, load) in models.items()}
        scores = score(probabilities, given.photos, given.masks, given.half, given.unlabelled)
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    load_before = os.getloadavg()[0]
    figures = measure(models, threads, given.rounds)
    print(format_table(models, scores, figures, threads))
    images = next(iter(scores.values()))["images"]
    print(
        f"\n{images} photos; {given.rounds} turns each, on {os.cpu_count()} cores whose load was {load_before:.1f} at"
    )
    print(f"the beginning and {os.getloadavg()[0]:.1f} at the end, that of these processes included.")
    for name, tried in fetch.NOT_HAD.items():
        print(f"{name} is in none of the packages looked into: {tried}.")


if __name__ == "__main__":
    flags.DEFINE_multi_string("ours", None, "The folder export/ of a run or of a student of it.", required=True)
    flags.DEFINE_string("peers", None, "The folder that fetch.py has filled.", required=True)
    flags.DEFINE_string("photos", None, "A folder of photos.", required=True)
    flags.DEFINE_string("masks", None, "A folder of their masks.", required=True)
    flags.DEFINE_integer("unlabelled", None, "Grey of mask pixels without a label.", lower_bound=0, upper_bound=255)
    flags.DEFINE_enum("half", "test", list(_HALVES), "Which of the photos with a mask.")
    flags.DEFINE_list("threads", ["1", "2"], "Each number of threads.")
    flags.DEFINE_integer("rounds", 30, "Turns that each process takes.", lower_bound=1)
    app.run(main)
