"""Reads the bundle that contains these scripts: TensorFlow's programs as JAX functions, and the initial variables."""

import io
import json
import pathlib
from multiprocessing.pool import ThreadPool
from typing import Any

import initial_state
import jax
import numpy as np
from jax import export
from PIL import Image

jax.config.update("jax_enable_x64", True)  # steps are int64

TRAINING = ("gan_first", "gan_later", "segmenter", "final")
State = dict[str, jax.Array]  # variables by name


class Program:
    """One of the bundle's programs.

    Attributes:
        name: the program's name.
        arguments: [dtype, shape] of each argument that is not a variable, by name.
        reads, writes: names of variables, in the program's order.
        results: names of the results that are not variables.
        gflop: floating-point operations of a call, as XLA counts them, in units of 1e9.
    """

    def __init__(self, folder: pathlib.Path, name: str, precision: str, signature: dict[str, Any]):
        self.name = name
        self.arguments: dict[str, list[Any]] = signature["arguments"]
        self.reads: list[str] = signature["reads"]
        self.writes: list[str] = signature["writes"]
        self.results: list[str] = signature["results"]
        self.gflop: float = signature["gflop"]
        content = (folder / f"{name}.{precision}.bin").read_bytes()
        self._call = jax.jit(export.deserialize(bytearray(content)).call)

    def __call__(self, state: State, *arguments: Any) -> tuple[dict[str, jax.Array], State]:
        """Returns the program's results by name, and the new values of the variables that it writes."""
        outputs = self._call(*arguments, *(state[name] for name in self.reads))
        count = len(self.results)
        results = dict(zip(self.results, outputs[:count], strict=True))
        return results, dict(zip(self.writes, outputs[count:], strict=True))


class Bundle:
    """A folder that `pack.py` wrote.

    Attributes:
        path: the folder.
        manifest: see `export.py`.
    """

    def __init__(self, path: pathlib.Path):
        self.path = path
        self.manifest: dict[str, Any] = json.loads((path / "manifest.json").read_text())

    def program(self, name: str, precision: str) -> Program:
        """Loads one of the programs."""
        return Program(self.path / "programs", name, precision, self.manifest["programs"][name])

    def initial_state(self, seed: int) -> State:
        """Returns the initial variables on the device; the random ones follow from the seed."""
        with np.load(self.path / "values.npz") as carried:
            return jax.device_put(initial_state.make(self.manifest["variables"], carried, seed), jax.devices()[0])

    def reference(self) -> dict[str, np.ndarray]:
        """Returns TensorFlow's figures, see `reference.py`; only a bundle with --reference_steps has some."""
        with np.load(self.path / "reference.npz") as file:
            return dict(file)

    def photos(self) -> dict[str, np.ndarray]:
        """Returns the photos.

        Returns:
            dict with "train", uint8 [photo, storage size, storage size, rgb]; "validation_images" and "test_images",
            uint8 [photo, resolution, resolution, rgb]; and, where photos have masks, "validation_masks" and
            "test_masks", uint8 [photo, resolution, resolution]: 0 background, 1 foreground, 255 unlabelled.
        """
        with np.load(self.path / "photos.npz") as file:
            arrays = dict(file)
        files = np.split(arrays.pop("train_bytes"), arrays.pop("train_ends")[:-1])
        with ThreadPool() as pool:
            return arrays | {"train": np.stack(pool.map(_decode, files, chunksize=64))}


def _decode(file: np.ndarray) -> np.ndarray:
    with Image.open(io.BytesIO(file.tobytes())) as image:
        return np.asarray(image.convert("RGB"))
