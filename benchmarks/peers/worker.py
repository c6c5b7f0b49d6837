"""A process that holds one model and times it on request, see `benchmarks.speed.turns`. `compare` starts it.

    python -m benchmarks.peers.worker MODEL THREADS

The function `burst` runs the model for a tenth of a second, at least once. It returns the seconds and CPU seconds of
each run. The function `memory` returns the process's peak memory and the peak before the model was loaded, in MiB. The
input of the model is noise, because these networks do the same work on any image.
"""

import pathlib
import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks.peers.runtimes import load
from benchmarks.speed.turns import serve

_BURST = 0.1  # seconds


def random_input(shape: list[int], dtype: str) -> np.ndarray:
    """Returns noise: uint8 from 0 to 255, or float32 in [0, 1)."""
    generator = np.random.default_rng(0)
    if dtype == "uint8":
        return generator.integers(256, size=shape, dtype=np.uint8)
    return generator.random(shape, np.float32)


def burst(run: Callable[[np.ndarray], np.ndarray], values: np.ndarray) -> list[tuple[float, float]]:
    """Runs a model repeatedly. Returns the seconds and the CPU seconds (of all threads) of each call."""
    taken: list[tuple[float, float]] = []
    begin = time.perf_counter()
    while not taken or time.perf_counter() < begin + _BURST:
        start, cpu = time.perf_counter(), time.process_time()
        run(values)
        taken.append((time.perf_counter() - start, time.process_time() - cpu))
    return taken


def peak_memory() -> float:
    """Returns the peak memory of this process in MiB.

    It is read from /proc, because getrusage would include the parent's peak.
    """
    return int(pathlib.Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def main(path: str, threads: str) -> None:
    """Loads a model and serves requests."""
    _import_runtime(path)
    before = peak_memory()
    shape, dtype, run = load(path, int(threads))
    values = random_input(shape, dtype)
    run(values)  # the first call is slower, because it packs the weights and allocates memory
    serve({"burst": lambda: burst(run, values), "memory": lambda: (peak_memory(), before)})


def _import_runtime(path: str) -> None:
    if path.endswith(".onnx"):
        import onnxruntime  # noqa: F401
    else:
        import ai_edge_litert.interpreter  # noqa: F401


if __name__ == "__main__":
    main(*sys.argv[1:])
