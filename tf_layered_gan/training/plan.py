"""The phases of a run, and an estimate of their time."""

import copy
import dataclasses
import os
import time

import tensorflow as tf
from ml_collections import ConfigDict

from edge_segmenter.progress import duration
from tf_layered_gan.config import pass_steps
from tf_layered_gan.models.memory import networks_without_memory
from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.models.precision import pass_precision
from tf_layered_gan.training.labeller import name_of

_BACKWARD = 3  # forward and backward pass together take three times as long as the forward pass
_BFLOAT16 = 0.63  # a pass takes this fraction of the time if it computes in bfloat16 instead of float32
_SPEED = 0.5  # in training, the machine reaches this fraction of `_machine_speed`
_SECONDS = 0.4  # duration of the measurement in `_machine_speed`
# Seconds that one core needs for the mask of a photo. The bootstrap uses GrabCut, and the other passes use sharpening.
_GRABCUT, _SHARPENING = 0.12, 0.025
NOT_BEGUN = {"gan_step": 0, "segmenter_step": 0, "final_step": 0}
_COUNTERS = {"gan": "gan_step", "segmenter": "segmenter_step", "final": "final_step", "supervised": "final_step"}


@dataclasses.dataclass(frozen=True)
class Part:
    """A phase, see `phases.Phase`.

    Attributes:
        kind, name: the kind and the name of the phase.
        first_step, last_step: the steps of the phase have the numbers first_step + 1 to last_step.
        cost: multiply-adds of a step in float32 that takes the same time.
    """

    kind: str
    name: str
    first_step: int
    last_step: int
    cost: float


class Plan:
    """All phases of a run, in order.

    Args:
        config: the run's config.
        photos: the number of training photos.
    """

    def __init__(self, config: ConfigDict, photos: int):
        costs, schedule, refine = _costs(config), config.schedule, config.refine
        of_a_pass = (0, pass_steps(config))
        steps, segmenter_steps = schedule.gan_images_per_round // config.batch_size, schedule.segmenter_steps_per_round
        final = (0, schedule.final_segmenter_steps)
        parts: list[tuple[str, str, int, int]] = []
        if config.segmenter.supervised:
            parts.append(("supervised", "round 0", *final))
        else:
            if refine.bootstrap:
                parts.append(("photos", "bootstrap", *of_a_pass))
            for k in range(1, schedule.rounds + 1):
                parts.append(("gan", f"round {k}", (k - 1) * steps, k * steps))
                parts.append(("segmenter", f"round {k}", (k - 1) * segmenter_steps, k * segmenter_steps))
            parts.append(("final", f"round {schedule.rounds}, final", *final))
            parts += [("photos", f"pass {number}", *of_a_pass) for number in range(1, refine.passes + 1)]
        self.parts = [Part(*part, cost=costs[part[0]]) for part in parts]
        self._gan_is_uncertain = refine.bootstrap and schedule.gan == "if_needed" and not config.segmenter.supervised
        self._masked_photos = min(photos, refine.photos)

    def without_gan(self) -> "Plan | None":
        """Returns the plan of a run whose bootstrap replaces the GAN, or None if the config does not allow this."""
        if not self._gan_is_uncertain:
            return None
        plan = copy.copy(self)
        plan.parts, plan._gan_is_uncertain = [part for part in self.parts if part.kind == "photos"], False
        return plan

    def cost_left(self, position: dict[str, int]) -> float:
        """Returns the multiply-adds of the steps that are left.

        Args:
            position: the dict of `Checkpointer.position`. If passes over photos have begun, the dict also has the items
                of `passes.position`.
        """
        return sum(part.cost * steps for part, steps in zip(self.parts, self._steps_left(position), strict=True))

    def _steps_left(self, position: dict[str, int]) -> list[int]:
        """Returns the number of steps left in each phase.

        If a phase is unfinished, all steps of the later passes over photos are left, because the run repeats these
        passes.
        """
        left: list[int] = []
        for part in self.parts:
            if part.kind in _COUNTERS:
                taken = position[_COUNTERS[part.kind]]
            else:
                taken = 0 if any(left) else position.get(part.name, 0)
            left.append(max(0, part.last_step - max(part.first_step, taken)))
        return left

    def estimate(self, position: dict[str, int], trusted: bool | None = None) -> str | None:
        """Says in words about how long the rest of the run will take on this machine.

        The estimate is right within a factor of about two.

        Args:
            position: see `cost_left`.
            trusted: whether the bootstrap is trusted; None if the bootstrap has not ended.

        Returns:
            str such as "about 40 min". None with a GPU, because its speed depends too much on the sizes of the layers.
        """
        if tf.config.list_physical_devices("GPU"):
            return None
        speed = _SPEED * _machine_speed()
        shorter = self.without_gan() if trusted is not False and not position["gan_step"] else None
        words = f"about {duration((shorter if shorter and trusted else self)._seconds(position, speed))}"
        if shorter is None or trusted:
            return words
        return f"about {duration(shorter._seconds(position, speed))}, or {words} if the bootstrap fails"

    def _seconds(self, position: dict[str, int], speed: float) -> float:
        parts = zip(self.parts, self._steps_left(position), strict=True)
        begin = [part.name for part, left in parts if part.kind == "photos" and left == part.last_step]
        masks = sum(_GRABCUT if name == "bootstrap" else _SHARPENING for name in begin) * self._masked_photos
        return self.cost_left(position) / speed + masks / (os.cpu_count() or 1)

    def time_left(self, kind: str, name: str, step: int, seconds_per_step: float) -> str | None:
        """Says in words about how long it will take from a step to the end of the last phase.

        Assumes the speed of the current phase.

        Returns:
            str such as "about 40 min", or None for a phase that is not in the plan.
        """
        places = [i for i, part in enumerate(self.parts) if (part.kind, part.name) == (kind, name)]
        if not places:
            return None
        now, later = self.parts[places[0]], self.parts[places[0] + 1 :]
        cost = now.cost * (now.last_step - step)
        cost += sum(part.cost * (part.last_step - part.first_step) for part in later)
        words = f"about {duration(seconds_per_step * cost / now.cost)}"
        shorter = self.without_gan() if name == "bootstrap" else None
        if shorter is None:
            return words
        return f"{shorter.time_left(kind, name, step, seconds_per_step)}, or {words} if the bootstrap fails,"

    def describe(self, config: ConfigDict) -> str:
        """Describes the phases in a sentence."""
        schedule, refine = config.schedule, config.refine
        if config.segmenter.supervised:
            return f"{schedule.final_segmenter_steps:,} steps of the segmenter on true masks, without a GAN"
        words = (
            [f"a bootstrap of {pass_steps(config):,} steps on the masks of {name_of(config)}"]
            if refine.bootstrap
            else []
        )
        condition = "if the bootstrap fails, " if refine.bootstrap and schedule.gan == "if_needed" else ""
        rounds = f"{schedule.rounds} rounds" if schedule.rounds > 1 else "1 round"
        words.append(
            f"{condition}{rounds} of {schedule.gan_images_per_round:,} images for the GAN and "
            f"{schedule.segmenter_steps_per_round:,} steps for the segmenter"
        )
        words.append(f"{condition}{schedule.final_segmenter_steps:,} final steps for the segmenter")
        if refine.passes:
            passes = "a pass" if refine.passes == 1 else f"up to {refine.passes} passes"
            words.append(f"{passes} over photos, with {pass_steps(config):,} steps in each pass")
        return ", then ".join(words)


def _machine_speed() -> float:
    """Measures the multiply-adds per second of a 3x3 convolution from 32 to 32 channels."""
    images, kernel = tf.ones((16, 32, 32, 32)), tf.ones((3, 3, 32, 32))
    convolve = tf.function(lambda: tf.nn.conv2d(images, kernel, 1, "SAME"), autograph=False)
    convolve()
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < _SECONDS:
        convolve()
        count += 1
    return count * 16 * 32**2 * 9 * 32**2 / (time.perf_counter() - started)


def _costs(config: ConfigDict) -> dict[str, float]:
    """Returns the cost of a step for each kind of phase, see `Part`."""
    background, foreground, discriminator, mask_encoder, segmenter = map(multiply_adds, networks_without_memory(config))
    generators, consistency = background + foreground, bool(config.segmenter.gamma_consistency)
    judged = segmenter / config.gan.background_every
    precision, _ = pass_precision(config.precision)
    images = {
        "gan": _BACKWARD * (generators + 3 * discriminator + 2 * mask_encoder + judged),  # Eq. 6
        "segmenter": generators + _BACKWARD * segmenter,
        "final": generators + (_BACKWARD * 2 + 1 if consistency else _BACKWARD) * segmenter,
        "supervised": _BACKWARD * segmenter,
        "photos": _BACKWARD * segmenter * (_BFLOAT16 if precision == "bfloat16" else 1),
    }
    return {kind: config.batch_size * cost for kind, cost in images.items()}
