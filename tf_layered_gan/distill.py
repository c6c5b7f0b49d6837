"""Trains a student, a smaller segmenter, for a finished run: on its pairs, on photos that its U-Net segments, or both.

    python -m tf_layered_gan.distill --workdir=runs/mine --student=small --network=separable --width=16

Everything goes to WORKDIR/students/NAME; of the run's own files none is changed. Started again, the command goes on
from the last checkpoint. Batch, depth, colour augmentation, seed and how often there is a checkpoint are the run's.

    student.json   the settings, and the state of the teacher
    checkpoints/   the two newest
    tensorboard/   the losses
    metrics.json   the student's and the teacher's figures on validation and test photos, and how far they agree
"""

import pathlib

import numpy as np
import tensorflow as tf
from absl import app, flags, logging

from tf_layered_gan.data import sources
from tf_layered_gan.evaluation import segmentation
from tf_layered_gan.evaluation.metrics.segmentation import segmentation_metrics
from tf_layered_gan.files.records import write_record
from tf_layered_gan.models import build, student
from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.runs import workdir_lock
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import load_config
from tf_layered_gan.runs.photo_record import check_photos
from tf_layered_gan.runs.restore import restore_run
from tf_layered_gan.training import preemption, schedule
from tf_layered_gan.training.loop import TrainingLoop


def distill(workdir, name, settings):
    """Trains a student to the end, from its newest checkpoint if there is one, and measures it.

    Args:
        workdir: a finished run's directory.
        name: the student's, see `student.folder`.
        settings: `student.Student`.

    Returns:
        dict, what metrics.json holds: "network" and "width"; "parameters"; "multiply_adds" a picture; "steps_taken";
        "training_seconds"; and "validation" and "test", each a dict: "agreement", the IoU of the two's masks, and,
        where there are true masks, "student" and "teacher", see `metrics.segmentation.segmentation_metrics`.

    Raises:
        FileNotFoundError: if there is no run, or one without a checkpoint.
        ValueError: if the run cannot teach the student, or the student was begun with other settings.
        FloatingPointError: if a loss is no longer finite.
        OSError: if the disk is full.
        preemption.Preempted: after SIGTERM, once the step that was being taken is saved.
    """
    directory = student.folder(workdir, name)
    config = load_config(workdir)
    with preemption.preemptible() as sigterm:
        gan, teacher, run = restore_run(config, workdir)
        splits = sources.load_photos(config, cache=pathlib.Path(workdir) / "photos")
        check_photos(splits, workdir)
        _check_can_teach(config, settings, splits)
        learner = build.build_student(config, settings, teacher.average_network)
        with workdir_lock.locked(directory):
            student.record(directory, settings, _state(run))
            checkpointer = Checkpointer(directory, None, learner)
            checkpointer.restore()
            config = _for_student(config, settings)
            strategy = tf.distribute.get_strategy()
            loop = TrainingLoop(
                config, directory, splits, strategy, gan, learner, checkpointer, sigterm, may_restart=False
            )
            loop.train([schedule.Phase("student", 0, settings.steps)])
            return _report(directory, settings, teacher, learner, splits, checkpointer)


def restore_student(workdir, name):
    """Builds a run's student and restores its newest checkpoint.

    Args:
        workdir: the run's directory.
        name: the student's.

    Returns:
        keras.Model, from float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.

    Raises:
        FileNotFoundError: if there is no such student, or one without a checkpoint.
        ValueError: if its folder, or the run's, is damaged.
    """
    config, directory = load_config(workdir), student.folder(workdir, name)
    learner = build.build_student(config, student.load(directory))
    if not Checkpointer(directory, None, learner).restore():
        raise FileNotFoundError(f"no checkpoint in {directory}: train first (python -m tf_layered_gan.distill)")
    return learner.average_network


def _check_can_teach(config, settings, splits):
    if config.segmenter.supervised and settings.gamma_segmentation:
        raise ValueError("the run is supervised and has no GAN, so its students need gamma_segmentation 0")
    if settings.gamma_consistency and not len(splits.train):
        raise ValueError(
            "the run has no photos without masks: its students need gamma_consistency 0 and gamma_segmentation above 0"
        )


def _state(run):
    """What tells one state of the teacher from another, as rounds may be added to a finished run."""
    steps = {"gan": run.gan_step, "segmenter": run.segmenter_step, "final": run.final_step}
    return {f"{kind}_steps": int(step) for kind, step in steps.items()}


def _for_student(config, settings):
    """The run's config as `TrainingLoop` needs it: photos come where they have a weight."""
    config = config.copy_and_resolve_references()
    config.segmenter.gamma_consistency = float(settings.gamma_consistency)
    return config


def _report(directory, settings, teacher, learner, splits, checkpointer):
    networks = {"student": learner.average_network, "teacher": teacher.average_network}
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
    logging.info("agreement with the teacher on the test photos: IoU %.3f", figures["test"]["agreement"])
    return result


def _figures(networks, photos):
    """Returns the networks' figures on photos and how far they agree; prints the former."""
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


def main(argv):
    """Runs the command line."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    logging.use_absl_handler()
    given = flags.FLAGS
    try:
        settings = student.Student(**{name: given[name].value for name in student.SETTINGS})
        distill(given.workdir, given.student or f"{settings.network}{settings.width}", settings)
    except (ValueError, OSError, FloatingPointError) as error:
        raise SystemExit(f"error: {error}") from error
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise SystemExit(f"error: the memory does not suffice for this student: {error}") from error


if __name__ == "__main__":
    flags.DEFINE_string("workdir", None, "The finished run, see tf_layered_gan.main.", required=True)
    flags.DEFINE_string("student", None, "The student's name; network and width unless given, as in separable16.")
    define = {str: flags.DEFINE_string, int: flags.DEFINE_integer, float: flags.DEFINE_float}
    for name, (kind, default, about) in student.SETTINGS.items():
        define[kind](name, default, about)
    app.run(main)
