"""One model in a process of its own, timed when it is told to.

    python -m benchmarks.peers.worker MODEL THREADS

For each line that it reads it runs the model at least once and for a tenth of a second, and prints a JSON list of what
each run took: seconds, and seconds of the CPU. Where its input ends it prints the most memory that the process has
taken, and before the model was loaded, in MiB, as a JSON list, and ends. The input is random: these networks do the
same work on any picture.
"""

import json
import pathlib
import re
import sys
import time

import numpy as np

from benchmarks.peers.runtimes import load

_BURST = 0.1  # seconds


def random_input(shape, dtype):
    """Returns noise: uint8 from 0 to 255, or float32 in [0, 1)."""
    generator = np.random.default_rng(0)
    return generator.integers(256, size=shape, dtype=np.uint8) if dtype == "uint8" else generator.random(shape, dtype)


def burst(run, values):
    """Runs a model again and again; returns for each run the seconds it took, and those of the CPU, by all threads."""
    taken, begin = [], time.perf_counter()
    while not taken or time.perf_counter() < begin + _BURST:
        start, cpu = time.perf_counter(), time.process_time()
        run(values)
        taken.append((time.perf_counter() - start, time.process_time() - cpu))
    return taken


def peak_memory():
    """Returns the most memory that this process has taken, MiB; getrusage would have its parent's as well."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path("/proc/self/status").read_text())[1]) / 1024


def main(path, threads):
    """Runs the command line."""
    _import_runtime(path)
    before = peak_memory()
    shape, dtype, run = load(path, int(threads))
    values = random_input(shape, dtype)
    run(values)  # the first is slower: it packs weights and takes memory
    for _ in sys.stdin:
        print(json.dumps(burst(run, values)), flush=True)
    print(json.dumps([peak_memory(), before]))


def _import_runtime(path):
    if path.endswith(".onnx"):
        import onnxruntime  # noqa: F401
    else:
        import ai_edge_litert.interpreter  # noqa: F401


if __name__ == "__main__":
    main(*sys.argv[1:])
