"""Timing of a GAN step of several bundles and of a large matrix product, on the first GPU of this machine.

    python3 bundles/birds/speed.py --out=OUT bundles/birds bundles/birds_128

The script times the program `gan_later` of each bundle in each precision. In these timings, XLA decides where to use
command buffers (CUDA graphs). The first bundle is also timed without command buffers. A *variant* is a bundle in one
precision, with or without command buffers. All variants compile at the same time, each in a separate process. Then each
variant is timed alone, and its line is added to OUT/speed.txt. A variant that has not compiled by the deadline is
stopped.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

_REPEATS = 5
_MATRIX = 8192  # width of two square matrices; the speed of their product counts as the peak of the card
_FLAGS = "--xla_gpu_autotune_level=2 --xla_gpu_enable_triton_gemm=false"
_NO_COMMAND_BUFFERS = "--xla_gpu_enable_command_buffer="
_GO = "go\n"
_HEADER = (
    f"{'bundle':16} {'precision':9} {'XLA flag':34} {'batch':>5} {'ms':>7} {'images/s':>9} {'TFLOP/s':>8} {'share':>6}"
)


class Variant:
    """A bundle in one precision, with or without an extra XLA flag. It compiles in a separate process.

    Args:
        bundle: the folder of the bundle.
        precision: bf16 or tf32.
        flag: the extra XLA flag, or "".
        chunk: number of steps in one dispatch.
    """

    def __init__(self, bundle: pathlib.Path, precision: str, flag: str, chunk: int):
        self.name, self._flag = f"{bundle.name:16} {precision:9}", flag
        environment = os.environ | {"XLA_FLAGS": f"{_FLAGS} {flag}", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
        command = [sys.executable, __file__, str(bundle), f"--variant={precision}", f"--chunk={chunk}"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)
        self._compiled = threading.Thread(target=self._process.stdout.readline, daemon=True)  # type: ignore[union-attr]
        self._compiled.start()

    def wait(self, deadline: float) -> None:
        """Waits until the variant has compiled, or until the deadline."""
        self._compiled.join(max(0.0, deadline - time.monotonic()))

    def row(self, deadline: float) -> str:
        """Waits until the variant has compiled, times it, and returns its line of the table."""
        self.wait(deadline)
        if self._compiled.is_alive():
            self._process.kill()
            return f"{self.name} {self._flag:34} not compiled in time"
        answer, _ = self._process.communicate(_GO)
        if self._process.returncode:
            return f"{self.name} {self._flag:34} failed with {self._process.returncode}"
        found = json.loads(answer)
        share = found["tflops"] / found["peak_tflops"]
        speed = f"{found['ms']:7.2f} {found['images_a_second']:9.0f} {found['tflops']:8.1f} {share:6.1%}"
        return f"{self.name} {self._flag:34} {found['batch']:5d} {speed}"


def main() -> None:
    """Times all variants and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="+", type=pathlib.Path, help="folders that pack.py wrote")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(), help="folder for speed.txt")
    parser.add_argument("--precision", action="append", help="bf16 or tf32; may be repeated (default: both)")
    parser.add_argument("--chunk", type=int, default=50, help="steps in one dispatch")
    parser.add_argument("--seconds", type=float, default=240.0, help="seconds until all variants must have compiled")
    parser.add_argument("--variant", help=argparse.SUPPRESS)  # set only in the processes of variants
    options = parser.parse_args()
    if options.variant:
        return time_variant(options.bundles[0], options.variant, options.chunk)
    deadline, precisions = time.monotonic() + options.seconds, options.precision or ["bf16", "tf32"]
    kinds = [(bundle, precision, "") for bundle in options.bundles for precision in precisions]
    kinds += [(options.bundles[0], precision, _NO_COMMAND_BUFFERS) for precision in precisions]
    variants = [Variant(*kind, options.chunk) for kind in kinds]
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "speed.txt").open("w") as file:
        print(_HEADER, file=file, flush=True)
        for variant in variants:
            variant.wait(deadline)  # nothing compiles while another variant is timed
        for variant in variants:
            print(variant.row(deadline), file=file, flush=True)
    print((options.out / "speed.txt").read_text(), end="")


def time_variant(path: pathlib.Path, precision: str, chunk: int) -> None:
    """Compiles and times one variant. Runs in the variant's process.

    The process prints "compiled", waits for `_GO` on the standard input, times the variant, and prints a JSON object.
    """
    # These imports start JAX. The process that starts the variants must not start JAX, so it does not import them.
    import jax
    import jax.numpy as jnp
    import numpy as np
    from bundle import Bundle
    from engine import StepLoop
    from plan import PhotoOrder

    bundle = Bundle(path)
    batch = bundle.manifest["config"]["batch_size"]
    photos = jax.device_put(bundle.photos()["train"])
    loop, state = StepLoop(bundle.program("gan_later", precision), {}), bundle.initial_state(seed=0)
    inputs: dict[str, np.ndarray] = {
        "share": np.ones(chunk, np.float32),
        "step": np.arange(chunk, dtype=np.int64),
        "rows": PhotoOrder(len(photos), batch, seed=0).rows(0, chunk),
    }
    matrix = jax.random.normal(jax.random.key(0), (_MATRIX, _MATRIX), jnp.bfloat16 if precision == "bf16" else None)
    product = jax.jit(lambda a: jnp.dot(a, a, precision="default"))

    def take_steps() -> None:
        nonlocal state
        state, report = loop(state, photos, inputs)
        report.block_until_ready()

    def multiply() -> None:
        product(matrix).block_until_ready()

    for compiling in (take_steps, multiply):
        compiling()
    print("compiled", flush=True)
    if sys.stdin.readline() != _GO:
        raise SystemExit("the process that started this one has ended")
    seconds = _median_seconds(take_steps) / chunk
    result: dict[str, Any] = {"batch": batch, "ms": 1e3 * seconds, "images_a_second": batch / seconds}
    result["tflops"] = loop.program.gflop / seconds / 1e3
    print(json.dumps(result | {"peak_tflops": 2 * _MATRIX**3 / _median_seconds(multiply) / 1e12}))


def _median_seconds(work: Callable[[], None]) -> float:
    seconds = []
    for _ in range(_REPEATS):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
