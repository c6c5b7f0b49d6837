"""Algorithm 1 as a list of phases, so that a run can go on from any step of any of them."""

import typing


class Phase(typing.NamedTuple):
    """A stretch of training, until the counter of its kind is at `last_step`.

    Its kind is "gan", "segmenter", "final" or, in a run without a GAN, "supervised"; or that of `distill`, "student".
    """

    kind: str
    round: int
    last_step: int

    @property
    def name(self):
        """What the learning curve calls it: "round 1", ..., "round 5", "round 5, final"."""
        return f"round {self.round}, final" if self.kind == "final" else f"round {self.round}"


def phases(*, rounds, gan_steps_per_round, segmenter_steps_per_round, final_segmenter_steps):
    """Lays out Algorithm 1: K rounds of N_gan and N_seg steps, then the final segmenter's.

    Args:
        rounds: K, at least 1.
        gan_steps_per_round: N_gan.
        segmenter_steps_per_round: N_seg.
        final_segmenter_steps: further steps of the segmenter after the last round (paper, C.3); counted by
            themselves, so that rounds can be added to a finished run.

    Returns:
        list of Phase, in order; rounds are counted from 1.

    Differs from the paper: the final segmenter goes on from the alternated one, rather than from new weights.
    """
    result = []
    for k in range(1, rounds + 1):
        result.append(Phase("gan", k, k * gan_steps_per_round))
        result.append(Phase("segmenter", k, k * segmenter_steps_per_round))
    if final_segmenter_steps:
        result.append(Phase("final", rounds, final_segmenter_steps))
    return result


def learning_rate_share(step, *, steps, annealed_steps):
    """How much of its learning rate a network has left: all, then linearly less and less. Not in the paper.

    Args:
        step: of the GAN, counted from 1 to `steps`.
        steps: how many there are.
        annealed_steps: over how many of them, the last ones, it falls, so that it would be 0 after the last.

    Returns:
        float in (0, 1].
    """
    left = steps - step + 1
    return left / annealed_steps if left < annealed_steps else 1.0
