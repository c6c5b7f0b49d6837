"""Shares what there is of something, such as memory, among threads."""

import contextlib
import threading


class Room:
    """A limited amount of something.

    Args:
        total: how much there is.
    """

    def __init__(self, total):
        self._total, self._left, self._changed = total, total, threading.Condition()

    @contextlib.contextmanager
    def taken(self, amount):
        """Within it, the thread has its amount, for which it may have to wait; all there is, where it wants more."""
        amount = min(amount, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= amount)
            self._left -= amount
        try:
            yield
        finally:
            with self._changed:
                self._left += amount
                self._changed.notify_all()
