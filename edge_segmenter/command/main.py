"""The entry point of the command.

It imports the other modules late, so that Ctrl-C always ends the command with one line.
"""

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line. Returns the exit status."""
    try:
        from .run import run  # this import takes seconds on a small device

        return run(argv)
    except KeyboardInterrupt:
        print("edge-segmenter: stopped", file=sys.stderr)
        return 1
