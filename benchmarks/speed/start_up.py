"""Measurement of the time that imports take, and of the time from the training command to the first step.

    python -m benchmarks.speed.start_up imports
    python -m benchmarks.speed.start_up first_step folder small shapes

`imports` compares two imports: TensorFlow and Keras alone, and everything that training imports. The two imports take
turns, each in a new process. The Markdown table has the medians of their times, and the ratio of the medians.

`first_step` starts a run with each config on made-up photos, stops the run after its first step, and prints a Markdown
table. Configs that do not read a folder of photos, such as those of the paper's datasets, use the images of shapes that
the program draws. The memory is read from /proc (Linux). *Own memory* does not include pages of mapped files, because
the system can take them back at any time.
"""

import dataclasses
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

import numpy as np
from absl import app, flags
from PIL import Image

from tf_layered_gan.command_line import command_errors
from tf_layered_gan.config import shipped

BARE = "import tensorflow, keras"
TRAINING = "from tf_layered_gan import main, train"
_FIRST_STEP = re.compile(r" step 1 of \d+ ")
_BEGIN = re.compile(r"the first is compiled")
_EVERY = 0.1  # seconds


@dataclasses.dataclass
class Start:
    """The start of a run.

    Attributes:
        ready: seconds until the first step begins.
        first_step: seconds until the first step is done.
        cpu: CPU seconds of the process until the first step is done. Other work on the machine hardly changes this
            figure.
        own_memory: peak memory of the process, without mapped files, up to the end of its first step, in bytes.
        memory: peak memory of the process, including mapped files, up to the end of its first step, in bytes.
    """

    ready: float
    first_step: float
    cpu: float
    own_memory: int
    memory: int


def first_step(arguments: Sequence[str], workdir: pathlib.Path) -> Start:
    """Starts a run, waits for the line about its first step, and stops the run with SIGTERM.

    Raises:
        ChildProcessError: if the run ends before its first step.
    """
    log = workdir.parent / f"{workdir.name}.log"
    command = [sys.executable, "-m", "tf_layered_gan.main", *arguments, f"--workdir={workdir}"]
    begin, ready, own, most = time.monotonic(), 0.0, 0, 0
    with open(log, "wb") as output:
        process = subprocess.Popen([*command, "--config.monitoring.scalars_every=1"], stdout=output, stderr=output)
    try:
        while not _FIRST_STEP.search(text := log.read_text(errors="replace")):
            if process.poll() is not None:
                raise ChildProcessError(f"the run ended before its first step: {text[-500:]}")
            if not ready and _BEGIN.search(text):
                ready = time.monotonic() - begin
            own, most = max(own, _memory(process.pid, "RssAnon")), max(most, _memory(process.pid, "VmRSS"))
            time.sleep(_EVERY)
        now = time.monotonic() - begin
        return Start(ready or now, now, _cpu_seconds(process.pid), own, most)
    finally:
        process.terminate()
        process.wait()


def _memory(process_id: int, name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", pathlib.Path(f"/proc/{process_id}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def _cpu_seconds(process_id: int) -> float:
    values = pathlib.Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    user, system = map(int, values[11:13])
    return (user + system) / os.sysconf("SC_CLK_TCK")


def write_photos(folder: pathlib.Path, count: int) -> None:
    """Writes JPEGs of 512x384 pixels that show coloured clouds with noise.

    Each file has about 75 kB, like a photo of this size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for number in range(count):
        clouds = Image.fromarray(random.integers(0, 256, (12, 16, 3), np.uint8)).resize(
            (512, 384), Image.Resampling.BICUBIC
        )
        pixels = np.asarray(clouds) + random.normal(0, 12, (384, 512, 1))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{number:05}.jpg", quality=85)


def _arguments(name: str, photos: pathlib.Path) -> list[str]:
    chosen = [f"--config={name}"]
    if name == "shapes":
        return chosen
    if name in ("folder", "small"):
        return [*chosen, f"--config.data.path={photos}"]
    return [*chosen, "--config.data.source=shapes", "--config.data.train_pictures=1000"]


def _first_steps(names: Sequence[str], extra: Sequence[str]) -> None:
    print(
        "| config | s until the first step begins | s until it is done | CPU s "
        "| own memory, MiB | all resident memory, MiB |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as place:
        write_photos(pathlib.Path(place, "photos"), flags.FLAGS.photos)
        for name in names:
            arguments = [*_arguments(name, pathlib.Path(place, "photos")), *extra]
            start = first_step(arguments, pathlib.Path(place, name))
            memory = f"{start.own_memory / 2**20:,.0f} | {start.memory / 2**20:,.0f}"
            print(f"| {name} | {start.ready:.1f} | {start.first_step:.1f} | {start.cpu:.1f} | {memory} |", flush=True)


def _imports(pairs: int) -> None:
    wall: dict[str, list[float]] = {BARE: [], TRAINING: []}
    cpu: dict[str, list[float]] = {BARE: [], TRAINING: []}
    for _ in range(pairs):
        for code in wall:
            begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", code], check=True, stderr=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            wall[code].append(time.monotonic() - begin)
            cpu[code].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(f"| medians of {pairs} | {BARE} | {TRAINING} | ratio |\n| --- | ---: | ---: | ---: |")
    for name, seconds in (("wall time, s", wall), ("CPU time, s", cpu)):
        bare, all_of_it = (float(np.median(seconds[code])) for code in (BARE, TRAINING))
        print(f"| {name} | {bare:.2f} | {all_of_it:.2f} | {all_of_it / bare:.2f} |")


def main(argv: list[str]) -> None:
    """Measures imports or first steps, as the first argument says."""
    with command_errors():
        if argv[1:] == ["imports"]:
            _imports(flags.FLAGS.pairs)
        elif argv[1:2] == ["first_step"]:
            names = [name for name in argv[2:] if not name.startswith("--")]
            _first_steps(names or sorted(shipped.names()), [name for name in argv[2:] if name.startswith("--")])
        else:
            raise app.UsageError(f"arguments are {argv[1:]}, allowed: imports, or first_step and names of configs")


if __name__ == "__main__":
    flags.DEFINE_integer("pairs", 5, "With imports: how often each of the two imports is timed.", lower_bound=1)
    flags.DEFINE_integer("photos", 500, "With first_step: number of made-up photos.", lower_bound=3)
    app.run(main)
