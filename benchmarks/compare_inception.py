"""Compares FID by the Keras network with FID by the TorchScript that its weights come from, on two folders of photos.

    python -m benchmarks.compare_inception features --weights=inception.npz --output=DIR/keras FOLDER FOLDER
    python -m benchmarks.compare_inception features --weights=default_1.pt --output=DIR/torch FOLDER FOLDER
    python -m benchmarks.compare_inception report DIR/keras DIR/torch

The second takes an environment with torch, numpy and Pillow alone, the others that of the package. Photos are taken as
they are, each resized from its own size; the torch side does that with a resize of its own, see `_resized`. Both take a
folder's photos in the same random order, 50 at a time, so the first ones are a fair sample: `--blocks` of them, or as
many as were done when it was cut off. Started again, it goes on.
"""

import argparse
import pathlib

import numpy as np
from PIL import Image

_BLOCK = 50


def write_features(weights, folders, output, blocks):
    """Writes the features of each folder's photos to OUTPUT/0, OUTPUT/1, ... as blocks of float32 [photo, 2048].

    Args:
        weights: .npz for the Keras network, else the TorchScript.
        folders: of photos.
        output: directory, made where missing.
        blocks: how many blocks of 50 photos of each folder; None for all.
    """
    features = _keras_features(weights) if weights.endswith(".npz") else _read_torchscript(weights)
    chosen = [_shuffled(folder)[: blocks and blocks * _BLOCK] for folder in folders]
    for start in range(0, max(map(len, chosen)), _BLOCK):  # by turns, so that a part of it is as long for each
        for i, photos in enumerate(chosen):
            block, file = photos[start : start + _BLOCK], pathlib.Path(output, str(i), f"{start:06d}.npy")
            if block and not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                np.save(file, np.concatenate([features(_pixels(photo)[None]) for photo in block]))
                print(f"{file}: {len(block)} photos", flush=True)


def report(keras_features, torch_features):
    """Prints how far the features lie apart, and the FID between the two folders by each of the networks.

    Args:
        keras_features, torch_features: directories of `write_features`. Compared are the blocks that are in both.
    """
    from tf_layered_gan.evaluation.metrics import fid  # not above: it takes TensorFlow

    pairs = [_common(pathlib.Path(keras_features, i), pathlib.Path(torch_features, i)) for i in "01"]
    for ours, theirs in pairs:
        errors = np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(theirs, axis=1)
        apart = np.abs(ours - theirs).max()
        print(f"{len(ours)} photos: |keras - torch| / |torch| mean {errors.mean():.2e}, most {errors.max():.2e};")
        print(f"  a feature by itself, of {theirs.mean():.3f} in the mean, is at most {apart:.2e} apart")
    sides = zip(*pairs, strict=True)
    for name, pair in zip(("Keras", "TorchScript"), sides, strict=True):
        print(f"FID by {name}: {fid.frechet_distance(*(fid.statistics([features]) for features in pair)):.5f}")


def _shuffled(folder):
    photos = sorted(pathlib.Path(folder).iterdir())
    return [photos[i] for i in np.random.default_rng(0).permutation(len(photos))]


def _common(*folders):
    names = sorted(set.intersection(*({file.name for file in folder.iterdir()} for folder in folders)))
    return [np.concatenate([np.load(folder / name) for name in names]) for folder in folders]


def _pixels(photo):
    with Image.open(photo) as image:
        return np.asarray(image.convert("RGB"))


def _keras_features(weights):
    from tf_layered_gan.evaluation.metrics import fid  # not above: where torch is, it need not be

    return fid.InceptionFeatures(weights)


def _read_torchscript(weights):
    import torch  # not above: where the package is, it need not be

    return torch_features(torch.jit.load(weights, map_location="cpu").eval())


def torch_features(network):
    """Makes of the TorchScript what `fid.InceptionFeatures` is.

    Args:
        network: torch.jit.ScriptModule from float32 [image, rgb, 299, 299] to float32 [image, 2048].

    Returns:
        function of uint8 [image, height, width, rgb] to float32 [image, 2048].
    """
    import torch

    def features(images):
        pixels = np.stack([_resized(image.astype(np.float64)) for image in images]).transpose(0, 3, 1, 2)
        with torch.inference_mode():
            return network(torch.from_numpy(np.ascontiguousarray((pixels - 128) / 128, np.float32))).numpy()

    return features


def _resized(image):
    """[row, column, rgb] -> [299, 299, rgb], bilinear, corner on corner: TensorFlow 1's as two matrix products."""
    rows, columns = (_interpolation(size) for size in image.shape[:2])
    return np.einsum("ir,rcd,jc->ijd", rows, image, columns, optimize=True)


def _interpolation(size, target=299):
    positions = np.arange(target) * size / target
    below = positions.astype(int)
    matrix = np.zeros((target, size))
    matrix[np.arange(target), below] = 1 - (positions - below)
    matrix[np.arange(target), np.minimum(below + 1, size - 1)] += positions - below
    return matrix


def main():
    """Does what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    features = commands.add_parser("features")
    features.add_argument("folders", nargs=2)
    features.add_argument("--weights", required=True)
    features.add_argument("--output", required=True)
    features.add_argument("--blocks", type=int)
    compare = commands.add_parser("report")
    compare.add_argument("directories", nargs=2)
    given = parser.parse_args()
    if given.command == "features":
        write_features(given.weights, given.folders, given.output, given.blocks)
    else:
        report(*given.directories)


if __name__ == "__main__":
    main()
