"""Text for the terminal. A file name may hold any character, and the terminal may be gone."""

import contextlib
import os
from typing import TextIO


def printable(text: str) -> str:
    """Returns the text on one line, with escape codes if it has characters that cannot be printed."""
    return text if text.isprintable() else ascii(text)[1:-1]


def say(text: str, stream: TextIO) -> None:
    """Prints a line and flushes it. If nobody can read it, because the terminal was closed, there is no error."""
    try:
        print(printable(text), file=stream, flush=True)
    except OSError:
        with contextlib.suppress(OSError, ValueError):  # otherwise Python prints an error when it exits
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
