"""Profiles of training steps, made with TensorFlow's profiler."""

import contextlib
import os
import pathlib
from collections.abc import Callable, Iterator

import tensorflow as tf

from tf_layered_gan.files.paths import for_tensorflow

_WARM_UP = 5  # number of steps before the profile of a phase begins; the first step includes the compilation


class Profiler:
    """Profiles some steps of the first phase of each kind.

    Args:
        workdir: the run's directory. The profiles go to the folder of TensorBoard's events.
        steps: how many steps to profile; 0 for none.
    """

    def __init__(self, workdir: str | os.PathLike, steps: int):
        self._folder, self._steps = pathlib.Path(workdir) / "tensorboard", steps
        self._profiled: set[str] = set()

    @contextlib.contextmanager
    def phase(self, kind: str) -> Iterator[Callable[[int], None]]:
        """Yields a function that must be called before each step, with the number of the step, from 0.

        The end of the block also ends a profile that is still open.
        """
        wanted = self._steps > 0 and kind not in self._profiled
        with contextlib.ExitStack() as profile:

            def before_step(number: int) -> None:
                if wanted and number == _WARM_UP:
                    folder = profile.enter_context(for_tensorflow(self._folder))
                    profile.enter_context(tf.profiler.experimental.Profile(folder))
                    self._profiled.add(kind)
                if wanted and number == _WARM_UP + self._steps:
                    profile.close()

            yield before_step
