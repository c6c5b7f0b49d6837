"""A limited amount of a resource, such as memory, that threads share."""

import contextlib
import threading
from collections.abc import Iterator


class Budget:
    """A total amount of a resource. Threads reserve parts of this amount."""

    def __init__(self, total: int):
        self._total, self._left, self._changed = total, total, threading.Condition()

    @contextlib.contextmanager
    def reserved(self, amount: int) -> Iterator[None]:
        """Waits until the amount is free, and reserves it until the end of the `with` block.

        An amount above the total is reduced to the total.
        """
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
