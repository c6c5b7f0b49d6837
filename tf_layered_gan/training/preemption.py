"""Handling of signals during training: the run saves its state, and the same command continues it later.

A cluster sends SIGTERM before it takes a machine away. A terminal sends SIGINT for Ctrl-C, and SIGHUP when it is
closed.
"""

import contextlib
import signal
from collections.abc import Iterator

from absl import logging

from tf_layered_gan import interruption

EXIT_CODE = 75  # EX_TEMPFAIL in sysexits.h; it means "not finished, run the same command again"


class Preempted(interruption.Interrupted):
    """Ends the program with `EXIT_CODE` after SIGTERM, and with 128 + signal number after another signal.

    Args:
        number: the signal's number, or None if another worker got the signal.
    """

    def __init__(self, number: int | None = None) -> None:
        super().__init__(number, EXIT_CODE if number in (None, signal.SIGTERM) else None)


class Sigterm:
    """Remembers whether SIGTERM, SIGINT or SIGHUP has come.

    Delays the effect of a signal while the program must not stop.

    Attributes:
        number: the signal's number, or None.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._defers = False

    @property
    def requested(self) -> bool:
        """Whether a signal has come."""
        return self.number is not None

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Delays `Preempted` to the end of the body. The body may check `requested` in order to end early."""
        self._defers = True
        try:
            yield
        finally:
            self._defers = False
        if self.requested:
            raise Preempted(self.number)

    def handle(self, number: int) -> None:
        """Handles a signal."""
        self.number = number
        if not self._defers:
            raise Preempted(number)
        name = signal.Signals(number).name
        logging.info("%s: this step is finished and saved first; a second %s ends the run at once", name, name)


@contextlib.contextmanager
def preemptible() -> Iterator[Sigterm]:
    """Yields a `Sigterm`. A signal in the body raises `Preempted`, at once or when `Sigterm.deferred` ends.

    Only the main thread can handle signals. In another thread, the calling program has to handle signals.
    """
    sigterm = Sigterm()
    with interruption.handled(sigterm.handle):
        yield sigterm
