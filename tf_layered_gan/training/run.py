"""A training run: its models, photos, checkpoints and monitoring, and the loop that runs the steps of a phase."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf
from absl import logging
from ml_collections import ConfigDict

from tf_layered_gan.data.photos import Splits
from tf_layered_gan.evaluation import collapse, gan_figures, image_grid, segmentation
from tf_layered_gan.evaluation.metrics.fid import InceptionFeatures
from tf_layered_gan.evaluation.metrics.segmentation import segmentation_metrics
from tf_layered_gan.models import build, sampling
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.models.precision import pass_precision
from tf_layered_gan.models.segmenter import Segmenter, synthetic_step
from tf_layered_gan.reporting.run_figures import report_run
from tf_layered_gan.runs import passes, restarts
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import config_facts
from tf_layered_gan.runs.learning_curve import LearningCurve
from tf_layered_gan.training import preemption
from tf_layered_gan.training.batches import Batches
from tf_layered_gan.training.devices import distribution, workers
from tf_layered_gan.training.labeller import MaskFinder, mask_finder
from tf_layered_gan.training.monitoring import monitor
from tf_layered_gan.training.monitoring.profiling import Profiler
from tf_layered_gan.training.plan import Plan

if TYPE_CHECKING:
    from tf_layered_gan.training.phases import Phase


@dataclasses.dataclass(eq=False)
class Run:
    """One attempt at training. It starts from its last checkpoint.

    In a `with` block, the attempt recovers from some errors, see `attempts`.

    Attributes:
        config: the run's config, with the seed of this attempt.
        workdir: directory for TensorBoard events, sample grids and the learning curve.
        splits: the photos.
        strategy: the strategy that the models were built under.
        gan: the GAN, compiled.
        segmenter: the segmenter, compiled.
        checkpointer: saves the GAN and the segmenter, and holds the number of steps taken so far.
        sigterm: tells whether a signal has come.
        inception: the network for FID, or None.
        may_restart: whether a collapse ends this attempt, so that another attempt can begin.
        plan: the phases of the run, to estimate the time that is left, or None.
        background_judge: the segmenter of the bootstrap, if the bootstrap is trusted, see `photo_passes`. Otherwise
            None. The background loss uses this segmenter to find objects in the backgrounds.
        collapse: the collapse that ended this attempt, or None.
        gan_steps_per_round: N_gan.
        batches: the batches for each kind of step.
    """

    config: ConfigDict
    workdir: pathlib.Path
    splits: Splits
    strategy: tf.distribute.Strategy
    gan: LayeredGAN
    segmenter: Segmenter
    checkpointer: Checkpointer
    sigterm: preemption.Sigterm
    inception: InceptionFeatures | None = None
    may_restart: bool = False
    plan: Plan | None = None
    collapse: restarts.Collapsed | None = dataclasses.field(default=None, init=False)
    background_judge: keras.Model | None = dataclasses.field(default=None, init=False)

    def __post_init__(self) -> None:
        """Prepares batches and monitoring."""
        self.gan_steps_per_round = self.config.schedule.gan_images_per_round // self.config.batch_size
        self.batches = Batches(self.config, self.splits, self.strategy)
        self._monitor = monitor.Monitor(self.workdir, self.config.batch_size, self.plan)
        self._profiler = Profiler(self.workdir, self.config.monitoring.profile_steps)
        self._curve = LearningCurve(self.workdir)
        self._merged = distribution.merged_report(self.strategy)
        # There are two compiled GAN steps, because the compilation of a step fixes the value of `gan.uses_segmenter`.
        self._gan_steps = {setting: self.compiled(self.gan.train_step) for setting in (False, True)}

    @functools.cached_property
    def pair_step(self) -> Callable:
        """The segmenter's compiled step on synthetic pairs."""
        pairs = build.build_pairs(self.config, self.gan, self.splits.train)
        return self.compiled(synthetic_step(self.gan, self.segmenter, pairs))

    @functools.cached_property
    def find_masks(self) -> MaskFinder:
        """The function that finds the masks of photos, see `mask_finder`."""
        return mask_finder(self.config)

    @functools.cached_property
    def found_masks(self) -> np.ndarray:
        """The masks that `find_masks` returns for the validation photos, bool [photo, height, width]."""
        return self.find_masks(self.splits.validation.images)

    @property
    def rounds(self) -> range:
        """The rounds k of Algorithm 1, from 1. If a trusted bootstrap replaces the GAN, there are no rounds."""
        replaced = self.config.schedule.gan == "if_needed" and self.background_judge is not None
        return range(1, 1 + (0 if replaced else self.config.schedule.rounds))

    def attempts(self) -> Iterator[Run]:
        """Yields this run once, and again after each error that the run has recovered from. Ends if the run collapses.

        for run in run.attempts():
            with run:
                run.take(...)
                return ...
        """
        while self.collapse is None:
            yield self

    def __enter__(self) -> Run:
        """Starts the attempt, or continues it after a recovery."""
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        """Recovers from a loss that is not finite, but only once.

        After a collapse, keeps the error in `collapse`, so that `attempts` ends.
        """
        if isinstance(error, FloatingPointError):
            return self._go_back(error)
        if isinstance(error, restarts.Collapsed):
            self.collapse = error
        return error is not None and error is self.collapse

    def _go_back(self, error: FloatingPointError) -> bool:
        """Goes back to the last checkpoint, to continue with other batches.

        Returns False if the run has gone back before, or if it has no checkpoint.
        """
        state, taken = self.checkpointer, self.checkpointer.steps_taken
        if state.skipped > 0 or not state.restore():
            return False
        logging.warning("%s; the run goes back to its last checkpoint once, and continues with other batches", error)
        state.skipped.assign(taken - state.steps_taken)  # skip the batches of the lost steps
        state.save()  # a run that is killed now must not go back a second time
        workers.check_agreement(self.strategy, state.position)
        return True

    def take(self, phase: Phase) -> None:
        """Runs the remaining steps of a phase.

        Raises:
            FloatingPointError: a loss or a variable is not finite. The message names the loss or variable.
            OSError: no checkpoint could be written.
            preemption.Preempted: a worker got SIGTERM, SIGINT or SIGHUP. The current step is saved first.
            restarts.Collapsed: a round of the GAN ended in a collapse, and the run may restart.
        """
        first_step, started, every = int(phase.counter.numpy()), time.time(), self.config.monitoring
        steps, skipped = range(first_step + 1, phase.last_step + 1), int(self.checkpointer.skipped)
        if steps:
            logging.info("%s, %s: steps %d to %d, the first is compiled", phase.name, phase.kind, steps[0], steps[-1])
        with self.sigterm.deferred(), self._profiler.phase(phase.kind) as profile:
            for step, batch in zip(steps, phase.batches(first_step + skipped), strict=False):  # batches never end
                phase.before_step(step)
                profile(step - first_step - 1)
                report, stop_requested = self._merged(phase.step((batch,)), self.sigterm.requested)
                # `assign(step)` is not used, because TensorFlow would keep every Python number.
                phase.counter.assign_add(1)
                monitor.check_finite(phase.kind, report, step)
                is_last = step == phase.last_step
                if step % every.scalars_every == 0 or is_last:
                    self._monitor.scalars(phase.kind, phase.name, report, step, phase.last_step)
                if phase.kind == "gan" and (step % every.grid_every == 0 or is_last):
                    self._draw_grid(step)
                if step % every.checkpoint_every == 0 or is_last or stop_requested:
                    self.checkpointer.seconds.assign_add(time.time() - started)
                    started = time.time()
                    self.checkpointer.save()
                if stop_requested:
                    logging.info("told to stop: step %d is saved, and the same command continues from this step", step)
                    workers.wait_for_all(self.strategy)  # if a worker exits, it interrupts the save of another worker
                    raise preemption.Preempted(self.sigterm.number)
            workers.wait_for_all(self.strategy)  # the chief may still be saving
        if phase.counter.numpy() == phase.last_step:
            phase.after()

    def compiled(self, train_step: Callable) -> Callable:
        """Compiles a training step for the run's strategy."""
        return distribution.distributed_step(self.strategy, train_step, jit=self.config.jit)

    def gan_step(self, *, uses_segmenter: bool) -> Callable:
        """Switches the background loss on or off, and returns the GAN's step compiled for this setting."""
        self.gan.uses_segmenter = uses_segmenter
        return self._gan_steps[uses_segmenter]

    def check_masks(self) -> None:
        """Measures the synthetic masks. Raises `Collapsed` if the masks are full or empty, and the run may restart."""
        masks = gan_figures.evaluate_synthetic_masks(self.gan, self._sampler())
        self._monitor.evaluation("synthetic", masks, int(self.checkpointer.gan_step))
        if (warning := collapse.variety_warning(masks)) is not None:
            logging.warning(warning)
        reason = collapse.collapse_warning(masks["mask_mean"], masks["masks_full"])
        if self.may_restart and reason is not None:
            raise restarts.Collapsed(reason, self._images_seen())

    def validate(self, name: str, network: keras.Model | None = None) -> None:
        """Measures a network (by default the segmenter) on the validation photos. Adds the figures to the learning
        curve."""
        photos = self.splits.validation
        if photos.masks is None:
            return
        # Every worker measures, because Keras synchronises the workers here. Only the chief writes the curve.
        network = network or self.segmenter.average_network
        probabilities = segmentation.predict_probabilities(network, photos.images)
        metrics = segmentation_metrics(probabilities > segmentation.THRESHOLD, photos.masks)
        if self._curve.has(name):
            return
        self._monitor.evaluation("validation", metrics, int(self.checkpointer.gan_step))
        self._monitor.precision_recall("validation", probabilities, photos.masks, int(self.checkpointer.gan_step))
        logging.info(
            "%s, %d images seen: IoU %.3f on %d validation photos (per image %.3f)",
            name, self._images_seen(), metrics["iou"], len(photos), metrics["iou_per_image"],
        )  # fmt: skip
        self._curve.append(name, self._images_seen(), metrics)

    def announce(self) -> None:
        """Logs the plan of the run and its time, and records the settings for TensorBoard."""
        assert self.plan is not None
        self._monitor.settings(config_facts(self.config))
        photos = " + ".join(f"{len(getattr(self.splits, name)):,} {name}" for name in ("train", "validation", "test"))
        logging.info("%s photos, %d pixels wide; all files go to %s", photos, self.config.resolution, self.workdir)
        logging.info("the plan: %s", self.plan.describe(self.config))
        if self.config.precision == "auto":
            logging.info("precision is auto: passes over photos compute in %s, because %s", *pass_precision("auto"))
        position = self.checkpointer.position | passes.position(self.config, self.workdir)
        ended = {record["pass"]: record for record in passes.records(self.config, self.workdir)}
        estimate = self.plan.estimate(position, ended.get(0, {}).get("trusted"))
        words = "" if estimate is None else f"on this machine, the rest of the run will take {estimate}; "
        logging.info("%sprogress is logged every %d steps", words, self.config.monitoring.scalars_every)

    def report(self) -> dict:
        """Evaluates the trained models. Returns the content of metrics.json."""
        models = (self.gan, self.segmenter, self.checkpointer)
        return report_run(self.config, self.workdir, self.splits, *models, self.inception)

    def _images_seen(self) -> int:
        return int(self.checkpointer.gan_step) * self.config.batch_size

    def _sampler(self) -> Callable:
        return sampling.build_sampler(self.config, sampling.SYNTHESIS_STREAM)

    def _draw_grid(self, step: int) -> None:
        draws = self._sampler()(tf.constant(0, tf.int64))
        rows = min(8, self.config.batch_size, len(self.splits.validation))
        layers, photos = self.gan.synthesize(draws), self.splits.validation.images[:rows]
        columns = {name: layers[name][:rows].numpy() for name in ("background", "foreground", "mask", "composed")}
        masks = segmentation.predict_probabilities(self.segmenter.average_network, photos)
        grid = image_grid.layer_grid(**columns, real=photos, real_mask=masks)
        self._monitor.image("layers", grid, step)
        image_grid.save_png(grid, self.workdir / "samples" / f"layers_step_{step:07d}.png")
