"""Export of the segmenter of a run, or of one of the run's students."""

import os
import pathlib

from ml_collections import ConfigDict

from tf_layered_gan.config import student
from tf_layered_gan.data.photos import Splits
from tf_layered_gan.runs import passes, workdir_lock
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import load_config, move_photos
from tf_layered_gan.runs.restore import restore_segmenter, restore_student
from tf_layered_gan.runs.run_photos import load_run_photos

from . import MAX_IOU_LOSS
from .documentation.facts import mask_facts, run_facts, segmenter_facts, student_facts
from .exporter import export_segmenter


def export_run(
    workdir: str | os.PathLike,
    output: str | os.PathLike | None = None,
    *,
    student_name: str | None = None,
    photos: str | None = None,
    masks: str | None = None,
    licence: str | None = None,
    masks_made: str | None = None,
    max_iou_loss: float = MAX_IOU_LOSS,
) -> dict:
    """Exports the segmenter of a training run, or one of the run's students.

    The int8 file is calibrated on the validation photos. Every format is verified on the test photos. If the int8 model
    needs fine-tuning, it learns from the training photos, or from the validation photos if there are no training
    photos.

    Args:
        workdir: the run's directory, with a config.json and a checkpoint.
        output: directory of the export, see `export_segmenter`. None means the folder `export` in the directory of the
            run or the student.
        student_name: name of the student to export, see `tf_layered_gan.distill`. None exports the run's segmenter.
        photos, masks: new places of the run's photos and masks, or None if they were not moved.
        licence: the model's licence, or None to state none.
        masks_made: how the masks of the test photos were made, or None to state nothing.
        max_iou_loss: see `export_segmenter`.

    Returns:
        The content of export.json, see `export_segmenter`.

    Raises:
        FileNotFoundError: `workdir` holds no run, the run has no such student, or there is no checkpoint.
        ValueError: the photos cannot be loaded or have changed; a format was refused; `output` is a directory of the
            run or holds other files; or another command uses `workdir` or `output`.
    """
    config = load_config(workdir)
    move_photos(config, photos, masks)
    _check_output(workdir, output)
    with workdir_lock.locked(workdir):
        segmenter, state = restore_segmenter(config, workdir)
        splits = load_run_photos(config, workdir)
        training = _training_facts(config, state, splits, passes.number_taken(config, workdir), masks_made)
        network, folder = passes.final_network(config, workdir, segmenter), pathlib.Path(workdir)
        if student_name:
            network, folder = restore_student(workdir, student_name), student.folder(workdir, student_name)
            training["student"] = student_facts(student.load(folder))
        tuning = splits.train if len(splits.train) else splits.validation
        return export_segmenter(
            network,
            {"calibration": splits.validation.images, "tuning": tuning.images},
            splits.test,
            output or folder / "export",
            facts=segmenter_facts(training, licence),
            max_iou_loss=max_iou_loss,
        )


def _check_output(workdir: str | os.PathLike, output: str | os.PathLike | None) -> None:
    """Refuses a directory that the run itself uses."""
    if output is None or not pathlib.Path(output).exists() or pathlib.Path(output, "export.json").exists():
        return
    output_path = pathlib.Path(output).resolve()
    if output_path.is_relative_to(pathlib.Path(workdir).resolve()) and output_path.name != "export":
        raise ValueError(
            f"output is {output}, a directory of the run, allowed: a new directory, a directory with an earlier "
            "export, or any directory outside the run's directory"
        )


def _training_facts(
    config: ConfigDict, state: Checkpointer, photos: Splits, pass_count: int, masks_made: str | None
) -> dict:
    supervised, steps_per_round = config.segmenter.supervised, config.schedule.gan_images_per_round // config.batch_size
    return run_facts(
        config.data.source,
        fit=config.data.fit,
        photos={name: len(getattr(photos, name)) for name in ("train", "validation", "test")},
        supervised=supervised,
        labeller=config.refine.labeller is not None,
        encoder="none" if config.networks.encoder_weights is None else config.networks.encoder,
        rounds=int(state.gan_step) // steps_per_round,
        images_seen=int(state.final_step if supervised else state.gan_step) * config.batch_size,
        segmenter_steps=int(state.segmenter_step) + int(state.final_step),
        passes=pass_count,
        test_masks=None if photos.test.masks is None else mask_facts(config.data.source, masks_made),
    )
