"""A long training run that shows whether memory and speed stay the same.

    python -m benchmarks.speed.soak --minutes=60 --workdir=runs/soak -- --config=configs/shapes.py

The flags after `--` are passed to `tf_layered_gan.main`. The run must not end before the given time is over. Its
resident memory is read from /proc every ten seconds (Linux). The number of images per second is read from the progress
lines that the run prints. The first tenth of the time is left out, because the run is still starting at that time. A
straight line is fitted to the other readings. Its slope is the change in an hour.
"""

import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np
from absl import app, flags

from tf_layered_gan.command_line import command_errors, define_path

_EVERY = 10.0  # seconds
_WARM_UP = 0.1  # this fraction of the time, at the beginning, is left out
_ENDLESS = 10_000  # the largest number of rounds that a config may have


def slope(seconds: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Fits a straight line by least squares. Returns its rise in an hour and the mean of the values."""
    rise, _ = np.polyfit(np.asarray(seconds) / 3600, values, 1)
    return float(rise), float(np.mean(values))


def resident_bytes(process_id: int) -> int:
    """Returns the resident memory of a process in bytes, or 0 if the process has just ended."""
    status = pathlib.Path(f"/proc/{process_id}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def soak(command: list[str], seconds: float, log: str | pathlib.Path) -> dict[str, list[tuple[float, float]]]:
    """Runs a training command for some time, writes its output to a file, and then stops the command with SIGTERM.

    Returns:
        dict with "memory" in bytes and "speed" in images per second of the GAN's steps. Both are lists of pairs
        (seconds, value).

    Raises:
        ChildProcessError: if the training ends before `seconds` are over.
    """
    begin, memory, speed = time.monotonic(), [], []
    with open(log, "wb") as output, open(log) as lines:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        while (now := time.monotonic() - begin) < seconds:
            time.sleep(_EVERY)
            if process.poll() is not None:
                raise ChildProcessError(f"the run ended after {now:.0f} s: see {log}")
            memory.append((now, float(resident_bytes(process.pid))))
            speed += [(now, float(rate)) for rate in re.findall(r"gan step .* (\d+) images/s", lines.read())]
        process.terminate()
        process.wait()
    return {"memory": memory, "speed": speed}


def main(argv: list[str]) -> None:
    """Prints the slopes of memory and speed."""
    workdir, seconds = pathlib.Path(flags.FLAGS.workdir), 60 * flags.FLAGS.minutes
    workdir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tf_layered_gan.main", *argv[1:], f"--workdir={workdir}"]
    with command_errors():
        measured = soak([*command, f"--config.schedule.rounds={_ENDLESS}"], seconds, workdir / "soak.log")
    for name, unit, scale in (("memory", "MiB", 2**20), ("speed", "images/s", 1)):
        times, values = np.array([pair for pair in measured[name] if pair[0] > _WARM_UP * seconds]).T
        rise, mean = slope(times, values / scale)
        change = f"{rise:+,.1f} an hour ({rise / mean:+.2%})"
        print(f"{name}: {mean:,.1f} {unit} (mean of {len(values)} readings), {change}")


if __name__ == "__main__":
    flags.DEFINE_float("minutes", 60, "How long to train.", lower_bound=1)
    define_path("workdir", "The run's directory.", required=True)
    app.run(main)
