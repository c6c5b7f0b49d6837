"""The phases of Algorithm 1: the steps of each phase, the batches for them, and the work after the last step."""

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from tf_layered_gan.config import pass_steps
from tf_layered_gan.training.run import Run


@dataclasses.dataclass(frozen=True)
class Phase:
    """A series of training steps of the same kind.

    Attributes:
        kind: "gan", "segmenter", "final", "supervised", "photos" or "student". It determines the prefix of the phase's
            scalars in TensorBoard, see `scalar_tags`.
        name: the phase's name in the log and in the learning curve, such as "round 1" or "round 5, final".
        step: the compiled training step, see `distribution.distributed_step`.
        batches: function that takes the number of a step, from 0, and returns endless batches that begin with the batch
            of this step.
        counter: the number of steps of this kind taken so far, in all rounds.
        last_step: the counter's value at the end of the phase.
        before_step: called before each step, with the step's number, from 1.
        after: called after the last step, and called again if a run is resumed after this step.
    """

    kind: str
    name: str
    step: Callable
    batches: Callable[[int], Iterable]
    counter: tf.Variable
    last_step: int
    before_step: Callable[[int], None] = lambda step: None
    after: Callable[[], None] = lambda: None


def gan_phase(run: Run, k: int) -> Phase:
    """Round k of the GAN, N_gan steps (Algorithm 1, lines 2 to 5).

    In round 1, the background loss is not used, because there is no trained segmenter yet (line 3). If a trusted
    bootstrap has trained a segmenter, the loss is used in round 1 too.
    """
    judge = run.background_judge or (run.segmenter.average_network if k > 1 else None)
    if judge is not None and judge is not run.gan.segmenter:
        run.gan.segmenter.set_weights(judge.get_weights())
    return Phase(
        "gan",
        f"round {k}",
        run.gan_step(uses_segmenter=judge is not None),
        run.batches.gan,
        run.checkpointer.gan_step,
        last_step=k * run.gan_steps_per_round,
        before_step=lambda step: _set_learning_rates(run, step),
        after=run.check_masks,
    )


def segmenter_phase(run: Run, k: int) -> Phase:
    """Round k of the segmenter, N_seg steps on synthetic pairs (Algorithm 1, lines 6 to 8)."""
    return Phase(
        "segmenter",
        f"round {k}",
        run.pair_step,
        run.batches.segmenter,
        run.checkpointer.segmenter_step,
        last_step=k * run.config.schedule.segmenter_steps_per_round,
        after=lambda: run.validate(f"round {k}"),
    )


def final_phase(run: Run) -> Phase:
    """The final steps of the segmenter (appendix C.3).

    If rounds were added to a finished run, the final steps are taken again.

    Training continues from the segmenter of the last round. In the paper, the final training begins with new weights.
    """
    state, rounds = run.checkpointer, run.config.schedule.rounds
    if state.final_round.numpy() != rounds:
        state.final_round.assign(rounds)
        state.final_step.assign(0)
    steps_before = int(state.segmenter_step.numpy())  # the random draws of these steps must not be used again
    name = f"round {rounds}, final"
    return Phase(
        "final",
        name,
        run.pair_step,
        lambda first_step: run.batches.final_segmenter(steps_before + first_step),
        state.final_step,
        last_step=run.config.schedule.final_segmenter_steps,
        after=lambda: run.validate(name),
    )


def supervised_phase(run: Run) -> Phase:
    """Trains on photos with their true masks, without a GAN. This is the paper's upper bound (Table 5)."""
    return Phase(
        "supervised",
        "round 0",
        run.compiled(run.segmenter.train_step),
        run.batches.labelled,
        run.checkpointer.final_step,
        last_step=run.config.schedule.final_segmenter_steps,
    )


def photo_phase(run: Run, name: str) -> Phase:
    """Trains on photos with masks that were made for them, see `photo_passes`."""
    return Phase(
        "photos",
        name,
        run.compiled(run.segmenter.train_step),
        run.batches.labelled,
        run.checkpointer.final_step,
        last_step=pass_steps(run.config),
    )


def student_phase(run: Run, steps: int) -> Phase:
    """Trains another network on pairs, on photos that a finished segmenter segments, or on both (see `distill`)."""
    learns_from_pairs = run.segmenter.gamma_segmentation > 0
    return Phase(
        "student",
        "round 0",
        run.pair_step if learns_from_pairs else run.compiled(run.segmenter.train_step),
        run.batches.final_segmenter,
        run.checkpointer.final_step,
        last_step=steps,
    )


def learning_rate_share(step: int, *, steps: int, annealed_steps: int) -> float:
    """Returns the factor of the learning rate at a step.

    The factor is 1 at first, and then falls linearly to 0. This fall is not in the paper.

    Args:
        step: the step, from 1 to `steps`.
        steps: the number of all steps.
        annealed_steps: the number of steps at the end in which the factor falls. The factor would be 0 one step after
            the last step.

    Returns:
        float in (0, 1].
    """
    left = steps - step + 1
    return left / annealed_steps if left < annealed_steps else 1.0


def _set_learning_rates(run: Run, step: int) -> None:
    schedule, steps_per_round = run.config.schedule, run.gan_steps_per_round
    share = learning_rate_share(
        step,
        steps=schedule.rounds * steps_per_round,
        annealed_steps=min(schedule.annealed_rounds, schedule.rounds) * steps_per_round,
    )
    # TensorFlow would keep a reference to every Python number that is assigned to a variable, so arrays are assigned.
    run.gan.optimizer.learning_rate = np.asarray(share * run.config.gan.generator_learning_rate)
    run.gan.discriminator_optimizer.learning_rate = np.asarray(share * run.config.gan.discriminator_learning_rate)
