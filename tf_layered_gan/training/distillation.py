"""The training of a student, a smaller segmenter, for a finished run."""

import os
import pathlib

import keras
import numpy as np
import tensorflow as tf
from absl import logging
from ml_collections import ConfigDict

from tf_layered_gan.config import student
from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.evaluation import segmentation
from tf_layered_gan.evaluation.metrics.segmentation import segmentation_metrics
from tf_layered_gan.files.records import write_record
from tf_layered_gan.models import build
from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.models.segmenter import Segmenter
from tf_layered_gan.reporting.page import try_to_write_page
from tf_layered_gan.runs import passes, workdir_lock
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import load_config, move_photos
from tf_layered_gan.runs.restore import restore_gan, restore_run
from tf_layered_gan.runs.run_photos import load_run_photos
from tf_layered_gan.training import preemption
from tf_layered_gan.training.devices.distribution import with_chosen_jit
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
        dict, the content of metrics.json. It has "network", "width", "parameters", "multiply_adds" (for one image),
        "steps_taken", "training_seconds", "validation" and "test". "validation" and "test" are dicts with "agreement",
        the IoU of the student's masks with the teacher's masks. If there are true masks, these dicts also have the
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


def _check_can_teach(settings: student.Student, splits: Splits) -> None:
    if settings.gamma_consistency and not len(splits.train):
        raise ValueError(
            "the run has no photos without masks: its students need gamma_consistency 0 and gamma_segmentation above 0"
        )


def _steps_of(teacher_state: Checkpointer) -> dict[str, int]:
    """Returns how many training steps of each kind the teacher has taken.

    These numbers identify the teacher, because they grow if rounds are added to the run later.
    """
    steps = (teacher_state.gan_step, teacher_state.segmenter_step, teacher_state.final_step)
    return dict(zip(("gan_steps", "segmenter_steps", "final_steps"), map(int, steps), strict=True))


def _student_config(config: ConfigDict, settings: student.Student) -> ConfigDict:
    """Returns the run's config with the student's `gamma_consistency`.

    If `gamma_consistency` is not 0, each batch also has photos.
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
