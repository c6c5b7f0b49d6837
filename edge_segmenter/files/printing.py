"""Printing to the terminal. The functions work for any file name, and even after the terminal was closed."""

import contextlib
import os
from typing import TextIO


def printable(text: str) -> str:
    """Returns the text on one line. Characters that cannot be printed become escape codes."""
    return text if text.isprintable() else ascii(text)[1:-1]


def say(text: str, stream: TextIO) -> None:
    """Prints a line and flushes it. Raises no error if the terminal was closed."""
    try:
        print(printable(text), file=stream, flush=True)
    except OSError:
        with contextlib.suppress(OSError, ValueError):  # otherwise Python would print an error when it exits
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
