"""Handling of Ctrl-C, SIGTERM and a closed terminal that lets the current work finish."""

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def interruption() -> Iterator[threading.Event]:
    """Yields an event that SIGINT (Ctrl-C), SIGTERM and SIGHUP set. Inside the block, they do nothing else."""
    event = threading.Event()
    signals = signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])  # not on Windows
    before = [signal.signal(number, lambda *_: event.set()) for number in signals]
    try:
        yield event
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
