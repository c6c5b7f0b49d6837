"""SIGTERM, which a cluster sends before it takes a machine away: a run saves what it has and says that it can go on."""

import contextlib
import signal

EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: not done, but the same command goes on


class Preempted(SystemExit):
    """Ends the program with `EXIT_CODE`."""

    def __init__(self):
        super().__init__(EXIT_CODE)


@contextlib.contextmanager
def preemptible():
    """Within it, SIGTERM raises `Preempted`, at once unless `Sigterm.deferred`; yields the `Sigterm`.

    For the main thread alone, as are all signals in Python.
    """
    sigterm = Sigterm()
    previous = signal.signal(signal.SIGTERM, sigterm.handle)
    try:
        yield sigterm
    finally:
        signal.signal(signal.SIGTERM, previous)


class Sigterm:
    """Whether the signal has come, and whether it has to wait.

    Attributes:
        requested: whether it has come.
    """

    def __init__(self):
        self.requested, self._defers = False, False

    @contextlib.contextmanager
    def deferred(self):
        """Marks a stretch that cannot end anywhere: `requested` says whether it is to end soon."""
        self._defers = True
        try:
            yield
        finally:
            self._defers = False
        if self.requested:
            raise Preempted

    def handle(self, *_):
        """What the signal does."""
        self.requested = True
        if not self._defers:
            raise Preempted
