"""Everything that a training run needs (devices, photos and the locked workdir), and the attempts of the run."""

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Iterator

import tensorflow as tf
from absl import logging
from ml_collections import ConfigDict

from tf_layered_gan.data import labels, sources
from tf_layered_gan.data.photos import Splits
from tf_layered_gan.evaluation import gan_figures
from tf_layered_gan.evaluation.metrics.fid import InceptionFeatures
from tf_layered_gan.labelling.rejected import rejected_photos
from tf_layered_gan.models import build
from tf_layered_gan.models.memory import check_memory
from tf_layered_gan.runs import restarts, workdir_lock
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import check_config, config_facts, record_config
from tf_layered_gan.runs.photo_record import check_photos, photo_facts
from tf_layered_gan.training import preemption
from tf_layered_gan.training.devices import distribution, workers
from tf_layered_gan.training.labeller import mask_finder
from tf_layered_gan.training.plan import Plan
from tf_layered_gan.training.run import Run

_FEW_PHOTOS = 200


@dataclasses.dataclass(frozen=True)
class Session:
    """The parts that all attempts of a run share.

    Attributes:
        config: the run's config, in which `jit` is True or False.
        workdir: the run's directory.
        output: the directory to write to: the workdir for the chief, a temporary directory for other workers.
        strategy: the strategy for the devices.
        splits: the photos.
        inception: the network for FID, or None.
        sigterm: tells whether a signal has come.
    """

    config: ConfigDict
    workdir: pathlib.Path
    output: pathlib.Path
    strategy: tf.distribute.Strategy
    splits: Splits
    inception: InceptionFeatures | None
    sigterm: preemption.Sigterm

    def attempts(self) -> Iterator[Run]:
        """Yields the run to train, see `Run.attempts`. After a collapse, yields another run with another seed."""
        chief = workers.is_chief(self.strategy)
        while True:
            run = self._restored_run(chief)
            yield from run.attempts()
            assert run.collapse is not None  # the attempts end only after a collapse
            logging.warning("%s The run begins again with another seed.", run.collapse)
            if chief:
                restarts.put_aside(self.workdir, run.config.seed, run.collapse)
            workers.wait_for_all(self.strategy)  # otherwise a worker could continue with files that are being moved

    def _restored_run(self, chief: bool) -> Run:
        config = restarts.attempt(self.config, self.workdir)
        with self.strategy.scope():
            segmenter = build.build_segmenter(config)
            gan = build.build_gan(config, segmenter)
        checkpointer = Checkpointer(self.workdir, gan, segmenter, saves=chief)
        if checkpointer.restore():
            logging.info("going on from step %d", checkpointer.gan_step.numpy())
        else:
            build.load_encoder(config, segmenter)
        workers.check_agreement(self.strategy, {"seed": config.seed, **checkpointer.position})
        may_restart = len(restarts.history(self.workdir)) < config.monitoring.restarts
        shared = (self.output, self.splits, self.strategy)
        models = (gan, segmenter, checkpointer)
        plan = Plan(config, len(self.splits.train))
        run = Run(config, *shared, *models, self.sigterm, self.inception, may_restart, plan)
        if chief:
            run.announce()
        return run


@contextlib.contextmanager
def open_session(config: ConfigDict, workdir: str | os.PathLike) -> Iterator[Session]:
    """Prepares everything that training needs, and holds the workdir's lock until the end of the block.

    Before config, memory and photos have been checked, only the cache of photos is written to the workdir.

    Raises:
        ValueError: the photos cannot be used, or the config needs too much memory. Also raised if another run uses the
            workdir, if the workdir belongs to a run with another config, or if the workers differ in their config,
            photos or training step.
        OSError: the disk is full, or another worker is lost. Checkpoints that were written before are kept.
        preemption.Preempted: SIGTERM, SIGINT or SIGHUP came.
    """
    # This comes first, because workers must connect before TensorFlow does anything else.
    strategy = distribution.build_strategy(config)
    with preemption.preemptible() as sigterm, _reachable_workers(strategy, sigterm):
        check_config(config, workdir)
        check_memory(config, config.batch_size // strategy.num_replicas_in_sync)
        mask_finder(config)  # this refuses a labeller that cannot be used
        with workers.chief_first(strategy):  # if workers share a disk, only one of them may prepare a dataset
            sources.prepare_photos(config)
        chief = workers.is_chief(strategy)
        splits = load_usable_photos(config, cache=pathlib.Path(workdir) / "photos" if chief else None)
        workers.check_agreement(strategy, config_facts(config) | {"photos": photo_facts(splits)})
        inception = gan_figures.build_inception(config)
        with workdir_lock.output(workdir, chief) as output:
            check_config(config, output)  # checked again, because another run may have begun here in the meantime
            record_config(config, output)
            check_photos(splits, output)
            chosen = distribution.with_chosen_jit(config)
            yield Session(chosen, pathlib.Path(workdir), output, strategy, splits, inception, sigterm)


@contextlib.contextmanager
def _reachable_workers(strategy: tf.distribute.Strategy, sigterm: preemption.Sigterm) -> Iterator[None]:
    """Raises a clear error if another worker is lost.

    After a signal, raises `Preempted` instead, because a signal ends all workers.
    """
    try:
        with workers.lost_workers_named(strategy):
            yield
    except ConnectionError as error:
        if sigterm.requested:
            raise preemption.Preempted(sigterm.number) from error
        raise


def load_usable_photos(config: ConfigDict, cache: pathlib.Path | None) -> Splits:
    """Loads the photos. Refuses photos that training or the final evaluation cannot use."""
    splits = sources.load_photos(config, cache)
    if config.segmenter.supervised:
        labels.labelled_photos(splits)
    elif not len(splits.train):
        raise ValueError(
            "every photo has a mask, so no photo is left to train on: photos with masks are only used for evaluation"
        )
    elif len(splits.train) < _FEW_PHOTOS:
        logging.warning(
            "few training photos (%d): a GAN memorises so few photos, so the masks will probably be useless; the "
            "smallest folder that we measured had 514 photos",
            len(splits.train),
        )
    rejected_photos(config.refine.rejected, splits.train.names)
    if config.data.classes:
        labels.photo_classes(splits, config.data.classes)
    return splits
