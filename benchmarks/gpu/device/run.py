"""Training with the bundle that contains this script, on the first GPU of this machine, within a time budget.

    python3 bundles/birds/run.py --check=bundles/tiny --out=OUT --budget=570

The script needs only JAX, NumPy and Pillow, so it reads its flags with argparse. It runs Algorithm 1 of the paper. OUT
gets at most 8 files of less than 16 MiB: log.txt, curve.csv, grids.png, record.json and up to four files of weights.
All files except the log are written after each round. With JAX_PLATFORMS=cpu the script runs on a CPU.
"""

import argparse
import logging
import os
import pathlib
import sys
import time

import check
import jax
import numpy as np
from bundle import Bundle
from engine import Engine
from plan import Plan
from trainer import Trainer
from weights import write_weights

from tf_layered_gan.evaluation.image_grid import save_png
from tf_layered_gan.runs.learning_curve import LearningCurve

# Both flags save compile time. The first reduces the autotuning checks. The second stops XLA from compiling the few
# small matrix products with Triton.
_GPU_FLAGS = "--xla_gpu_autotune_level=2 --xla_gpu_enable_triton_gemm=false"
_GAP = 6  # white pixels between two grids


def parse() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder for the files that the run writes")
    parser.add_argument(
        "--check", type=pathlib.Path, help="a bundle with TensorFlow's results, to check this device before training"
    )
    parser.add_argument("--budget", type=float, default=570.0, help="seconds for everything")
    parser.add_argument("--precision", default="bf16", help="a precision of the bundle: f32, tf32 or bf16")
    parser.add_argument(
        "--chunk",
        type=int,
        default=50,
        help="steps in one dispatch; the steps of a phase are rounded up to a multiple of this number",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the weights, the order of photos and the random draws"
    )
    parser.add_argument(
        "--bootstrap", action="store_true", help="use the bootstrap's segmenter in the background loss of all rounds"
    )
    parser.add_argument("--cache", type=pathlib.Path, help="folder that keeps compiled programs for later runs")
    return parser.parse_args()


def prepare(out: pathlib.Path, cache: pathlib.Path | None) -> None:
    """Opens the log and looks for the device. Call this before any other use of JAX."""
    out.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout), logging.FileHandler(out / "log.txt")]
    logging.basicConfig(level=logging.INFO, format="[%(relativeCreated)7.0f ms] %(message)s", handlers=handlers)
    on_cpu = os.environ.get("JAX_PLATFORMS") == "cpu"
    if not on_cpu:
        os.environ.setdefault("XLA_FLAGS", _GPU_FLAGS)
    if cache:
        jax.config.update("jax_compilation_cache_dir", str(cache))
    device = jax.devices()[0]
    logging.info("JAX %s, NumPy %s, %s (%s)", jax.__version__, np.__version__, device, device.device_kind)
    if device.platform != "gpu" and not on_cpu:
        raise SystemExit(f"error: the device is {device}, allowed: a GPU (a CPU only with JAX_PLATFORMS=cpu)")


def main() -> None:
    """Checks the device, trains, and writes the files to return."""
    begin, options = time.monotonic(), parse()
    prepare(options.out, options.cache)
    if options.check:
        check.check(Bundle(options.check), "f32")
    bundle = Bundle(pathlib.Path(__file__).parent)
    engine = Engine(bundle, options.precision, options.chunk, options.seed, bootstrapped=options.bootstrap)
    deadline = begin + options.budget
    plan = Plan.of(bundle.manifest["config"], options.chunk)
    plan = plan.fit(deadline - time.monotonic(), engine.seconds_a_step, options.chunk)
    logging.info(plan)
    trainer = Trainer(engine, plan, LearningCurve(options.out), deadline)
    record = {
        "batch_size": engine.batch_size,
        "annealed_rounds": plan.annealed_rounds,
        "precision": options.precision,
        "seed": options.seed,
        "bootstrap": options.bootstrap,
        "seconds_a_step": engine.seconds_a_step,
        "device_kind": jax.devices()[0].device_kind,
        "jax": jax.__version__,
        "config": bundle.manifest["config"],
        "photos": bundle.manifest["photos"],
        "paths": {name: recipe["path"] for name, recipe in bundle.manifest["variables"].items()},
    }
    for phase in trainer.train():
        gap = np.full((_GAP, trainer.grids[0].shape[1], 3), 255, np.uint8)
        save_png(np.concatenate([part for grid in trainer.grids for part in (grid, gap)]), options.out / "grids.png")
        record |= {"progress": trainer.progress, "rounds": trainer.progress["rounds"]}
        state = {name: np.asarray(value) for name, value in engine.state.items()}
        logging.info("%s: %s", phase, write_weights(options.out, state, record))


if __name__ == "__main__":
    main()
