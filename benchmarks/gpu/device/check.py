"""Check of this device against TensorFlow's own results. The bundle must have been exported with --reference_steps.

    python bundles/tiny/check.py

Only the first step has a strict limit. Later steps drift apart on any device, because Adam turns the rounding error of
a tiny gradient into a full step.
"""

import argparse
import logging
import pathlib
import sys

import jax
import numpy as np
from bundle import TRAINING, Bundle
from engine import Engine

# With larger differences, a device would train different networks. On a CPU the first step differs by less than 1e-5.
LIMITS = {"first_report": 2e-3, "report": 0.2, "layers": 0.02, "probability": 0.02}
# Each difference is divided by TensorFlow's result, or by this number if the result is closer to 0 than this number.
# Such a result can be the mean of larger numbers, and then it has the rounding errors of these numbers.
_LEAST = 0.1


def check(bundle: Bundle, precision: str) -> None:
    """Runs the steps of the reference again, and compares the results with TensorFlow's.

    The log gets the largest differences for each training program. "first_report" (the first step) and "report" (all
    steps) are differences relative to TensorFlow's results. "layers" compares the layers of "synthesize", which are in
    [-1, 1]. "probability" compares the probabilities of "predict", which are in [0, 1].

    Raises:
        ValueError: if a difference is above its limit.
    """
    reference = bundle.reference()
    steps = len(reference["final/report"])
    engine = Engine(bundle, precision, steps, seed=0)
    for name in TRAINING:
        engine.begin()
        expected, report = reference[f"{name}/report"], np.asarray(engine.take_steps(name, 0, [1.0] * steps))
        apart = (np.abs(report - expected) / np.maximum(np.abs(expected), _LEAST)).max(axis=1)
        found = {"first_report": apart[0], "report": apart.max()}
        if name == "gan_later":
            layers = engine.synthesize(1)
            found["layers"] = max(np.abs(value - reference[f"synthesize/{k}"]).max() for k, value in layers.items())
        if name == "final":
            probability = engine.predict(engine.photos["test_images"])
            found["probability"] = np.abs(probability - reference["predict/probability"]).max()
        logging.info("%s differs from TensorFlow by %s", name, {key: float(value) for key, value in found.items()})
        for key, value in found.items():
            if not value <= LIMITS[key]:
                raise ValueError(f"{key} of {name} differs from TensorFlow's by {value:.2g}, allowed: {LIMITS[key]}")


def main() -> None:
    """Checks the bundle that contains this script."""
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
