"""The log of a phase. Every few seconds, it gets a line with the means of the steps' results."""

import logging
import time
from typing import Any

import jax
import numpy as np

_SECONDS = 5.0  # shortest time between two lines of the log
_HEALTHY_MASKS = (0.02, 0.9)  # range of the masks' mean; outside it, one layer covers the whole image
_COLLAPSED_LINES = 4  # the masks have collapsed if their mean is outside the range in this many consecutive lines


class StepLog:
    """Logs the means of the steps' results, and stops a run that has gone wrong.

    Args:
        program: the program's name.
        results: the names of a step's results.
        batch_size: number of images in a step.

    Attributes:
        history: a dict for each line. It has "program", "step" and the mean of each result since the previous line.
    """

    def __init__(self, program: str, results: list[str], batch_size: int):
        self._program, self._results, self._batch_size = program, results, batch_size
        self._rows: list[np.ndarray] = []
        self._pending: tuple[jax.Array, int, float] | None = None
        self._logged, self._collapsed = time.monotonic(), 0
        self.history: list[dict[str, Any]] = []

    def add(self, report: jax.Array, step: int, share: float) -> None:
        """Stores the results of a chunk of steps, and logs the results of the previous chunk.

        This method does not wait until the device has finished the new chunk.

        Args:
            report: the results, float32 [step, result].
            step: number of steps taken so far, including this chunk.
            share: the fraction of the full learning rates that the last of these steps uses.

        Raises:
            FloatingPointError: if a result of the previous chunk is not finite. The message names the result.
            RuntimeError: if the masks have collapsed.
        """
        self._read(last=False)
        self._pending = report, step, share

    def close(self) -> None:
        """Waits for the last chunk and logs its results. Raises the same errors as `add`."""
        self._read(last=True)

    def _read(self, last: bool) -> None:
        if self._pending is None:
            return
        rows, step, share = np.asarray(self._pending[0]), *self._pending[1:]
        finite = np.isfinite(rows).all(axis=0)
        if not finite.all():
            name = self._results[int(finite.argmin())]
            raise FloatingPointError(f"{self._program}: {name} is not finite in one of the steps before step {step}")
        self._rows.append(rows)
        if last or time.monotonic() - self._logged > _SECONDS:
            self._write_line(step, share)

    def _write_line(self, step: int, share: float) -> None:
        rows, now = np.concatenate(self._rows), time.monotonic()
        speed = len(rows) * self._batch_size / (now - self._logged)
        self._rows, self._logged = [], now
        means = dict(zip(self._results, rows.mean(axis=0, dtype=np.float64).round(5).tolist(), strict=True))
        self.history.append({"program": self._program, "step": step, **means})
        values = " ".join(f"{name} {value:.3f}" for name, value in means.items())
        logging.info("%s %d (%.0f images/s, rate %.2f): %s", self._program, step, speed, share, values)
        least, most = _HEALTHY_MASKS
        self._collapsed = 0 if least <= means.get("mask_mean", least) <= most else self._collapsed + 1
        if self._collapsed == _COLLAPSED_LINES:
            raise RuntimeError(f"masks cover {means['mask_mean']:.3f} of the image, allowed: {least} to {most}")
