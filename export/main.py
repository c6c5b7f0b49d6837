"""The export binary: python -m export.main --workdir=runs/shapes"""

import pathlib

from absl import flags, logging

from tf_layered_gan.command_line import run_command
from tf_layered_gan.data import sources
from tf_layered_gan.distill import restore_student
from tf_layered_gan.models import student
from tf_layered_gan.runs import workdir_lock
from tf_layered_gan.runs.config_record import load_config
from tf_layered_gan.runs.photo_record import check_photos
from tf_layered_gan.runs.restore import restore_run

from .facts import mask_facts, run_facts, segmenter_facts, student_facts
from .formats import MAX_IOU_LOSS, export_segmenter


def export_run(workdir, output=None, *, student_name=None, licence=None, masks_made=None, max_iou_loss=MAX_IOU_LOSS):
    """Exports the segmenter of a training run; its validation photos calibrate, its test photos verify.

    Where int8 needs fine-tuning, that is on the training photos, or on those for validation if there are none.

    Args:
        workdir: the run's directory, with its config.json and a checkpoint.
        output: directory, see `export_segmenter`; None for the folder `export` of the run, or of the student.
        student_name: of the run's student (see `tf_layered_gan.distill`) that is exported in its place, or None.
        licence: str, under which licence the model is passed on, or None where that is not stated.
        masks_made: str, how the test masks were made, likewise.
        max_iou_loss: see `export_segmenter`.

    Returns:
        dict, see `export_segmenter`.

    Raises:
        FileNotFoundError: there is no run in `workdir`, or no such student, or one without a checkpoint.
        ValueError: the photos cannot be loaded, a format was refused, `output` is the run's or has others' files (see
            `export_segmenter`), or another run or export is at work in `workdir` or `output`.
    """
    config = load_config(workdir)
    _check_output(workdir, output)
    with workdir_lock.locked(workdir):  # not beside a training, nor beside another export
        return _export(config, workdir, output, student_name, licence, masks_made, max_iou_loss)


def _check_output(workdir, output):
    """Refuses the run's own directory and what lies there, but for exports and what is not there yet."""
    if output is None or not pathlib.Path(output).exists() or pathlib.Path(output, "export.json").exists():
        return
    inside, own = pathlib.Path(output).resolve(), pathlib.Path(workdir).resolve()
    if inside.is_relative_to(own) and inside.name != "export":
        raise ValueError(
            f"output is {output}, which is the run's own; allowed: folders of exports, new ones, elsewhere"
        )


def _export(config, workdir, output, student_name, licence, masks_made, max_iou_loss):
    _, segmenter, state = restore_run(config, workdir)
    photos = sources.load_photos(config, cache=pathlib.Path(workdir) / "photos")
    check_photos(photos, workdir)  # or others than the run's might be held out
    network, folder = segmenter.average_network, pathlib.Path(workdir)
    training = _training(config, state, photos, masks_made)
    if student_name:
        network, folder = restore_student(workdir, student_name), student.folder(workdir, student_name)
        training["student"] = student_facts(student.load(folder))
    return export_segmenter(
        network,
        {"calibration": photos.validation.images, "tuning": _tuning_images(photos)},
        photos.test,
        output or folder / "export",
        facts=segmenter_facts(training, licence),
        max_iou_loss=max_iou_loss,
    )


def _tuning_images(photos):
    return photos.train.images if len(photos.train) else photos.validation.images


def _training(config, state, photos, masks_made):
    supervised, steps_per_round = config.segmenter.supervised, config.schedule.gan_images_per_round // config.batch_size
    return run_facts(
        config.data.source,
        photos={name: len(getattr(photos, name)) for name in ("train", "validation", "test")},
        supervised=supervised,
        rounds=int(state.gan_step) // steps_per_round,
        images_seen=int(state.final_step if supervised else state.gan_step) * config.batch_size,
        segmenter_steps=int(state.segmenter_step) + int(state.final_step),
        test_masks=None if photos.test.masks is None else mask_facts(config.data.source, masks_made),
    )


def main() -> None:
    """Exports the run that the flags name."""
    logging.set_verbosity(logging.WARNING)
    given = flags.FLAGS
    export_run(
        given.workdir,
        given.output,
        student_name=given.student,
        licence=given.licence,
        masks_made=given.masks_made,
        max_iou_loss=given.max_iou_loss,
    )


def run() -> None:
    """Runs the command line."""
    flags.DEFINE_string("workdir", None, "The training run, see tf_layered_gan.main.", required=True)
    flags.DEFINE_string("student", None, "A student of the run, see tf_layered_gan.distill, to export in its place.")
    flags.DEFINE_string("output", None, "Where the exports go; WORKDIR/export or WORKDIR/students/NAME/export if none.")
    flags.DEFINE_string("licence", None, "The licence that you pass the model on under, such as CC-BY-4.0.")
    flags.DEFINE_string("masks_made", None, "How the test masks were made, such as 'by hand' or 'by U2-Net'.")
    flags.DEFINE_float(
        "max_iou_loss",
        MAX_IOU_LOSS,
        "A format is refused that loses more IoU with the true masks, or without any agrees less with the Keras model.",
        lower_bound=0,
        upper_bound=1,
    )
    run_command(main)


if __name__ == "__main__":
    run()
