"""Takes the steps of each phase of Algorithm 1, with what goes with them: monitoring, checkpoints, validation."""

import pathlib
import time

import numpy as np
import tensorflow as tf
from absl import logging

from tf_layered_gan.evaluation import gan_figures, picture_grid, segmentation
from tf_layered_gan.models import sampling
from tf_layered_gan.models.segmenter import synthetic_step
from tf_layered_gan.runs import restarts
from tf_layered_gan.runs.learning_curve import LearningCurve
from tf_layered_gan.training import distribution, monitoring, preemption, schedule
from tf_layered_gan.training.batches import Batches


def phases(config):
    """Lays out the config's schedule, see `schedule.phases`; a supervised segmenter's is one phase."""
    if config.segmenter.supervised:
        return [schedule.Phase("supervised", 0, config.schedule.final_segmenter_steps)]
    return schedule.phases(
        rounds=config.schedule.rounds,
        gan_steps_per_round=_gan_steps_per_round(config),
        segmenter_steps_per_round=config.schedule.segmenter_steps_per_round,
        final_segmenter_steps=config.schedule.final_segmenter_steps,
    )


def _gan_steps_per_round(config):
    return config.schedule.gan_images_per_round // config.batch_size


class TrainingLoop:
    """The kinds of phase, with what they share.

    Args:
        config: the run's ConfigDict.
        workdir: directory for TensorBoard events, sample pictures and the learning curve.
        splits: `data.photos.Splits`.
        strategy: tf.distribute.Strategy that the models were built under.
        gan: LayeredGAN, compiled.
        segmenter: Segmenter, compiled.
        checkpointer: Checkpointer of the two, with the steps taken so far.
        sigterm: `preemption.Sigterm`.
        may_restart: whether a collapse ends the run, for it to begin again.
    """

    def __init__(self, config, workdir, splits, strategy, gan, segmenter, checkpointer, sigterm, may_restart):
        self._config, self._workdir, self._splits, self._strategy = config, pathlib.Path(workdir), splits, strategy
        self._gan, self._segmenter, self._checkpointer = gan, segmenter, checkpointer
        self._sigterm, self._may_restart = sigterm, may_restart
        self._batches = Batches(config, splits, strategy)
        self._monitor = monitoring.Monitor(workdir, config.batch_size)
        self._curve = LearningCurve(workdir)
        self._gan_step = {asks: self._compiled(gan.train_step) for asks in (False, True)}  # by uses_segmenter
        self._segmenter_step = self._compiled(synthetic_step(gan, segmenter))

    def train(self, phases):
        """Takes what steps of the phases are still to be taken.

        Once in a run, a loss or a variable that is not finite has it go back to the last checkpoint and on with other
        batches.

        Args:
            phases: list of `schedule.Phase`.

        Raises:
            FloatingPointError: if something is not finite again, or there is no checkpoint yet; names it.
            OSError: if no checkpoint can be written.
            preemption.Preempted: after SIGTERM to any worker, once the step that was being taken is saved.
            restarts.Collapsed: if a round of the GAN ended in a collapse, and the run may begin again.
        """
        state = self._checkpointer
        try:
            self._train_phases(phases)
        except FloatingPointError as error:
            taken = state.steps_taken
            if state.skipped > 0 or not state.restore():
                raise
            logging.warning("%s; going back to the last checkpoint and on with other batches, once", error)
            state.skipped.assign(taken - state.steps_taken)  # their batches, one of which led to it, come no more
            state.save()  # so that it is once, also if the run is killed now
            distribution.check_agreement(self._strategy, state.position)
            self._train_phases(phases)

    def _train_phases(self, phases):
        """All of them, as a damaged checkpoint may have had the run go back to an earlier one."""
        kinds = {"gan": self._train_gan, "segmenter": self._train_segmenter, "final": self._train_final}
        kinds |= {"supervised": self._train_supervised, "student": self._train_student}
        for phase in phases:
            kinds[phase.kind](phase)

    def _train_gan(self, phase):
        """Algorithm 1, lines 2 to 5: gamma_bg is zero in the first round, which has no segmenter to ask."""
        self._gan.uses_segmenter = phase.round > 1
        step = self._gan_step[self._gan.uses_segmenter]
        self._run(step, self._batches.gan, self._checkpointer.gan_step, phase, prepare=self._set_learning_rates)
        if self._may_restart and self._checkpointer.gan_step.numpy() == phase.last_step:
            self._require_layers()

    def _require_layers(self):
        masks = gan_figures.evaluate_synthetic_masks(self._gan, self._sampler())
        why = monitoring.collapse_warning(masks["mask_mean"], masks["masks_full"])
        if why is not None:
            raise restarts.Collapsed(why, int(self._checkpointer.gan_step) * self._config.batch_size)

    def _sampler(self):
        return sampling.build_sampler(self._config, sampling.SYNTHESIS_STREAM)

    def _train_segmenter(self, phase):
        """Algorithm 1, lines 6 to 8, then the round's figures on the validation pictures."""
        state = self._checkpointer
        self._run(self._segmenter_step, self._batches.segmenter, state.segmenter_step, phase)
        if state.segmenter_step.numpy() == phase.last_step:
            self._validate(phase)

    def _train_final(self, phase):
        """The final segmenter (C.3), once more where rounds were added to a finished run."""
        state = self._checkpointer
        if state.final_round.numpy() != phase.round:
            state.final_round.assign(phase.round)
            state.final_step.assign(0)
        earlier = int(state.segmenter_step.numpy())  # what these steps drew is not drawn again

        def batches(first_step):
            return self._batches.final_segmenter(earlier + first_step)

        self._run(self._segmenter_step, batches, state.final_step, phase)
        self._validate(phase)

    def _train_supervised(self, phase):
        """Eq. 7 on photos with their true masks: what the paper holds its segmenter against (Table 5)."""
        step = self._compiled(self._segmenter.train_step)
        self._run(step, self._batches.labelled, self._checkpointer.final_step, phase)

    def _train_student(self, phase):
        """Another network, on pairs, on photos that a finished segmenter segments, or on both (see `distill`)."""
        paints = self._segmenter.gamma_segmentation > 0
        step = self._segmenter_step if paints else self._compiled(self._segmenter.train_step)
        self._run(step, self._batches.final_segmenter, self._checkpointer.final_step, phase)

    def _set_learning_rates(self, step):
        gan, config, steps_per_round = self._gan, self._config, _gan_steps_per_round(self._config)
        rounds, annealed_rounds = config.schedule.rounds, config.schedule.annealed_rounds
        share = schedule.learning_rate_share(
            step, steps=rounds * steps_per_round, annealed_steps=min(annealed_rounds, rounds) * steps_per_round
        )
        # As arrays, for the same reason as in `_run`.
        gan.optimizer.learning_rate = np.asarray(share * config.gan.generator_learning_rate)
        gan.discriminator_optimizer.learning_rate = np.asarray(share * config.gan.discriminator_learning_rate)

    def _run(self, train_step, batches, counter, phase, prepare=lambda step: None):
        first_step, started, every = int(counter.numpy()), time.time(), self._config.monitoring
        steps, skipped = range(first_step + 1, phase.last_step + 1), int(self._checkpointer.skipped)
        if steps:
            logging.info("%s, %s: steps %d to %d, the first is compiled", phase.name, phase.kind, steps[0], steps[-1])
        with self._sigterm.deferred():
            for step, batch in zip(steps, batches(first_step + skipped), strict=False):  # the batches never end
                prepare(step)
                report, told = train_step(batch, tf.constant(self._sigterm.requested))
                counter.assign_add(1)  # not `assign(step)`: TensorFlow keeps every Python number that it is given
                monitoring.check_finite(phase.kind, report, step)
                if step % every.scalars_every == 0 or step == phase.last_step:
                    self._monitor.scalars(phase, report, step)
                if phase.kind == "gan" and (step % every.grid_every == 0 or step == phase.last_step):
                    self._draw_grid(step)
                if step % every.checkpoint_every == 0 or step == phase.last_step or told > 0:
                    self._checkpointer.seconds.assign_add(time.time() - started)
                    started = time.time()
                    self._checkpointer.save()
                if told > 0:
                    logging.info("told to stop: step %d is saved, and the same command goes on from it", step)
                    distribution.wait_for_all(self._strategy)  # what ends all workers with the first would end a save
                    raise preemption.Preempted
            distribution.wait_for_all(self._strategy)  # for the chief's last save, before one that is told now ends

    def _compiled(self, train_step):
        return distribution.distributed_step(self._strategy, train_step, jit=self._config.jit)

    def _validate(self, phase):
        photos, gan_step = self._splits.validation, int(self._checkpointer.gan_step)
        images_seen = gan_step * self._config.batch_size
        if photos.masks is None:
            return
        # By every worker, as Keras has them meet in it; the curve is the chief's alone.
        metrics = segmentation.evaluate(self._segmenter.average_network, photos, baselines=False)["segmenter"]
        if self._curve.has(phase.name):
            return
        self._monitor.evaluation(metrics, gan_step)
        logging.info(
            "%s, %d images seen: IoU %.3f on %d validation pictures (per image %.3f)",
            phase.name, images_seen, metrics["iou"], len(photos), metrics["iou_per_image"],
        )  # fmt: skip
        self._curve.append(phase.name, images_seen, metrics)

    def _draw_grid(self, step):
        draws = self._sampler()(tf.constant(0, tf.int64))
        rows = min(8, self._config.batch_size, len(self._splits.validation))
        layers = {name: value[:rows].numpy() for name, value in self._gan.synthesize(draws).items()}
        real = self._splits.validation.images[:rows]
        picture = picture_grid.layer_grid(
            layers["background"],
            layers["foreground"],
            layers["mask"],
            layers["composed"],
            real,
            segmentation.predict_probabilities(self._segmenter.average_network, real),
        )
        self._monitor.picture("layers", picture, step)
        picture_grid.save_png(picture, self._workdir / "samples" / f"step_{step:07d}.png")
