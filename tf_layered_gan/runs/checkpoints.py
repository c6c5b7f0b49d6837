"""Checkpoints of everything that a run's future depends on, and the run's record of its own config."""

import pathlib

import numpy as np
import tensorflow as tf
from absl import logging

_KEPT = 2  # so that there is one when the newest is cut off
# What a file that was cut off, or overwritten, never gives: of some damage TensorFlow raises its errors' base class.
_NO_DAMAGE = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.PermissionDeniedError,
    tf.errors.ResourceExhaustedError,
    tf.errors.UnavailableError,
)


class Checkpointer:
    """Saves and restores models, optimizers, averaged generators and the training position.

    Random draws and the order of the data are functions of the position and the config's seed, so nothing else needs
    saving for a run to go on exactly where it stopped.

    Args:
        workdir: the run's directory; checkpoints go to its folder `checkpoints`, the two newest are kept.
        gan: LayeredGAN, compiled; None where the segmenter alone trains, as a student does (see `distill`).
        segmenter: Segmenter, compiled.
        saves: whether this worker writes them.

    Attributes:
        gan_step, segmenter_step: tf.Variable int64, steps taken in the rounds.
        final_step, final_round: tf.Variable int64, steps of the final segmenter, and after which round they began.
        skipped: tf.Variable int64, by how much the batches are ahead of the steps, since a run went back.
        seconds: tf.Variable float64, time spent training, over all sittings.
    """

    def __init__(self, workdir, gan, segmenter, saves=True):
        self.gan_step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.segmenter_step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.final_step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.final_round = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.skipped = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        self._trained = {"segmenter": segmenter, "segmenter_optimizer": segmenter.optimizer}
        if gan is not None:
            self._trained |= {"gan": gan, "generator_optimizer": gan.optimizer}
            self._trained["discriminator_optimizer"] = gan.discriminator_optimizer
        self._checkpoint = tf.train.Checkpoint(
            **self._trained,
            gan_step=self.gan_step,
            segmenter_step=self.segmenter_step,
            final_step=self.final_step,
            final_round=self.final_round,
            skipped=self.skipped,
            seconds=self.seconds,
        )
        self._directory = pathlib.Path(workdir) / "checkpoints"
        self._saves = saves
        self._number = 0  # of the newest checkpoint that is whole

    def restore(self):
        """Restores the newest checkpoint that can be read; returns whether there was one.

        Raises:
            ValueError: if a checkpoint does not hold the variables of the models, since another version wrote it; or
                if none can be read, though there are some.
        """
        numbers = self._written()
        for number in reversed(numbers):
            path = self._path(number)
            try:
                self._checkpoint.read(path).assert_existing_objects_matched()
            except (AssertionError, ValueError) as error:  # a variable is missing, or has another shape
                raise ValueError(
                    f"{path} was written by another version of this program; take another workdir"
                ) from error
            except _NO_DAMAGE:
                raise
            except (tf.errors.OpError, IndexError) as error:  # the latter is what too short a file gives
                logging.warning("%s is damaged and left out (%s)", path, str(error).splitlines()[0])
            else:
                self._number = number
                return True
        if numbers:
            raise ValueError(f"no checkpoint in {self._directory} can be read, so the run cannot go on")
        return False

    def save(self):
        """Writes a checkpoint, if that is for this worker to do, over a damaged one where the run went on from another.

        Raises:
            FloatingPointError: if a variable, or what an optimizer keeps of it, is not finite; names it.
            OSError: if it cannot be written, as on a full disk; the ones before it are left.
        """
        self._check_finite()
        if not self._saves:
            return
        try:
            self._checkpoint.write(self._path(self._number + 1))
        except tf.errors.OpError as error:
            raise OSError(f"no checkpoint could be written to {self._directory}: {error.message}") from error
        self._number += 1
        for number in self._written():
            if number <= self._number - _KEPT:
                for file in self._directory.glob(f"ckpt-{number}.*"):
                    file.unlink()

    def _check_finite(self):
        for holder in self._trained.values():
            for variable in holder.variables:
                if not np.isfinite(variable.numpy()).all():
                    raise FloatingPointError(f"{variable.path} is not finite, so no checkpoint is written")

    @property
    def steps_taken(self):
        """How many steps of any kind led to these variables."""
        optimizers = ("generator_optimizer", "segmenter_optimizer")
        return sum(int(self._trained[name].iterations) for name in optimizers if name in self._trained)

    @property
    def position(self):
        """Where the run is: dict of str to int."""
        names = ("gan_step", "segmenter_step", "final_step", "final_round", "skipped")
        return {name: int(getattr(self, name)) for name in names}

    def _path(self, number):
        return str(self._directory / f"ckpt-{number}")

    def _written(self):
        """The numbers of the checkpoints that are there, TensorFlow's own list of which may be damaged, too."""
        names = (path.stem.removeprefix("ckpt-") for path in self._directory.glob("ckpt-*.index"))
        return sorted(int(name) for name in names if name.isdecimal() and name.isascii())
