"""A time limit for code that might run for ever, such as a search with a regular expression."""

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises TimeoutError if the block takes longer than `seconds`.

    There is no limit outside the main thread, because only the main thread gets signals. There is no limit on Windows
    either, because Windows has no SIGALRM.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return
    previous = signal.signal(signal.SIGALRM, _expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _expire(*_: object) -> None:
    raise TimeoutError
