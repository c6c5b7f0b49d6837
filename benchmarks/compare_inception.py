"""Comparison of the features and the FID of two Inception networks with the same weights, in Keras and in TorchScript.

    python -m benchmarks.compare_inception features --weights=inception.npz --output=DIR/keras FOLDER FOLDER
    python -m benchmarks.compare_inception features --weights=default_1.pt --output=DIR/torch FOLDER FOLDER
    python -m benchmarks.compare_inception report DIR/keras DIR/torch

The second command needs an environment with torch, NumPy, Pillow and absl. The other commands need the environment of
this package.

Each photo is resized to 299x299 pixels. In the environment with torch, `_resized` does this. Both networks get the
photos of a folder in the same random order, in blocks of 50, so the first blocks are a fair sample. `--blocks` limits
the number of blocks. If a command was stopped, start it again, and it continues.
"""

import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from absl import app, flags
from PIL import Image

from tf_layered_gan.command_line import define_path, run_command

_BLOCK = 50

Features = Callable[[np.ndarray], np.ndarray]
Path = str | pathlib.Path


def write_features(weights: str, folders: Sequence[Path], output: Path, blocks: int | None) -> None:
    """Writes the features of the photos in each folder to OUTPUT/0, OUTPUT/1, ... as blocks of float32 [photo, 2048].

    `blocks` is the number of blocks of 50 photos that are read from each folder, or None for all blocks.
    """
    features = _load(weights)
    chosen = [_shuffled(folder)[: blocks and blocks * _BLOCK] for folder in folders]
    # The folders take turns, so that a stopped command leaves the same number of blocks of each folder.
    for start in range(0, max(map(len, chosen)), _BLOCK):
        for i, photos in enumerate(chosen):
            block, file = photos[start : start + _BLOCK], pathlib.Path(output, str(i), f"{start:06d}.npy")
            if block and not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                pixels = (np.asarray(Image.open(photo).convert("RGB"))[None] for photo in block)
                np.save(file, np.concatenate(list(map(features, pixels))))
                print(f"{file}: {len(block)} photos", flush=True)


def report(keras_features: Path, torch_features: Path) -> None:
    """Prints the difference between the features in two directories.

    Also prints, for each network, the FID between the two folders of photos. Only blocks that both directories contain
    are compared.
    """
    from tf_layered_gan.evaluation.metrics import fid  # imported here, because it imports TensorFlow

    pairs = [_common(pathlib.Path(keras_features, i), pathlib.Path(torch_features, i)) for i in "01"]
    for ours, theirs in pairs:
        errors = np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(theirs, axis=1)
        apart = np.abs(ours - theirs).max()
        print(f"{len(ours)} photos: |keras - torch| / |torch| mean {errors.mean():.2e}, most {errors.max():.2e};")
        print(f"  single features differ by at most {apart:.2e}, their mean is {theirs.mean():.3f}")
    sides = zip(*pairs, strict=True)
    for name, pair in zip(("Keras", "TorchScript"), sides, strict=True):
        print(f"FID by {name}: {fid.frechet_distance(*(fid.statistics([features]) for features in pair)):.5f}")


def torch_features(network: Any) -> Features:
    """Returns a function like `fid.InceptionFeatures`: it maps uint8 [image, height, width, rgb] to [image, 2048].

    The network is a torch.jit.ScriptModule that takes float32 [image, rgb, 299, 299].
    """
    import torch

    def features(images: np.ndarray) -> np.ndarray:
        pixels = np.stack([_resized(image.astype(np.float64)) for image in images]).transpose(0, 3, 1, 2)
        with torch.inference_mode():
            return network(torch.from_numpy(np.ascontiguousarray((pixels - 128) / 128, np.float32))).numpy()

    return features


def _shuffled(folder: Path) -> list[pathlib.Path]:
    photos = sorted(pathlib.Path(folder).iterdir())
    return [photos[i] for i in np.random.default_rng(0).permutation(len(photos))]


def _common(*folders: pathlib.Path) -> list[np.ndarray]:
    names = sorted(set.intersection(*({file.name for file in folder.iterdir()} for folder in folders)))
    return [np.concatenate([np.load(folder / name) for name in names]) for folder in folders]


def _load(weights: str) -> Features:
    if not weights.endswith(".npz"):
        import torch  # imported here, because the environment of this package does not have it

        return torch_features(torch.jit.load(weights, map_location="cpu").eval())
    # Imported here, because it imports TensorFlow, which the environment with torch does not have.
    from tf_layered_gan.evaluation.metrics import fid

    return fid.InceptionFeatures(weights)


def _resized(image: np.ndarray) -> np.ndarray:
    """Resizes [row, column, rgb] to [299, 299, rgb] as TensorFlow 1 does: bilinearly, without half-pixel centres."""
    rows, columns = (_interpolation(size) for size in image.shape[:2])
    return np.einsum("ir,rcd,jc->ijd", rows, image, columns, optimize=True)


def _interpolation(size: int, target: int = 299) -> np.ndarray:
    positions = np.arange(target) * size / target
    below = positions.astype(int)
    matrix = np.zeros((target, size))
    matrix[np.arange(target), below] = 1 - (positions - below)
    matrix[np.arange(target), np.minimum(below + 1, size - 1)] += positions - below
    return matrix


def main(command: str, first: str, second: str) -> None:
    """Runs a command on two folders."""
    if command == "report":
        report(first, second)
    elif command == "features" and flags.FLAGS.weights and flags.FLAGS.output:
        write_features(flags.FLAGS.weights, [first, second], flags.FLAGS.output, flags.FLAGS.blocks)
    else:
        raise app.UsageError("the commands are: report, and features with --weights and --output")


if __name__ == "__main__":
    define_path("weights", "The weights for the command `features`: an .npz file or a TorchScript file.")
    define_path("output", "The directory that the command `features` writes.")
    flags.DEFINE_integer(
        "blocks",
        None,
        "Number of blocks of 50 photos that the command `features` reads from each folder.",
        lower_bound=1,
    )
    run_command(main, "COMMAND", "FOLDER", "FOLDER")
