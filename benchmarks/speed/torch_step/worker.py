"""A process that contains the PyTorch training step and runs it on request, see `benchmarks.speed.turns`.

    python -m benchmarks.speed.torch_step.worker FOLDER (eager | compile | bfloat16) THREADS

FOLDER has the files that `gan_step.save` wrote. The process offers the functions `step` and `product`. With `bfloat16`,
PyTorch's autocast computes the convolutions and dense layers in bfloat16, without compiling.
"""

import json
import pathlib
import sys

import numpy as np
import torch

from benchmarks.speed.torch_step.step import Step
from benchmarks.speed.turns import serve

_PRODUCT = 2048  # number of rows and columns of both matrices


def main(folder: str, way: str, threads: str) -> None:
    """Prepares the step and serves requests."""
    torch.set_num_threads(int(threads))
    torch.set_flush_denormal(True)  # TensorFlow flushes denormal numbers to zero, too
    torch.manual_seed(0)
    settings = json.loads(pathlib.Path(folder, "settings.json").read_text())
    arrays = dict(np.load(pathlib.Path(folder, "weights.npz")))
    batch = {name: torch.from_numpy(array) for name, array in np.load(pathlib.Path(folder, "batch.npz")).items()}
    batch["image"] = batch["image"].permute(0, 3, 1, 2)  # channels-last in memory
    step, factors = Step(settings, arrays, way), torch.rand(2, _PRODUCT, _PRODUCT)
    serve({"step": lambda: step(batch), "product": lambda: (factors[0] @ factors[1]) is None})


if __name__ == "__main__":
    main(*sys.argv[1:])
