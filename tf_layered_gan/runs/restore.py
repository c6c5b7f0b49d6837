"""Functions that restore the models of a run from its newest checkpoint."""

import os

import keras
from ml_collections import ConfigDict

from tf_layered_gan.config import student
from tf_layered_gan.models import build
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.models.memory import check_memory
from tf_layered_gan.models.segmenter import Segmenter
from tf_layered_gan.runs import passes
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import check_config, load_config


def restore_run(config: ConfigDict, workdir: str | os.PathLike) -> tuple[LayeredGAN, Segmenter, Checkpointer]:
    """Builds the models of a run and restores its newest checkpoint.

    Raises:
        FileNotFoundError: the run has no checkpoint.
        ValueError: see `check_config` and `check_memory`.
    """
    check_config(config, workdir)
    check_memory(config, batch_size=1)
    segmenter = build.build_segmenter(config)
    gan = build.build_gan(config, segmenter)
    return gan, segmenter, _restored(workdir, gan, segmenter)


def restore_segmenter(config: ConfigDict, workdir: str | os.PathLike) -> tuple[Segmenter, Checkpointer]:
    """Restores the segmenter of a run. Does not build the GAN, because that would take long.

    Raises:
        FileNotFoundError, ValueError: see `restore_run`.
    """
    check_config(config, workdir)
    check_memory(config, batch_size=1)
    segmenter = build.build_segmenter(config)
    return segmenter, _restored(workdir, None, segmenter)


def _restored(workdir: str | os.PathLike, gan: LayeredGAN | None, segmenter: Segmenter) -> Checkpointer:
    checkpointer = Checkpointer(workdir, gan, segmenter)
    if not checkpointer.restore():
        raise FileNotFoundError(f"no checkpoint in {workdir}: train first (--mode=train)")
    return checkpointer


def restore_gan(config: ConfigDict, workdir: str | os.PathLike) -> tuple[LayeredGAN, Segmenter, Checkpointer]:
    """Restores a run whose GAN is needed, see `restore_run`.

    Raises:
        FileNotFoundError: see `restore_run`.
        ValueError: the run trained no GAN. For other causes, see `restore_run`.
    """
    if config.segmenter.supervised:
        raise ValueError("segmenter.supervised is True: such a run trains no GAN")
    models = gan, _, _ = restore_run(config, workdir)
    if not passes.is_trained(gan):
        raise ValueError(f"{workdir} trained no GAN, because its bootstrap was trusted; see --config.schedule.gan")
    return models


def restore_network(config: ConfigDict, workdir: str | os.PathLike) -> keras.Model:
    """Restores the network that a run evaluates and exports, see `passes.final_network`.

    Raises:
        FileNotFoundError, ValueError: see `restore_run` and `passes.pass_networks`.
    """
    segmenter, _ = restore_segmenter(config, workdir)
    return passes.final_network(config, workdir, segmenter)


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
