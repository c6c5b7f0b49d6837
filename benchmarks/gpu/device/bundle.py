"""Classes that read a bundle: its programs as JAX functions, its photos, and the initial values of its variables."""

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
        arguments: the [dtype, shape] of each argument by name. Variables are not arguments.
        reads: the names of the variables that the program reads, in the order of its parameters.
        writes: the names of the variables that the program writes, in the order of its results.
        results: the names of the results. New values of variables are not among them.
        gflop: the number of floating-point operations in a call, in units of 1e9, as XLA counts them.
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
        """Runs the program.

        Returns:
            two dicts: the results, and the new values of the variables that the program writes.
        """
        outputs = self._call(*arguments, *(state[name] for name in self.reads))
        count = len(self.results)
        results = dict(zip(self.results, outputs[:count], strict=True))
        return results, dict(zip(self.writes, outputs[count:], strict=True))


class Bundle:
    """A folder that `pack.py` wrote.

    Attributes:
        path: the folder.
        manifest: the content of manifest.json, see `export.py`.
    """

    def __init__(self, path: pathlib.Path):
        self.path = path
        self.manifest: dict[str, Any] = json.loads((path / "manifest.json").read_text())

    def program(self, name: str, precision: str) -> Program:
        """Loads one of the programs."""
        return Program(self.path / "programs", name, precision, self.manifest["programs"][name])

    def initial_state(self, seed: int) -> State:
        """Returns the initial variables on the device. The seed determines the random values."""
        with np.load(self.path / "values.npz") as carried:
            return jax.device_put(initial_state.make(self.manifest["variables"], carried, seed), jax.devices()[0])

    def bootstrap(self) -> State:
        """Returns the weights of the bootstrap's segmenter on the device, for the background loss.

        Raises:
            ValueError: if the bundle was exported without --bootstrap.
        """
        file = self.path / "bootstrap.npz"
        if not file.exists():
            raise ValueError(f"{self.path} has no bootstrap.npz, allowed: a bundle exported with --bootstrap")
        with np.load(file) as weights:
            return jax.device_put(dict(weights), jax.devices()[0])

    def reference(self) -> dict[str, np.ndarray]:
        """Returns TensorFlow's results, see `reference.py`. Only a bundle exported with --reference_steps has them."""
        with np.load(self.path / "reference.npz") as file:
            return dict(file)

    def photos(self) -> dict[str, np.ndarray]:
        """Returns the photos.

        Returns:
            dict of arrays. "train" is uint8 [photo, width, width, rgb], at the size of the stored photos.
            "validation_images" and "test_images" are uint8 [photo, resolution, resolution, rgb]. If the photos have
            masks, "validation_masks" and "test_masks" are uint8 [photo, resolution, resolution]: 0 background, 1
            foreground, 255 unlabelled.
        """
        with np.load(self.path / "photos.npz") as file:
            arrays = dict(file)
        files = np.split(arrays.pop("train_bytes"), arrays.pop("train_ends")[:-1])
        with ThreadPool() as pool:
            return arrays | {"train": np.stack(pool.map(_decode, files, chunksize=64))}


def _decode(file: np.ndarray) -> np.ndarray:
    with Image.open(io.BytesIO(file.tobytes())) as image:
        return np.asarray(image.convert("RGB"))
