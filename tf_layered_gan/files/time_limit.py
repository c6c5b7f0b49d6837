"""Ends what would take too long, such as a regular expression that tries every way to match."""

import contextlib
import signal


@contextlib.contextmanager
def time_limit(seconds):
    """Within it, TimeoutError comes after so many seconds; for the main thread alone, as are all signals in Python."""
    previous = signal.signal(signal.SIGALRM, _expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _expire(*_):
    raise TimeoutError
