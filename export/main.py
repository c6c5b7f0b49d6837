"""The export binary: python -m export.main --workdir=runs/shapes"""

import pathlib
import shutil
import tempfile

from absl import app, flags, logging

from export.savedmodel import write_savedmodel
from export.tflite import to_tflite_float32, to_tflite_int8
from export.verify import require_agreement, savedmodel_runner, tflite_runner
from tf_layered_gan import builders, student
from tf_layered_gan.checkpointing import check_photos, load_config, restore_run
from tf_layered_gan.distill import restore_student
from tf_layered_gan.records import write_record

LEAST_IOU_FLOAT, LEAST_IOU_INT8 = 0.999, 0.95  # with the Keras model's masks
_UNVERIFIED = ".unverified-"
CALIBRATION_PICTURES = 100  # plenty: on one network 5 and 423 gave the same IoU to three digits


def export_run(workdir, output, student_name=None):
    """Exports the segmenter of a training run; its validation photos calibrate, its test photos verify.

    Args:
        workdir: the run's directory, with its config.json and a checkpoint.
        output: directory, see `export_segmenter`.
        student_name: of the run's student (see `tf_layered_gan.distill`) that is exported in its place, or None.

    Returns:
        dict, see `export_segmenter`.

    Raises:
        FileNotFoundError: there is no run in `workdir`, or one without a checkpoint.
        ValueError: the photos cannot be loaded, or a format fell below its bar.
    """
    config = load_config(workdir)
    if student_name:
        network = restore_student(workdir, student_name)
    else:
        network = restore_run(config, workdir)[1].average_network
    photos = builders.load_photos(config, cache=pathlib.Path(workdir) / "photos")
    check_photos(photos, workdir)  # or others than the run's might be held out
    return export_segmenter(network, photos.validation.images, photos.test.images, output)


def export_segmenter(network, calibration_images, test_images, output):
    """Writes F as SavedModel and TFLite, each once its masks agree with those of the Keras model.

    Args:
        network: F, from float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.
        calibration_images: uint8 [picture, resolution, resolution, rgb], held-out photos that set the ranges
            of the int8 model; at most CALIBRATION_PICTURES of them are used, evenly spaced.
        test_images: uint8, likewise, other held-out photos: those on which every format is verified.
        output: directory for `saved_model`, `segmenter_float32.tflite`, `segmenter_int8.tflite` and
            `export.json`; what an earlier export left of these is removed first.

    Returns:
        dict, what export.json holds: for each file its "bytes" and the figures of `verify.agreement`.

    Raises:
        ValueError: a format fell below its bar: it is not written, nor are the ones after it and export.json.
    """
    output = pathlib.Path(output)
    _clear(output)
    figures = {"saved_model": _export_savedmodel(network, test_images, output / "saved_model")}
    content = to_tflite_float32(network)
    path = output / "segmenter_float32.tflite"
    figures[path.name] = _keep(network, content, test_images, path, least_iou=LEAST_IOU_FLOAT)
    step = -(-len(calibration_images) // CALIBRATION_PICTURES)
    content = to_tflite_int8(network, calibration_images[::step])
    path = output / "segmenter_int8.tflite"
    figures[path.name] = _keep(network, content, test_images, path, least_iou=LEAST_IOU_INT8)
    write_record(output / "export.json", figures)
    return figures


def _clear(output):
    output.mkdir(parents=True, exist_ok=True)
    for folder in (output / "saved_model", *output.glob(f"{_UNVERIFIED}*")):  # the latter where it was killed
        shutil.rmtree(folder, ignore_errors=True)
    for name in ("segmenter_float32.tflite", "segmenter_int8.tflite", "export.json"):
        (output / name).unlink(missing_ok=True)


def _export_savedmodel(network, images, path):
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=_UNVERIFIED) as folder:
        unverified = pathlib.Path(folder) / path.name
        write_savedmodel(network, unverified)
        predict = savedmodel_runner(unverified)
        figures = require_agreement(path.name, network, predict, images, least_iou=LEAST_IOU_FLOAT)
        unverified.rename(path)
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return {"bytes": size} | figures


def _keep(network, content, images, path, *, least_iou):
    figures = require_agreement(path.name, network, tflite_runner(content), images, least_iou=least_iou)
    write_record(path, content)
    return {"bytes": len(content)} | figures


def main(argv):
    """Runs the command line."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    logging.set_verbosity(logging.WARNING)
    workdir = pathlib.Path(flags.FLAGS.workdir)
    try:
        name = flags.FLAGS.student
        output = (student.folder(workdir, name) if name else workdir) / "export"
        export_run(workdir, flags.FLAGS.output or output, name)
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    flags.DEFINE_string("workdir", None, "The training run, see tf_layered_gan.main.", required=True)
    flags.DEFINE_string("student", None, "A student of the run, see tf_layered_gan.distill, to export in its place.")
    flags.DEFINE_string("output", None, "Where the exports go; WORKDIR/export or WORKDIR/students/NAME/export if none.")
    app.run(main)
