"""Checks this device against TensorFlow's own figures, with a bundle that was exported with --reference_steps.

    python bundles/tiny/check.py

The first step decides. Later steps drift apart by themselves, since Adam turns the rounding error of a tiny gradient
into a full step.
"""

import argparse
import concurrent.futures
import logging
import pathlib
import sys
import time

import jax
import numpy as np
from bundle import TRAINING, Bundle
from engine import StepLoop

# The largest differences with which a device still trains the same networks. A CPU stays below 1e-5 at the first step.
LIMITS = {"first_report": 2e-3, "report": 0.2, "layers": 0.02, "probability": 0.02}
_LEAST = 0.1  # differences of smaller results are relative to this: they are means of larger numbers

Differences = dict[str, dict[str, float]]


def check(bundle: Bundle, precision: str) -> Differences:
    """Takes the reference's steps and compares.

    Returns:
        The largest differences of each program: of a training program's results relative to TensorFlow's,
        "first_report" (first step) and "report" (all steps); "layers" of "synthesize", in the range [-1, 1]; and
        "probability" of "predict", in [0, 1].

    Raises:
        ValueError: if one is above its limit.
    """
    reference = bundle.reference()
    with concurrent.futures.ThreadPoolExecutor() as pool:  # which compiles all programs at the same time
        found = dict(pool.map(lambda name: (name, _compare(bundle, name, precision, reference)), TRAINING))
    differences = {name: values for each in found.values() for name, values in each.items()}
    for name, values in differences.items():
        for key, value in values.items():
            if not value <= LIMITS[key]:
                raise ValueError(f"{key} of {name} differs from TensorFlow's by {value:.2g}, allowed: {LIMITS[key]}")
    return differences


def _compare(bundle: Bundle, name: str, precision: str, reference: dict[str, np.ndarray]) -> Differences:
    start, photos = time.monotonic(), reference["photos"]
    steps, batch = photos.shape[:2]
    loop = StepLoop(bundle.program(name, precision), {})
    inputs = {"step": np.arange(steps, dtype=np.int64), "share": np.ones(steps, np.float32)}
    if loop.takes_photos:
        inputs["rows"] = np.arange(steps * batch, dtype=np.int32).reshape(steps, batch)
    state, report = loop(bundle.initial_state(0), jax.device_put(photos.reshape(-1, *photos.shape[2:])), inputs)
    expected = reference[f"{name}/report"]
    apart = (np.abs(report - expected) / np.maximum(np.abs(expected), _LEAST)).max(axis=1)
    found: Differences = {name: {"first_report": float(apart[0]), "report": float(apart.max())}}
    if name == "gan_later":
        layers, _ = bundle.program("synthesize", precision)(state, np.int64(1))
        apart = [np.abs(value - reference[f"synthesize/{layer}"]).max() for layer, value in layers.items()]
        found["synthesize"] = {"layers": float(max(apart))}
    if name == "final":
        results, _ = bundle.program("predict", precision)(state, reference["predict/images"])
        apart = np.abs(results["probability"] - reference["predict/probability"])
        found["predict"] = {"probability": float(apart.max())}
    logging.info("%s.%s against TensorFlow: %s, in %.0f s", name, precision, found, time.monotonic() - start)
    return found


def main() -> None:
    """Checks the bundle that this script lies in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", default="f32")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    logging.info("JAX %s on %s", jax.__version__, jax.devices())
    try:
        check(Bundle(pathlib.Path(__file__).parent), options.precision)
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
