"""Training with Algorithm 1 within a time budget."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import figures
import numpy as np
from engine import Engine
from plan import Plan
from step_log import StepLog

from tf_layered_gan.runs.learning_curve import LearningCurve


class Trainer:
    """Trains a GAN and a segmenter with an engine.

    Args:
        engine: runs the programs.
        plan: the lengths of the phases.
        curve: the learning curve. It gets a point after each round and at the end.
        deadline: the time at which training must have ended, as a value of `time.monotonic`.

    Attributes:
        grids: an image grid for each round, and one for the end. A grid is uint8 [height, width, rgb].
        progress: dict for record.json. "rounds" is the number of finished rounds. "gan_step", "segmenter_step" and
            "final_step" are the numbers of steps taken. "seconds" is the time of training. "cut" is True if the time
            ran out before all steps of the plan were done. "history" has the lines of all logs, see `StepLog`. At the
            end, "synthetic", "validation" and "test" are added, see `figures`.
    """

    def __init__(self, engine: Engine, plan: Plan, curve: LearningCurve, deadline: float):
        self._engine, self._plan, self._curve, self._deadline = engine, plan, curve, deadline
        self.grids: list[np.ndarray] = []
        self.progress: dict[str, Any] = {"rounds": 0, "gan_step": 0, "segmenter_step": 0, "final_step": 0}
        self.progress |= {"seconds": 0.0, "cut": False, "history": []}

    def train(self) -> Iterator[str]:
        """Trains. After each round and at the end, yields the name of the phase.

        The caller can then save the results so far.
        """
        plan, progress = self._plan, self.progress
        while progress["rounds"] < plan.rounds and not progress["cut"]:
            self._train_gan()
            self._run("segmenter", "segmenter_step", plan.segmenter_steps)
            progress["rounds"] += 1
            yield self._measure(f"round {progress['rounds']}")
        self._run("final", "final_step", plan.final_steps, first_draw=progress["segmenter_step"])
        progress["synthetic"] = figures.synthetic_masks(self._engine)
        progress |= {split: figures.segmentation(self._engine, split) for split in ("validation", "test")}
        logging.info("test: %s", progress["test"])
        yield self._measure(f"round {progress['rounds']}, final")

    def _train_gan(self) -> None:
        plan, name = self._plan, "gan_later" if self.progress["rounds"] else "gan_first"
        deadline = self._deadline - plan.seconds_after_gan(self._engine.seconds_a_step)
        self._run(name, "gan_step", plan.gan_steps, share=plan.learning_rate_share, deadline=deadline)

    def _run(
        self,
        program: str,
        counter: str,
        steps: int,
        *,
        share: Callable[[int], float] = lambda step: 1.0,
        first_draw: int = 0,
        deadline: float = math.inf,
    ) -> None:
        engine, begin, first_step = self._engine, time.monotonic(), self.progress[counter]
        log = StepLog(program, engine.results(program), engine.batch_size)
        for step in range(first_step, first_step + steps, engine.chunk):
            if time.monotonic() > deadline:
                logging.warning("%s: out of time at step %d of %d", program, step, first_step + steps)
                self.progress["cut"] = True
                break
            shares = [share(step + i + 1) for i in range(engine.chunk)]
            report = engine.take_steps(program, first_draw + step, shares)
            self.progress[counter] = step + engine.chunk
            log.add(report, step + engine.chunk, shares[-1])
        log.close()
        self.progress["history"] += log.history
        self.progress["seconds"] += time.monotonic() - begin

    def _measure(self, phase: str) -> str:
        metrics = figures.segmentation(self._engine, "validation")
        if metrics is not None:
            self._curve.append(phase, self.progress["gan_step"] * self._engine.batch_size, metrics)
        logging.info("%s: validation %s", phase, metrics)
        logging.info("masks of the averaged generators: %s", figures.synthetic_masks(self._engine))
        self.grids.append(figures.grid(self._engine))
        return phase
