"""SIGTERM, which a cluster sends before it takes a machine away: the run saves its state and can go on later."""

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: not finished, run the same command again


class Preempted(SystemExit):
    """Ends the program with `EXIT_CODE`."""

    def __init__(self) -> None:
        super().__init__(EXIT_CODE)


class Sigterm:
    """Remembers whether SIGTERM has come, and delays its effect where the program must not stop.

    Attributes:
        requested: whether the signal has come.
    """

    def __init__(self) -> None:
        self.requested, self._defers = False, False

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Delays `Preempted` to the end of the body. The body may read `requested` to end sooner."""
        self._defers = True
        try:
            yield
        finally:
            self._defers = False
        if self.requested:
            raise Preempted

    def handle(self, *_: Any) -> None:
        """Handles the signal."""
        self.requested = True
        if not self._defers:
            raise Preempted


@contextlib.contextmanager
def preemptible() -> Iterator[Sigterm]:
    """Makes SIGTERM raise `Preempted` in the body, at once or when `Sigterm.deferred` ends; yields the `Sigterm`.

    For the main thread only, like all signal handlers in Python.
    """
    sigterm = Sigterm()
    previous = signal.signal(signal.SIGTERM, sigterm.handle)
    try:
        yield sigterm
    finally:
        signal.signal(signal.SIGTERM, previous)
