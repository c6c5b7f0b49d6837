"""Handling of Ctrl-C, SIGTERM and a closed terminal. The command prints one line, and ends with the signal's exit code.

The first signal raises `Interrupted`, so that temporary files are removed. The second signal ends the process at once.
During training, other handlers save the state first, see `training.preemption`.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

_PROGRAMS = ("tf_layered_gan.", "export.", "benchmarks.", "tf-layered-gan")


class Interrupted(SystemExit):
    """Ends the program after a signal.

    Args:
        number: the signal's number, or None if another worker got the signal.
        code: the exit code. The default, 128 + number, is the shells' convention.
    """

    def __init__(self, number: int | None, code: int | None = None):
        super().__init__(128 + (number or 0) if code is None else code)
        self.name = "another worker" if number is None else signal.Signals(number).name


@contextlib.contextmanager
def handled(handle: Callable[[int], Any]) -> Iterator[None]:
    """Calls `handle(number)` at the first SIGINT, SIGTERM or SIGHUP in the block. A second signal ends the process.

    Outside the main thread, does nothing, because Python allows signal handlers only in the main thread. An ignored
    SIGHUP stays ignored, because nohup relies on this. Shell scripts start background jobs with SIGINT ignored. If
    there is a terminal, an ignored SIGINT stays ignored, so that Ctrl-C does not end such a job.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _signals()}

    def first(number: int, _: Any) -> None:
        for other in before:
            signal.signal(other, signal.SIG_DFL)
        handle(number)

    for number in before:
        signal.signal(number, first)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_a_line(number: int) -> None:
    """Raises `Interrupted`."""
    raise Interrupted(number)


def hide_traceback_of_imports() -> None:
    """Shows one line instead of a traceback if Ctrl-C is pressed while one of our commands imports its modules."""
    words = sys.orig_argv
    program = words[words.index("-m") + 1] if "-m" in words[:-1] else os.path.basename(sys.argv[0])
    if program.startswith(_PROGRAMS):
        sys.excepthook = _one_line


def _signals() -> list[int]:
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    kept = {signal.SIGTERM} if _has_terminal() else {signal.SIGTERM, signal.SIGINT}
    return [number for number in numbers if number in kept or signal.getsignal(number) != signal.SIG_IGN]


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY))
    except OSError:
        return False
    return True


def _one_line(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("stopped by SIGINT", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)
