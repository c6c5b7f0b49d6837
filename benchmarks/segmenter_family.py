"""Comparison of a run's segmenter with the run's students. The command writes a table of IoU, size and latency.

    python -m export.main --workdir=WORKDIR
    python -m export.main --workdir=WORKDIR --student=NAME     # for each student
    python -m benchmarks.segmenter_family --workdir=WORKDIR --output=family.md

The figures are measured on the exported .tflite files and the test photos. The Markdown table has a row for each file.
A row has the IoU of the file's masks with the true masks, over the whole test set and per image. It also has the IoU of
the file's masks with the masks of the run's own float32 file, the size of the file in bytes, and the file's median
latency for one image on one thread of LiteRT's interpreter. The files are called in turn, so other work on the machine
slows all of them equally. If the export did not write a format, the table has no row for it.
"""

import pathlib

import keras
import numpy as np
from absl import flags
from ai_edge_litert.interpreter import Interpreter
from ml_collections import ConfigDict

from benchmarks.speed.calls import median_seconds
from tf_layered_gan.command_line import define_path, run_command
from tf_layered_gan.config import student
from tf_layered_gan.data import sources
from tf_layered_gan.evaluation.metrics.segmentation import segmentation_metrics
from tf_layered_gan.evaluation.segmentation import THRESHOLD
from tf_layered_gan.files.records import write_record
from tf_layered_gan.labelling.any_segmenter import load_segmenter
from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.runs.config_record import load_config
from tf_layered_gan.runs.photo_record import check_photos
from tf_layered_gan.runs.restore import restore_run, restore_student

TEACHER = "the run's U-Net"
_FORMATS = ("float32", "int8")
_Files = dict[tuple[str, str], pathlib.Path]  # the path of each file, by network and format
HEAD = [
    "",
    "multiply-adds, millions",
    "format",
    "bytes",
    "IoU",
    "IoU per image",
    "IoU with U-Net masks",
    "latency, ms",
]


def measure(workdir: pathlib.Path, rounds: int) -> list[list[str]]:
    """Measures the exported files of a run and its students. The latency is the median of `rounds` calls of each file.

    Returns:
        The table's rows. The rows of the run's own network come first.

    Raises:
        FileNotFoundError: if there is no run, or the run's own network was not exported as float32.
        ValueError: if the test photos have no masks, or one of the run's files is damaged.
    """
    config, files = load_config(workdir), _files(workdir)
    splits = sources.load_photos(config, cache=workdir / "photos")
    check_photos(splits, workdir)
    photos, truth = splits.test, splits.test.masks
    if truth is None:
        raise ValueError(f"the test photos of {workdir} have no masks, so nothing can be measured")
    networks = _networks(config, workdir)
    masks = {key: _masks(path, photos.images) for key, path in files.items()}
    latencies = median_seconds({key: _ready(path).invoke for key, path in files.items()}, rounds)

    def row(name: str, kind: str, path: pathlib.Path) -> list[str]:
        figures = segmentation_metrics(masks[name, kind], truth)
        alike = segmentation_metrics(masks[name, kind], masks[TEACHER, "float32"].astype(np.uint8))
        cost, size = f"{multiply_adds(networks[name]) / 1e6:.1f}", f"{path.stat().st_size:,}"
        ious = (f"{iou:.3f}" for iou in (figures["iou"], figures["iou_per_image"], alike["iou"]))
        return [name, cost, kind, size, *ious, f"{1000 * latencies[name, kind]:.2f}"]

    return [row(*key, path) for key, path in files.items()]


def _networks(config: ConfigDict, workdir: pathlib.Path) -> dict[str, keras.Model]:
    networks = {TEACHER: restore_run(config, workdir)[1].average_network}
    return networks | {name: restore_student(workdir, name) for name in _students(workdir)}


def _students(workdir: pathlib.Path) -> list[str]:
    return sorted(path.parent.name for path in workdir.glob("students/*/student.json"))


def _files(workdir: pathlib.Path) -> _Files:
    folders = {TEACHER: workdir} | {name: student.folder(workdir, name) for name in _students(workdir)}
    files = {
        (name, kind): folder / "export" / f"segmenter_{kind}.tflite"
        for name, folder in folders.items()
        for kind in _FORMATS
    }
    if not files[TEACHER, "float32"].exists():
        raise FileNotFoundError(f"{files[TEACHER, 'float32']} does not exist: export first (python -m export.main)")
    return {key: path for key, path in files.items() if path.exists()}


def _masks(path: pathlib.Path, images: np.ndarray) -> np.ndarray:
    _, predict = load_segmenter(path)
    return np.stack([predict(image) > THRESHOLD for image in images])


def _ready(path: pathlib.Path) -> Interpreter:
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    pixels = interpreter.get_input_details()[0]
    interpreter.set_tensor(pixels["index"], np.zeros(pixels["shape"], pixels["dtype"]))
    return interpreter


def main() -> None:
    """Measures the run that the flags name, and writes the table."""
    rows = measure(pathlib.Path(flags.FLAGS.workdir), flags.FLAGS.rounds)
    table = "".join(f"| {' | '.join(row)} |\n" for row in [HEAD, ["---"] * len(HEAD), *rows])
    write_record(flags.FLAGS.output, table)
    print(table, end="")


if __name__ == "__main__":
    define_path("workdir", "Directory of a finished run, with the run's exports.", required=True)
    define_path("output", "The Markdown file.", required=True)
    flags.DEFINE_integer("rounds", 300, "How often each file is called to measure its latency.", lower_bound=1)
    run_command(main)
