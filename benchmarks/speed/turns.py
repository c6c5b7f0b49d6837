"""Processes that wait for their turn, so that other work on the machine slows all of them equally."""

import json
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_ROOT = pathlib.Path(__file__).parents[2]
READY = "ready"

Turn = tuple[float, float]  # the seconds and the CPU seconds of a call


def serve(calls: Mapping[str, Callable[[], object]]) -> None:
    """Runs in a worker. Reads names of functions from the standard input, and calls them until the input ends.

    For each line it prints a JSON list: the seconds, the CPU seconds of all threads, and the function's result.
    """
    print(READY, flush=True)
    for line in sys.stdin:
        start, cpu = time.perf_counter(), time.process_time()
        result = calls[line.strip()]()
        print(json.dumps([time.perf_counter() - start, time.process_time() - cpu, result]), flush=True)


def describe_ratio(ours: Sequence[Turn], theirs: Sequence[Turn]) -> str:
    """Describes how much faster our side is.

    The text has the median ratio, its quartiles, and the ratio of CPU times.
    """
    ratios = [[their[i] / our[i] for our, their in zip(ours, theirs, strict=True)] for i in (0, 1)]
    low, middle, high = statistics.quantiles(ratios[0], n=4)
    return f"ratio {middle:.2f} (quartiles {low:.2f} to {high:.2f}; CPU time {statistics.median(ratios[1]):.2f})"


class Worker:
    """A process that calls `serve`. The constructor waits until the process is ready.

    Args:
        command: the command that starts the process, in the root of the repository.
        environment: the environment variables of the process; None means those of the caller.

    Raises:
        RuntimeError: if the process ends before it is ready.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None):
        self._command = command
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT, env=environment
        )
        self._read_until(READY)

    def take(self, name: str) -> tuple[float, float, Any]:
        """Lets the process call a function. Returns the seconds, the CPU seconds and the result of the function."""
        print(name, file=self._process.stdin, flush=True)
        seconds, cpu, result = json.loads(self._read_until("["))
        return seconds, cpu, result

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()

    def _read_until(self, start: str) -> str:
        assert self._process.stdout is not None  # stdout is a pipe
        for line in self._process.stdout:
            if line.startswith(start):
                return line
        self.close()
        raise RuntimeError(f"{' '.join(self._command)} ended with status {self._process.returncode}")
