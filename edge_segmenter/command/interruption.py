"""Handling of Ctrl-C, SIGTERM and a closed terminal, so that the current work can finish."""

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def interruption() -> Iterator[threading.Event]:
    """Yields an event that is set by SIGINT (Ctrl-C), SIGTERM or SIGHUP.

    The first signal in the block only sets the event.

    A second signal has its usual effect, so that a hanging program can be ended. Under `nohup`, SIGHUP stays ignored.
    Only the main thread can receive signals. In another thread, nothing sets the event.
    """
    event = threading.Event()
    before = {number: signal.getsignal(number) for number in _signals()}

    def ask(*_: object) -> None:
        event.set()
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)  # a handler that was not set from Python is None

    for number in before:
        signal.signal(number, ask)
    try:
        yield event
    finally:
        restore()


def _signals() -> list[signal.Signals]:
    if threading.current_thread() is not threading.main_thread():
        return []
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # not on Windows
        numbers.append(signal.SIGHUP)
    return numbers
