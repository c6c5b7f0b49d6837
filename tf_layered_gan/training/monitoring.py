"""Monitoring of a run: TensorBoard scalars and images, a line of progress, and a warning about a collapse."""

import contextlib
import math
import os
import pathlib
import time
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf
from absl import logging

_TOO_MUCH, _TOO_LITTLE, _TOO_MANY = 0.75, 0.1, 0.2
_ALIKE = 0.05
# The values in a line of progress and their names there; TensorBoard has all values.
_SHOWN = {
    "generator_adversarial": "G",
    "discriminator_adversarial": "D",
    "mutual_information_image": "MI of image",
    "mutual_information_mask": "MI of mask",
    "mask_mean": "masks cover",
    "segmentation": "segmentation",
    "consistency": "consistency",
}


def collapse_warning(mask_mean: float, masks_full: float = 0.0) -> str | None:
    """Describes a collapse of the decomposition into layers, and what to change.

    Args:
        mask_mean: mean of the synthetic masks, in [0, 1].
        masks_full: share of the masks that fill the image, in [0, 1].

    Returns:
        str, or None if the mean is between 0.1 and 0.75 and at most a fifth of the masks fill the image.
    """
    if mask_mean > _TOO_MUCH:
        return (
            f"all as foreground: masks cover {mask_mean:.0%} of the image and the background is never seen. "
            "Raise perturbation.shift or lower perturbation.scale_exponent, so that the seam around the object shows."
        )
    if mask_mean < _TOO_LITTLE:
        return (
            f"all as background: masks cover {mask_mean:.0%} of the image and the background paints everything. "
            "Raise gan.gamma_mi, so that the private code must show in image and mask."
        )
    if masks_full > _TOO_MANY:
        return (
            f"all as foreground, in part: {masks_full:.0%} of the masks fill the image. Raise networks.mask_centring "
            "or lower perturbation.scale_exponent, or exclude such pairs from the segmenter with segmenter.mask_size."
        )
    return None


def variety_warning(synthetic: Mapping[str, float]) -> str | None:
    """Describes a lack of silhouettes in `gan_figures.evaluate_synthetic_masks`' figures, and what to change.

    Returns:
        str, or None if at most a twentieth of the pairs of masks are alike, as with 20 equally frequent silhouettes.
    """
    if synthetic["pairs_alike"] <= _ALIKE:
        return None
    return (
        f"few silhouettes: {synthetic['silhouettes']:.0f} among {synthetic['pictures']:.0f} masks, and "
        f"{synthetic['pairs_alike']:.0%} of the pairs of masks are alike; z explains {synthetic['variance_z']:.0%} of "
        f"their variance, the code {synthetic['variance_code']:.0%}. See docs/training.md."
    )


def check_finite(kind: str, report: Mapping[str, float], step: int) -> None:
    """Raises an error if a value of a step's report is not finite.

    Raises:
        FloatingPointError: a value is not finite; names the term.
    """
    for name, value in report.items():
        if not math.isfinite(value):
            raise FloatingPointError(f"{kind}/{name} is {float(value)} at step {step}")


class Monitor:
    """Writes scalars and images to TensorBoard, and lines of progress to the log.

    Args:
        workdir: the run's directory; its folder `tensorboard` holds the event files.
        batch_size: images in a step, over all replicas.

    Raises:
        OSError: the events cannot be written; names the folder. Every method may raise it.
    """

    def __init__(self, workdir: str | os.PathLike, batch_size: int):
        self._directory = pathlib.Path(workdir) / "tensorboard"
        with self._errors_named():
            # As bytes, because TensorFlow refuses a str that is not UTF-8.
            self._writer = tf.summary.create_file_writer(os.fsencode(self._directory))
        self._batch_size = batch_size
        self._last: tuple[str, int, float] | None = None

    def scalars(self, kind: str, phase: str, report: Mapping[str, float], step: int, last_step: int) -> None:
        """Writes the report of a training step to TensorBoard, and a line of it to the log.

        Args:
            kind: the kind of the phase, the prefix of the scalars' names.
            phase: the name of the phase.
            report: dict of scalar floats.
            step: steps taken.
            last_step: the number of the phase's last step.
        """
        report = {name: float(value) for name, value in report.items()}
        speed = self._images_per_second(kind, step)
        with self._written(step):
            for name, value in (report | speed).items():
                tf.summary.scalar(f"{kind}/{name}", np.asarray(value))  # TensorFlow keeps every Python number
        values = [f"{short} {report[name]:.3g}" for name, short in _SHOWN.items() if name in report]
        values += [f"{value:.0f} images/s" for value in speed.values()]
        place = (phase, kind, step, last_step, step * self._batch_size)
        logging.info("%s, %s step %d of %d (%d images): %s", *place, ", ".join(values))
        if "mask_mean" in report and (warning := collapse_warning(report["mask_mean"], report["masks_full"])):
            logging.warning(warning)

    def _images_per_second(self, kind: str, step: int) -> dict[str, float]:
        now, last = time.perf_counter(), self._last
        self._last = (kind, step, now)
        if last is None or last[0] != kind or step <= last[1]:
            return {}  # a phase has just begun
        return {"images_per_second": (step - last[1]) * self._batch_size / (now - last[2])}

    def evaluation(self, kind: str, metrics: Mapping[str, float], step: int) -> None:
        """Writes figures at a step of the GAN: of the segmenter ("validation") or of the GAN's masks ("synthetic")."""
        with self._written(step):
            for name, value in metrics.items():
                tf.summary.scalar(f"{kind}/{name}", value)

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
        except tf.errors.OpError as error:  # TensorFlow has an error of its own for a full disk
            raise OSError(f"TensorBoard's events could not be written to {self._directory}: {error.message}") from error
