"""Times a GAN step of several bundles on the first GPU of this machine, beside a large matrix product.

    python3 bundles/birds/speed.py --out=OUT bundles/birds bundles/birds_128

It times `gan_later` of each bundle in each precision, with XLA's own choice of command buffers (CUDA graphs), and for
the first bundle also without any. Each variant compiles in a process of its own, all at the same time. They are then
timed in turn. OUT/speed.txt gets the table.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
from typing import Any

_REPEATS = 5
_MATRIX = 8192  # width of the square matrix product that gives the card's own rate
_NO_COMMAND_BUFFERS = "--xla_gpu_enable_command_buffer="
_GO = "go\n"


def main() -> None:
    """Starts a process for each variant, times them in turn, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="+", type=pathlib.Path, help="folders that pack.py wrote")
    parser.add_argument("--out", type=pathlib.Path, help="folder for speed.txt")
    parser.add_argument("--precision", action="append", help="bf16 or tf32; may be repeated (default: both)")
    parser.add_argument("--chunk", type=int, default=50, help="steps in one dispatch")
    parser.add_argument("--variant", help=argparse.SUPPRESS)  # set for the processes that this one starts
    options = parser.parse_args()
    if options.variant:
        return time_variant(options.bundles[0], options.variant, options.chunk)
    precisions = options.precision or ["bf16", "tf32"]
    variants = [(bundle, precision, "") for bundle in options.bundles for precision in precisions]
    variants += [(options.bundles[0], precision, _NO_COMMAND_BUFFERS) for precision in precisions]
    rows = [_HEADER, *map(_row, _measure(variants, options.chunk))]
    print("\n".join(rows))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "speed.txt").write_text("\n".join(rows) + "\n")


_HEADER = (
    f"{'bundle':16} {'precision':9} {'XLA flag':34} {'batch':>5} {'ms':>7} {'images/s':>9} {'TFLOP/s':>8} {'share':>6}"
)


def _row(result: dict[str, Any]) -> str:
    return (
        f"{result['bundle']:16} {result['precision']:9} {result['flag']:34} {result['batch']:5d} {result['ms']:7.2f} "
        f"{result['images_a_second']:9.0f} {result['tflops']:8.1f} {result['tflops'] / result['peak_tflops']:6.1%}"
    )


def _measure(variants: list[tuple[pathlib.Path, str, str]], chunk: int) -> list[dict[str, Any]]:
    """Returns the result of each variant, in order; a variant that fails is left out, and its error is on stderr."""
    flags = os.environ.get("XLA_FLAGS", "--xla_gpu_autotune_level=2 --xla_gpu_enable_triton_gemm=false")
    processes = []
    for bundle, precision, flag in variants:
        environment = os.environ | {"XLA_FLAGS": f"{flags} {flag}", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
        command = [sys.executable, __file__, str(bundle), f"--variant={precision}", f"--chunk={chunk}"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        processes.append(subprocess.Popen(command, env=environment, **pipes))
    for process in processes:
        process.stdout.readline()  # it has compiled, or has ended
    results = []
    for (bundle, precision, flag), process in zip(variants, processes, strict=True):
        if process.poll() is None:
            answer, _ = process.communicate(_GO)
        if process.returncode == 0:
            results.append({"bundle": bundle.name, "precision": precision, "flag": flag} | json.loads(answer))
    return results


def time_variant(path: pathlib.Path, precision: str, chunk: int) -> None:
    """Compiles, says so, waits for the word, times, and prints a JSON object."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from bundle import Bundle
    from engine import StepLoop
    from plan import PhotoOrder

    bundle = Bundle(path)
    batch = bundle.manifest["config"]["batch_size"]
    photos = jax.device_put(bundle.photos()["train"])
    loop = StepLoop(bundle.program("gan_later", precision), {})
    inputs: dict[str, np.ndarray] = {
        "share": np.ones(chunk, np.float32),
        "step": np.arange(chunk, dtype=np.int64),
        "rows": PhotoOrder(len(photos), batch, seed=0).rows(0, chunk),
    }
    state = bundle.initial_state(seed=0)

    def run() -> float:
        nonlocal state
        begin = time.perf_counter()
        state, report = loop(state, photos, inputs)
        report.block_until_ready()
        return time.perf_counter() - begin

    run()
    dtype = jnp.bfloat16 if precision == "bf16" else jnp.float32
    matrix = jax.random.normal(jax.random.key(0), (_MATRIX, _MATRIX), dtype)
    product = jax.jit(lambda a: jnp.dot(a, a, precision="default"))
    product(matrix).block_until_ready()
    print("compiled", flush=True)
    if sys.stdin.readline() != _GO:
        raise SystemExit("the process that started this one has ended")
    seconds = statistics.median(run() for _ in range(_REPEATS)) / chunk
    tflops = loop.program.gflop / seconds / 1e3
    result = {"batch": batch, "ms": 1e3 * seconds, "images_a_second": batch / seconds, "tflops": tflops}
    print(json.dumps(result | {"peak_tflops": _matrix_rate(product, matrix)}))


def _matrix_rate(product: Any, matrix: Any) -> float:
    """Returns the rate of a large matrix product in TFLOP/s, the median of ten."""
    seconds = []
    for _ in range(10):
        begin = time.perf_counter()
        product(matrix).block_until_ready()
        seconds.append(time.perf_counter() - begin)
    return 2 * _MATRIX**3 / statistics.median(seconds) / 1e12


if __name__ == "__main__":
    main()
