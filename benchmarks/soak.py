"""Trains for a while and measures whether memory and speed stay as they are.

    python -m benchmarks.soak --minutes=60 --workdir=runs/soak -- --config=configs/shapes.py

What follows `--` goes to `tf_layered_gan.main`, with a schedule that does not end before. The run's resident memory is
read every ten seconds (from /proc: Linux), its images per second are those of its lines of progress. After the first
tenth, in which it starts, a straight line is laid through each: its slope is what it would gain or lose in an hour.
"""

import pathlib
import re
import subprocess
import sys
import time

import numpy as np
from absl import app, flags

_EVERY = 10.0  # seconds
_WARM_UP = 0.1  # share of the time that is left out
_ENDLESS = 10_000  # rounds, as many as a config may have


def slope(seconds, values):
    """Lays a straight line through measurements, by least squares.

    Args:
        seconds: when each was taken.
        values: as many.

    Returns:
        (float, float): the line's rise in an hour, and the values' mean.
    """
    rise, _ = np.polyfit(np.asarray(seconds) / 3600, values, 1)
    return float(rise), float(np.mean(values))


def resident_bytes(process_id):
    """Reads how much memory a process holds, in bytes."""
    status = pathlib.Path(f"/proc/{process_id}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


def soak(command, seconds, log):
    """Runs a training for so long, and stops it with SIGTERM.

    Args:
        command: list of str.
        seconds: how long.
        log: file that its output goes to.

    Returns:
        dict from "memory" and "speed" to lists of (seconds, value): bytes, and images per second of the GAN's steps.

    Raises:
        RuntimeError: if it ends before.
    """
    begun, memory, speed = time.monotonic(), [], []
    with open(log, "wb") as output, open(log) as lines:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        while (now := time.monotonic() - begun) < seconds:
            time.sleep(_EVERY)
            if process.poll() is not None:
                raise RuntimeError(f"the run ended after {now:.0f} s: see {log}")
            memory.append((now, resident_bytes(process.pid)))
            speed += [(now, float(rate)) for rate in re.findall(r"gan step .* (\d+) images/s", lines.read())]
        process.terminate()
        process.wait()
    return {"memory": memory, "speed": speed}


def main(arguments):
    """Prints the two slopes."""
    workdir, seconds = pathlib.Path(flags.FLAGS.workdir), 60 * flags.FLAGS.minutes
    workdir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tf_layered_gan.main", *arguments[1:], f"--workdir={workdir}"]
    try:
        measured = soak([*command, f"--config.schedule.rounds={_ENDLESS}"], seconds, workdir / "soak.log")
    except RuntimeError as error:
        raise SystemExit(f"error: {error}") from error
    for name, unit, scale in (("memory", "MiB", 2**20), ("speed", "images/s", 1)):
        times, values = np.array([pair for pair in measured[name] if pair[0] > _WARM_UP * seconds]).T
        rise, mean = slope(times, values / scale)
        change = f"{rise:+,.1f} an hour ({rise / mean:+.2%})"
        print(f"{name}: {mean:,.1f} {unit} in the mean of {len(values)} readings, {change}")


if __name__ == "__main__":
    flags.DEFINE_float("minutes", 60, "How long to train.", lower_bound=1)
    flags.DEFINE_string("workdir", None, "The run's directory.", required=True)
    app.run(main)
