"""Monitoring of a run: scalars and images for TensorBoard, lines of progress, and a warning about a collapse."""

import contextlib
import math
import os
import pathlib
import time
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf
from absl import logging
from tensorboard.plugins.hparams import api as hparams
from tensorboard.plugins.pr_curve import metadata as pr_curve

from edge_segmenter.files.printing import printable
from edge_segmenter.progress import duration
from tf_layered_gan.evaluation.collapse import collapse_warning
from tf_layered_gan.evaluation.metrics.precision_recall import THRESHOLDS, precision_recall
from tf_layered_gan.training.monitoring.scalar_tags import scalar_tag
from tf_layered_gan.training.plan import Plan

# The values that a line of progress shows, and their short names in that line. TensorBoard has all values.
_SHOWN = {
    "generator_adversarial": "G",
    "discriminator_adversarial": "D",
    "mutual_information_image": "MI of image",
    "mutual_information_mask": "MI of mask",
    "mask_mean": "masks cover",
    "segmentation": "segmentation",
    "consistency": "consistency",
}


def check_finite(kind: str, report: Mapping[str, float], step: int) -> None:
    """Raises an error if a value of a step's report is not finite.

    Raises:
        FloatingPointError: a value is not finite. The message names the value.
    """
    for name, value in report.items():
        if not math.isfinite(value):
            raise FloatingPointError(f"{kind}/{name} is {float(value)} at step {step}")


class Monitor:
    """Writes scalars and images to TensorBoard, and lines of progress to the log.

    Args:
        workdir: the run's directory; its folder `tensorboard` holds the event files.
        batch_size: images in a step, over all replicas.
        plan: the phases of the run, to estimate the time that is left; None if they are not known.

    Raises:
        OSError: the events cannot be written. The message names the folder. Every method may raise this error.
    """

    def __init__(self, workdir: str | os.PathLike, batch_size: int, plan: Plan | None = None):
        self._directory = pathlib.Path(workdir) / "tensorboard"
        with self._errors_named():
            # TensorFlow refuses a str that is not UTF-8, but accepts bytes.
            self._writer = tf.summary.create_file_writer(os.fsencode(self._directory))
        self._batch_size, self._plan = batch_size, plan
        self._last: tuple[str, int, float] | None = None

    def scalars(self, kind: str, phase: str, report: Mapping[str, float], step: int, last_step: int) -> None:
        """Writes the report of a training step to TensorBoard, and a line about it to the log.

        Args:
            kind: the kind of the phase, see `scalar_tags`.
            phase: the name of the phase.
            report: dict of scalar floats.
            step: number of steps of this kind taken so far.
            last_step: the number of the phase's last step.
        """
        report = {name: float(value) for name, value in report.items()}
        speed = self._images_per_second(kind, step)
        with self._written(step):
            for name, value in (report | speed).items():
                # TensorFlow would keep every Python number, so arrays are used.
                tf.summary.scalar(scalar_tag(kind, name), np.asarray(value))
        values = [f"{short} {report[name]:.3g}" for name, short in _SHOWN.items() if name in report]
        values += [f"{value:.0f} images/s" for value in speed.values()]
        values += [self._time_left(kind, phase, step, last_step, self._batch_size / value) for value in speed.values()]
        place = (phase, kind, step, last_step, step * self._batch_size)
        logging.info("%s, %s step %d of %d (%d images): %s", *place, ", ".join(values))
        if "mask_mean" in report and (warning := collapse_warning(report["mask_mean"], report["masks_full"])):
            logging.warning(warning)

    def _images_per_second(self, kind: str, step: int) -> dict[str, float]:
        now, last = time.perf_counter(), self._last
        self._last = (kind, step, now)
        if last is None or last[0] != kind or step <= last[1]:
            return {}  # at the beginning of a phase there is no speed yet
        return {"images_per_second": (step - last[1]) * self._batch_size / (now - last[2])}

    def _time_left(self, kind: str, phase: str, step: int, last_step: int, seconds_per_step: float) -> str:
        words = f"{duration((last_step - step) * seconds_per_step)} left"
        in_all = None if self._plan is None else self._plan.time_left(kind, phase, step, seconds_per_step)
        return words if in_all is None else f"{words} in this phase, {in_all} for the rest of the run"

    def settings(self, values: Mapping[str, object]) -> None:
        """Writes the run's settings for TensorBoard's page HParams, which compares runs."""
        simple = {
            name: value if isinstance(value, bool | int | float) else printable(str(value))
            for name, value in values.items()
        }
        with self._written(0):
            hparams.hparams(simple, trial_id=printable(str(self._directory.parent)))

    def precision_recall(self, name: str, probabilities: np.ndarray, masks: np.ndarray, step: int) -> None:
        """Writes the precision-recall curve of all pixels.

        Args:
            name: the name of the split of photos, such as "validation".
            probabilities, masks: see `precision_recall.precision_recall`.
            step: the step of the GAN.
        """
        about = pr_curve.create_summary_metadata(f"{name}/precision_recall", "", THRESHOLDS)
        with self._written(step):
            tf.summary.write(f"{name}/precision_recall", precision_recall(probabilities, masks), metadata=about)

    def evaluation(self, kind: str, metrics: Mapping[str, float], step: int) -> None:
        """Writes metrics that were measured at a step of the GAN.

        `kind` is "validation" for metrics of the segmenter, and "synthetic" for metrics of the GAN's masks.
        """
        with self._written(step):
            for name, value in metrics.items():
                tf.summary.scalar(scalar_tag(kind, name), value)

    def image(self, name: str, image: np.ndarray, step: int) -> None:
        """Writes an image, uint8 [height, width, rgb]."""
        with self._written(step):
            tf.summary.image(name, image[None])
            self._writer.flush()

    @contextlib.contextmanager
    def _written(self, step: int) -> Iterator[None]:
        with self._errors_named(), self._writer.as_default(np.int64(step)):
            yield

    @contextlib.contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except tf.errors.OpError as error:  # TensorFlow raises this for a full disk
            raise OSError(f"TensorBoard's events could not be written to {self._directory}: {error.message}") from error
