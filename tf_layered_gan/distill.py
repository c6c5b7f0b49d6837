"""Trains a student for a finished run: a smaller segmenter.

Usage: tf-layered-gan-distill --workdir=WORKDIR [flags]

The student learns from the run's pairs, from photos that the run's U-Net segments, or from both. All its files go to
WORKDIR/students/NAME; the run's own files do not change. The same command, started again, continues from the last
checkpoint. The run's config sets the batch size, depth, colour augmentation, seed and steps between checkpoints.

Which run, which student:
  --workdir=WORKDIR            directory of a finished run
  --student=NAME               by default network and width, as in separable16
  --network=separable          separable or unet
  --width=16                   channels: unet at full resolution, separable after the first halving
  --photos=DIR                 new place of the run's photos, if they were moved
  --masks=DIR                  new place of the run's masks, if they were moved

How it learns:
  --steps=500                  training steps; the learning rate falls to zero over them
  --learning_rate=0.002        Adam's learning rate at the first step
  --gamma_consistency=1.0      weight of the loss on photos that the run's segmenter segments
  --gamma_segmentation=0.0     weight of the loss on the run's synthetic pairs; 0 makes no pairs

Files in WORKDIR/students/NAME:
  student.json   the settings, and the state of the teacher
  checkpoints/   the two newest checkpoints
  tensorboard/   the losses
  report.html    a page that shows all of this in a browser
  metrics.json   figures of student and teacher on validation and test photos, and their agreement

Examples:
  tf-layered-gan-distill --workdir=runs/mine
  tf-layered-gan-distill --workdir=runs/mine --student=small --network=separable --width=8
"""

from tf_layered_gan import startup  # noqa: F401

# isort: split

import os
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import flags, logging
from ml_collections import ConfigDict

from tf_layered_gan.command_line import define_path, run_command
from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.evaluation import segmentation
from tf_layered_gan.evaluation.metrics.segmentation import segmentation_metrics
from tf_layered_gan.files.records import write_record
from tf_layered_gan.models import build, student
from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.models.segmenter import Segmenter
from tf_layered_gan.reporting.page import try_to_write_page
from tf_layered_gan.runs import passes, workdir_lock
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import load_config, move_photos
from tf_layered_gan.runs.restore import restore_gan, restore_run
from tf_layered_gan.runs.run_photos import load_run_photos
from tf_layered_gan.training import preemption
from tf_layered_gan.training.distribution import with_chosen_jit
from tf_layered_gan.training.phases import student_phase
from tf_layered_gan.training.run import Run


def distill(
    workdir: str | os.PathLike,
    name: str,
    settings: student.Student,
    *,
    photos: str | None = None,
    masks: str | None = None,
) -> dict:
    """Trains a student to the end and measures it. Starts from its newest checkpoint if there is one.

    Args:
        workdir: directory of the run.
        name: the student's name.
        settings: the student's settings.
        photos, masks: new places of the run's photos and masks, or None.

    Returns:
        dict, the content of metrics.json: "network" and "width"; "parameters"; "multiply_adds" per image;
        "steps_taken"; "training_seconds"; "validation" and "test". The last two are dicts. They have "agreement", the
        IoU of the student's masks with the teacher's masks. If there are true masks, they also have the
        `segmentation_metrics` of "student" and "teacher".

    Raises:
        FileNotFoundError: there is no run, or it has no checkpoint.
        ValueError: the run cannot teach this student, or the student was begun with other settings.
        FloatingPointError: a loss is not finite.
        OSError: the disk is full.
        preemption.Preempted: after SIGTERM, SIGINT or SIGHUP, once the current step is saved.
    """
    directory = student.folder(workdir, name)
    config = load_config(workdir)
    move_photos(config, photos, masks)
    config = with_chosen_jit(config)
    with preemption.preemptible() as sigterm:
        restore = restore_gan if settings.gamma_segmentation else restore_run
        gan, teacher, teacher_state = restore(config, workdir)
        splits = load_run_photos(config, workdir)
        _check_can_teach(settings, splits)
        teaching = passes.final_network(config, workdir, teacher)
        learner = build.build_student(config, settings, teaching)
        with workdir_lock.locked(directory):
            student.record(directory, settings, _steps_of(teacher_state))
            checkpointer = Checkpointer(directory, None, learner)
            checkpointer.restore()
            shared = (directory, splits, tf.distribute.get_strategy())
            training = Run(_student_config(config, settings), *shared, gan, learner, checkpointer, sigterm)
            for run in training.attempts():
                with run:
                    run.take(student_phase(run, settings.steps))
                    break
            return _report(directory, settings, teaching, learner, splits, checkpointer)


def restore_student(workdir: str | os.PathLike, name: str) -> keras.Model:
    """Builds a run's student and restores its newest checkpoint.

    Returns:
        keras.Model that maps float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.

    Raises:
        FileNotFoundError: there is no such student, or it has no checkpoint.
        ValueError: the folder of the student or of the run is damaged.
    """
    config, directory = load_config(workdir), student.folder(workdir, name)
    learner = build.build_student(config, student.load(directory))
    if not Checkpointer(directory, None, learner).restore():
        raise FileNotFoundError(f"no checkpoint in {directory}: train first (python -m tf_layered_gan.distill)")
    return learner.average_network


def _check_can_teach(settings: student.Student, splits: Splits) -> None:
    if settings.gamma_consistency and not len(splits.train):
        raise ValueError(
            "the run has no photos without masks: its students need gamma_consistency 0 and gamma_segmentation above 0"
        )


def _steps_of(teacher_state: Checkpointer) -> dict[str, int]:
    """Returns how many training steps of each kind the teacher has taken.

    These numbers identify the teacher: they grow if rounds are added to the run later.
    """
    steps = (teacher_state.gan_step, teacher_state.segmenter_step, teacher_state.final_step)
    return dict(zip(("gan_steps", "segmenter_steps", "final_steps"), map(int, steps), strict=True))


def _student_config(config: ConfigDict, settings: student.Student) -> ConfigDict:
    """Returns the run's config with the student's `gamma_consistency`.

    If this weight is not 0, each batch also has photos.
    """
    config = config.copy_and_resolve_references()
    config.segmenter.gamma_consistency = float(settings.gamma_consistency)
    return config


def _report(
    directory: pathlib.Path,
    settings: student.Student,
    teacher: keras.Model,
    learner: Segmenter,
    splits: Splits,
    checkpointer: Checkpointer,
) -> dict:
    networks = {"student": learner.average_network, "teacher": teacher}
    figures = {name: _figures(networks, getattr(splits, name)) for name in ("validation", "test")}
    result = {
        "network": settings.network,
        "width": settings.width,
        "parameters": learner.average_network.count_params(),
        "multiply_adds": multiply_adds(learner.average_network),
        "steps_taken": int(checkpointer.final_step),
        "training_seconds": round(float(checkpointer.seconds), 1),
    } | figures
    write_record(directory / "metrics.json", result)
    try_to_write_page(directory, learner.average_network, splits, None)
    logging.info("agreement with the teacher on the test photos: IoU %.3f", figures["test"]["agreement"])
    return result


def _figures(networks: dict, photos: Photos) -> dict:
    """Returns the figures of student and teacher, and the agreement of their masks. Prints the figures."""
    masks = {
        name: segmentation.predict_probabilities(network, photos.images) > segmentation.THRESHOLD
        for name, network in networks.items()
    }
    agreement = segmentation_metrics(masks["student"], masks["teacher"].astype(np.uint8))["iou"]
    if photos.masks is None:
        return {"agreement": agreement}
    figures = {name: segmentation_metrics(predicted, photos.masks) for name, predicted in masks.items()}
    print(segmentation.format_table(figures), flush=True)
    return figures | {"agreement": agreement}


def main() -> None:
    """Trains the student that the flags describe."""
    logging.use_absl_handler()
    given = flags.FLAGS
    settings = student.Student(**{name: getattr(given, name) for name in student.SETTINGS})
    name = given.student or f"{settings.network}{settings.width}"
    distill(given.workdir, name, settings, photos=given.photos, masks=given.masks)


def run() -> None:
    """Runs the console command."""
    define_path("workdir", "The directory of a finished run.", required=True)
    define_path("photos", "New place of the run's photos, if they were moved.", exists=True)
    define_path("masks", "New place of the run's masks, if they were moved.", exists=True)
    flags.DEFINE_string("student", None, "The student's name; by default network and width, as in separable16.")
    define: dict[Any, Callable] = {str: flags.DEFINE_string, int: flags.DEFINE_integer, float: flags.DEFINE_float}
    for name, (kind, default, about) in student.SETTINGS.items():
        define[kind](name, default, about)
    run_command(main)


if __name__ == "__main__":
    run()
