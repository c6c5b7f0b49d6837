"""Checkpoints of everything that a continued run depends on."""

import os
import pathlib

import numpy as np
import tensorflow as tf
from absl import logging

from tf_layered_gan.files.paths import for_tensorflow
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.models.segmenter import Segmenter

_KEPT = 2  # if the newest checkpoint is truncated, the older one is used
# Damaged checkpoints never raise these errors. They raise other errors of the same base class, which `restore` catches.
_NOT_FROM_DAMAGE = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.PermissionDeniedError,
    tf.errors.ResourceExhaustedError,
    tf.errors.UnavailableError,
)
_COUNTERS = ("gan_step", "segmenter_step", "final_step", "final_round", "skipped")


class Checkpointer:
    """Saves and restores models, optimizers, averaged networks and the position in the training.

    Random numbers and the order of the photos depend only on the position and the seed. So a restored run continues
    exactly where it stopped.

    Args:
        workdir: the run's directory; its folder `checkpoints` holds the two newest checkpoints.
        gan: the compiled GAN; None for a segmenter alone, such as a student's (see `distill`).
        segmenter: the compiled segmenter.
        saves: whether this worker writes checkpoints.

    Attributes:
        gan_step, segmenter_step: int64 variables, steps taken in all rounds.
        final_step, final_round: int64 variables: the number of final steps that the segmenter has taken, and the number
            of the last round before the final steps.
        skipped: int64 variable, the number of batches that the run skipped when it went back to a checkpoint after an
            error.
        seconds: float64 variable, the time spent on training, including the time before interruptions.
    """

    def __init__(self, workdir: str | os.PathLike, gan: LayeredGAN | None, segmenter: Segmenter, saves: bool = True):
        counters = {name: tf.Variable(0, dtype=tf.int64, trainable=False) for name in _COUNTERS}
        self.gan_step, self.segmenter_step, self.final_step, self.final_round, self.skipped = counters.values()
        self.seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        self._trained = {"segmenter": segmenter, "segmenter_optimizer": segmenter.optimizer}
        if gan is not None:
            self._trained |= {"gan": gan, "generator_optimizer": gan.optimizer}
            self._trained["discriminator_optimizer"] = gan.discriminator_optimizer
        self._checkpoint = tf.train.Checkpoint(**self._trained, **counters, seconds=self.seconds)
        self._directory = pathlib.Path(workdir) / "checkpoints"
        self._saves = saves
        self._number = 0  # number of the newest undamaged checkpoint

    def restore(self) -> bool:
        """Restores the newest checkpoint that can be read. Returns whether there was such a checkpoint.

        Raises:
            ValueError: a checkpoint has other variables, because another version of the program wrote it. Also raised
                if there are checkpoints, but none can be read.
        """
        numbers = _written(self._directory)
        for number in reversed(numbers):
            path = self._directory / f"ckpt-{number}"
            try:
                with for_tensorflow(self._directory) as folder:
                    status = self._checkpoint.read(os.path.join(folder, path.name))
                    status.assert_existing_objects_matched()
                    status.expect_partial()  # otherwise TensorFlow warns if only the segmenter is restored
            except (AssertionError, ValueError) as error:  # a variable is missing or has another shape
                raise ValueError(
                    f"{path} was written by another version of this program; take another workdir"
                ) from error
            except _NOT_FROM_DAMAGE:
                raise
            except (tf.errors.OpError, IndexError) as error:  # IndexError: the file is too short
                logging.warning("%s is damaged and left out (%s)", path, str(error).splitlines()[0])
            else:
                self._number = number
                return True
        if numbers:
            raise ValueError(f"no checkpoint in {self._directory} can be read, so the run cannot be continued")
        return False

    def save(self) -> None:
        """Writes a checkpoint if this worker saves. Replaces a damaged checkpoint that `restore` skipped.

        Raises:
            FloatingPointError: a variable of a model or an optimizer is not finite. The message names the variable.
            OSError: the checkpoint cannot be written, for example because the disk is full. Earlier checkpoints are
                kept.
        """
        self._check_finite()
        if not self._saves:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        try:
            with for_tensorflow(self._directory) as folder:
                self._checkpoint.write(os.path.join(folder, f"ckpt-{self._number + 1}"))
        except tf.errors.OpError as error:
            raise OSError(f"no checkpoint could be written to {self._directory}: {error.message}") from error
        self._number += 1
        for number in _written(self._directory):
            if number <= self._number - _KEPT:
                for file in self._directory.glob(f"ckpt-{number}.*"):
                    file.unlink()

    def _check_finite(self) -> None:
        for owner in self._trained.values():
            for variable in owner.variables:
                if not np.isfinite(variable.numpy()).all():
                    raise FloatingPointError(f"{variable.path} is not finite, so no checkpoint is written")

    @property
    def steps_taken(self) -> int:
        """The number of training steps taken so far, of all kinds together."""
        optimizers = ("generator_optimizer", "segmenter_optimizer")
        return sum(int(self._trained[name].iterations.numpy()) for name in optimizers if name in self._trained)

    @property
    def position(self) -> dict[str, int]:
        """A dict from the name of each counter to its value."""
        return {name: int(getattr(self, name)) for name in _COUNTERS}


def final_step_on_disk(workdir: str | os.PathLike) -> int:
    """Returns the `final_step` of the newest checkpoint, or 0 if it cannot be read. Builds no models."""
    directory = pathlib.Path(workdir) / "checkpoints"
    try:
        with for_tensorflow(directory) as folder:
            newest = os.path.join(folder, f"ckpt-{_written(directory)[-1]}")
            return int(tf.train.load_variable(newest, "final_step/.ATTRIBUTES/VARIABLE_VALUE"))
    except (IndexError, ValueError, tf.errors.OpError):  # IndexError: there is no checkpoint
        return 0


def _written(directory: pathlib.Path) -> list[int]:
    """Returns the numbers of the checkpoints whose files exist.

    Does not read TensorFlow's own list, which may be damaged.
    """
    names = (path.stem.removeprefix("ckpt-") for path in directory.glob("ckpt-*.index"))
    return sorted(int(name) for name in names if name.isdecimal() and name.isascii())
