"""The length of each phase of Algorithm 1, and the photos of each step. This module needs only NumPy."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

EVALUATION_SECONDS = 4.0  # time that each round needs for its metrics, image grid and weights
FINISH_SECONDS = 25.0  # time that a run needs at its end for the last metrics and for writing all files


@dataclasses.dataclass(frozen=True)
class Plan:
    """The schedule of a run.

    Attributes:
        rounds: K, the number of rounds.
        annealed_rounds: the number of annealed rounds. These are the last rounds, and the GAN's learning rates fall to
            0 in them.
        gan_steps: N_gan, the number of GAN steps in a round. `fit` may lower this number.
        segmenter_steps: N_seg, the number of segmenter steps in a round.
        final_steps: the number of segmenter steps after the last round.
    """

    rounds: int
    annealed_rounds: int
    gan_steps: int
    segmenter_steps: int
    final_steps: int

    @classmethod
    def of(cls, config: Mapping[str, Any], chunk: int) -> "Plan":
        """Returns the plan of a config. Numbers of steps are rounded up to multiples of `chunk`."""
        schedule = config["schedule"]
        steps = [schedule["gan_images_per_round"] // config["batch_size"]]
        steps += [schedule["segmenter_steps_per_round"], schedule["final_segmenter_steps"]]
        return cls(schedule["rounds"], schedule["annealed_rounds"], *(-(-count // chunk) * chunk for count in steps))

    def fit(self, seconds: float, seconds_a_step: Mapping[str, float], chunk: int) -> "Plan":
        """Returns a plan whose rounds are short enough for the time.

        Args:
            seconds: the time left for the whole run.
            seconds_a_step: seconds per step, by the name of the program.
            chunk: number of steps in one dispatch. A round has at least this number of GAN steps.
        """
        per_round = self.segmenter_steps * seconds_a_step["segmenter"] + EVALUATION_SECONDS
        others = self.rounds * per_round + self.final_steps * seconds_a_step["final"] + FINISH_SECONDS
        step_of_each_round = seconds_a_step["gan_first"] + (self.rounds - 1) * seconds_a_step["gan_later"]
        fitting = max(int((seconds - others) / step_of_each_round) // chunk, 1) * chunk
        return dataclasses.replace(self, gan_steps=min(self.gan_steps, fitting))

    def learning_rate_share(self, step: int) -> float:
        """Returns the fraction of the GAN's full learning rates at a step, like `phases.learning_rate_share`.

        Args:
            step: number of the step, counted over all rounds from 1.
        """
        left, annealed = self.rounds * self.gan_steps - step + 1, self.annealed_rounds * self.gan_steps
        return left / annealed if left < annealed else 1.0

    def seconds_after_gan(self, seconds_a_step: Mapping[str, float]) -> float:
        """Returns the seconds that a run still needs after its last GAN step."""
        segmenter = self.segmenter_steps * seconds_a_step["segmenter"] + self.final_steps * seconds_a_step["final"]
        return segmenter + EVALUATION_SECONDS + FINISH_SECONDS


class PhotoOrder:
    """The photos of each step. Each epoch has its own permutation of all photos, which depends on the seed.

    Args:
        count: number of photos.
        batch_size: number of photos in a step.
        seed: seed of the permutations.
    """

    def __init__(self, count: int, batch_size: int, seed: int):
        self._count, self._batch_size, self._seed = count, batch_size, seed

    def rows(self, first_step: int, steps: int) -> np.ndarray:
        """Returns the indices of the photos of consecutive steps, int32 [step, batch]."""
        positions = np.arange(first_step * self._batch_size, (first_step + steps) * self._batch_size)
        epochs, places = np.divmod(positions, self._count)
        rows = [self._permutation(epoch)[places[epochs == epoch]] for epoch in np.unique(epochs)]
        return np.concatenate(rows).reshape(steps, self._batch_size)

    def _permutation(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([self._seed, int(epoch)]).permutation(self._count).astype(np.int32)
