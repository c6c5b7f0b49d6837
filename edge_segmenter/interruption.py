"""Ctrl-C, SIGTERM and the end of the terminal, taken as the wish to end when what is under way is finished."""

import contextlib
import signal
import threading


@contextlib.contextmanager
def interruption():
    """Yields a threading.Event that is set by Ctrl-C, SIGTERM or SIGHUP, which do nothing else meanwhile."""
    event = threading.Event()
    signals = signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])  # not on Windows
    before = [signal.signal(number, lambda *_: event.set()) for number in signals]
    try:
        yield event
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
