"""Tables a run's segmenter and its students: what each finds on the test photos, and what it costs.

    python -m export.main --workdir=WORKDIR
    python -m export.main --workdir=WORKDIR --student=NAME     # for each of them
    python -m benchmarks.segmenter_family --workdir=WORKDIR --output=family.md

Figures are of the exported .tflite files: IoU with the true masks over the whole test set and per image, IoU with the
masks of the run's own float32 file, bytes, and the median latency of a picture on one thread of LiteRT's interpreter.
The files take turns, picture by picture, so that what else the machine does meets all alike. A file that the export
refused has no figures.
"""

import pathlib
import time

import numpy as np
from absl import app, flags
from ai_edge_litert.interpreter import Interpreter

from export.any_segmenter import load_segmenter
from tf_layered_gan.data import sources
from tf_layered_gan.distill import restore_student
from tf_layered_gan.evaluation.metrics.segmentation import segmentation_metrics
from tf_layered_gan.evaluation.segmentation import THRESHOLD
from tf_layered_gan.files.records import write_record
from tf_layered_gan.models import student
from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.runs.config_record import load_config
from tf_layered_gan.runs.photo_record import check_photos
from tf_layered_gan.runs.restore import restore_run

TEACHER = "the run's U-Net"
_FORMATS = ("float32", "int8")
_HEAD = [
    "",
    "multiply-adds, millions",
    "format",
    "bytes",
    "IoU",
    "IoU per image",
    "IoU with the U-Net's",
    "latency, ms",
]


def measure(workdir, rounds):
    """Measures the exported files of a run and its students.

    Args:
        workdir: the run's directory.
        rounds: how often each file segments a picture for its latency, at least 1.

    Returns:
        list of rows, the run's own network first, each a list of str as in the table's head.

    Raises:
        FileNotFoundError: if the run, or its own float32 export, is not there.
        ValueError: if the run has no true masks, or one of its files is damaged.
    """
    workdir, config = pathlib.Path(workdir), load_config(workdir)
    splits = sources.load_photos(config, cache=workdir / "photos")
    check_photos(splits, workdir)
    photos = splits.test
    if photos.masks is None:
        raise ValueError(f"the test photos of {workdir} have no true masks, so there is nothing to measure against")
    networks, files = _networks(config, workdir), _files(workdir)
    masks = {key: _masks(path, photos.images) for key, path in files.items()}
    latencies = median_latencies(files, rounds)

    def row(name, kind, path):
        figures = segmentation_metrics(masks[name, kind], photos.masks)
        alike = segmentation_metrics(masks[name, kind], masks[TEACHER, "float32"].astype(np.uint8))
        cost, size = f"{multiply_adds(networks[name]) / 1e6:.1f}", f"{path.stat().st_size:,}"
        ious = (f"{iou:.3f}" for iou in (figures["iou"], figures["iou_per_image"], alike["iou"]))
        return [name, cost, kind, size, *ious, f"{1000 * latencies[name, kind]:.2f}"]

    return [row(*key, path) for key, path in files.items()]


def median_latencies(files, rounds):
    """Times files in turns.

    Args:
        files: dict from anything to the path of a .tflite file.
        rounds: of one picture each, at least 1; one before them is not counted.

    Returns:
        dict of seconds, by the same keys.
    """
    interpreters = {key: _ready(path) for key, path in files.items()}
    seconds = {key: [] for key in files}
    for _ in range(rounds + 1):
        for key, interpreter in interpreters.items():
            started = time.perf_counter()
            interpreter.invoke()
            seconds[key].append(time.perf_counter() - started)
    return {key: float(np.median(times[1:])) for key, times in seconds.items()}


def markdown(rows):
    """Writes the head and the rows as a Markdown table, str."""
    lines = [_HEAD, ["---"] * len(_HEAD), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _networks(config, workdir):
    networks = {TEACHER: restore_run(config, workdir)[1].average_network}
    return networks | {name: restore_student(workdir, name) for name in _students(workdir)}


def _students(workdir):
    return sorted(path.parent.name for path in workdir.glob("students/*/student.json"))


def _files(workdir):
    folders = {TEACHER: workdir} | {name: student.folder(workdir, name) for name in _students(workdir)}
    files = {
        (name, kind): folder / "export" / f"segmenter_{kind}.tflite"
        for name, folder in folders.items()
        for kind in _FORMATS
    }
    if not files[TEACHER, "float32"].exists():
        raise FileNotFoundError(f"no {files[TEACHER, 'float32']}: export first (python -m export.main)")
    return {key: path for key, path in files.items() if path.exists()}


def _masks(path, images):
    _, predict = load_segmenter(path)
    return np.stack([predict(image) > THRESHOLD for image in images])


def _ready(path):
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    pixels = interpreter.get_input_details()[0]
    interpreter.set_tensor(pixels["index"], np.zeros(pixels["shape"], pixels["dtype"]))
    return interpreter


def main(argv):
    """Runs the command line."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    try:
        table = markdown(measure(flags.FLAGS.workdir, flags.FLAGS.rounds))
        write_record(flags.FLAGS.output, table)
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    print(table, end="")


if __name__ == "__main__":
    flags.DEFINE_string("workdir", None, "A finished run's directory, with its exports.", required=True)
    flags.DEFINE_string("output", None, "The Markdown file.", required=True)
    flags.DEFINE_integer("rounds", 300, "Pictures per file for the latency.", lower_bound=1)
    app.run(main)
