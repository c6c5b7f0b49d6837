"""What a run shows while it trains: TensorBoard, one line of progress, and an alarm in words."""

import math
import pathlib
import time

import tensorflow as tf
from absl import logging

_TOO_MUCH, _TOO_LITTLE = 0.9, 0.02


def collapse_warning(mask_mean):
    """Says in words whether the decomposition into layers has collapsed, and what to change.

    Args:
        mask_mean: mean of the generated masks, in [0, 1].

    Returns:
        str, or None where the mean is between 0.02 and 0.9.
    """
    if mask_mean > _TOO_MUCH:
        return (
            f"all as foreground: masks cover {mask_mean:.0%} of the picture and the background is never seen. "
            "Raise perturbation.shift or lower perturbation.scale_exponent, so that the seam shows."
        )
    if mask_mean < _TOO_LITTLE:
        return (
            f"all as background: masks cover {mask_mean:.0%} of the picture and the background paints everything. "
            "Raise gan.gamma_mi, so that the private code must show in picture and mask."
        )
    return None


def check_finite(kind, report, step):
    """Stops a run that has gone wrong for good.

    Args:
        kind: see `schedule.Phase`.
        report: dict of scalar floats, a training step's loss terms and gradient norms.
        step: int, steps taken.

    Raises:
        FloatingPointError: if a value is not finite; names the term.
    """
    for name, value in report.items():
        if not math.isfinite(value):
            raise FloatingPointError(f"{kind}/{name} is {float(value)} at step {step}: the run stops here")


class Monitor:
    """Writes scalars and pictures to TensorBoard and stops a run that is no longer finite.

    Args:
        workdir: the run's directory; event files go to its folder `tensorboard`.
        batch_size: pictures a step, over all replicas.
    """

    def __init__(self, workdir, batch_size):
        self._writer = tf.summary.create_file_writer(str(pathlib.Path(workdir) / "tensorboard"))
        self._batch_size = batch_size
        self._last = None

    def scalars(self, kind, report, step):
        """Writes a training step's report and prints its line.

        Args:
            kind: see `schedule.Phase`, the prefix of the names.
            report: dict of scalar floats.
            step: int, steps taken.

        """
        report = {name: float(value) for name, value in report.items()}
        report |= self._images_per_second(kind, step)
        with self._writer.as_default(step):
            for name, value in report.items():
                tf.summary.scalar(f"{kind}/{name}", value)
        values = " ".join(f"{name} {value:.3g}" for name, value in report.items())
        logging.info("%s step %d (%d images): %s", kind, step, step * self._batch_size, values)
        if "mask_mean" in report and (warning := collapse_warning(report["mask_mean"])):
            logging.warning(warning)

    def _images_per_second(self, kind, step):
        now, last = time.perf_counter(), self._last
        self._last = (kind, step, now)
        if last is None or last[0] != kind or step <= last[1]:
            return {}  # a phase begins: there is nothing to measure from
        return {"images_per_second": (step - last[1]) * self._batch_size / (now - last[2])}

    def evaluation(self, metrics, step):
        """Writes the segmenter's figures on the validation pictures against the GAN's step."""
        with self._writer.as_default(step):
            for name, value in metrics.items():
                tf.summary.scalar(f"validation/{name}", value)

    def picture(self, name, image, step):
        """Writes a picture, uint8 [height, width, rgb]."""
        with self._writer.as_default(step):
            tf.summary.image(name, image[None])
        self._writer.flush()
