"""Conversion of the published weights of FID's Inception-v3 for the Keras network.

    python -m tf_layered_gan.evaluation.metrics.inception_weights --input=GRAPH_DEF --output=inception.npz

The input is the frozen TensorFlow graph of 2015-12-05, or a TorchScript file of the same network. PyTorch is needed
only for TorchScript. An environment with torch, numpy and absl-py is enough to convert TorchScript.
"""

import os
import pathlib
import zipfile
from typing import TYPE_CHECKING

import numpy as np
from absl import app, flags

from tf_layered_gan.command_line import command_errors, define_path
from tf_layered_gan.files.weights import load_weights, write_weights

if TYPE_CHECKING:
    import keras

_CONVOLUTIONS = 94
_PARTS = ("conv2d_params", "batchnorm/beta", "batchnorm/moving_mean", "batchnorm/moving_variance")
_TORCH_PARTS = dict(zip(("weight", "beta", "mean", "var"), _PARTS, strict=True))
_GRAPH_NAMES = {"kernel": "conv2d_params"}  # the other weights have the same names in Keras and in the graph


def convert(source: str | os.PathLike, target: str | os.PathLike) -> str:
    """Writes the arrays of a published file to an .npz file. Each array gets its name from the frozen graph.

    Args:
        source: the frozen graph or the TorchScript.
        target: the .npz file. The file holds four arrays for each of the 94 convolutions: "SCOPE/conv2d_params",
            float32 [row, column, in, out], and "SCOPE/batchnorm/beta", "SCOPE/batchnorm/moving_mean" and
            "SCOPE/batchnorm/moving_variance", float32 [out].

    Returns:
        SHA-256 of `target`, hexadecimal. Both published files give the same SHA-256.

    Raises:
        ValueError: if `source` is neither of the two published files, or lacks an array.
        ImportError: if `source` is a frozen graph, and TensorFlow is missing.
    """
    read = _read_torchscript if zipfile.is_zipfile(source) else _read_frozen_graph
    arrays = read(source)
    if len(arrays) != len(_PARTS) * _CONVOLUTIONS:
        wanted = f"{len(_PARTS) * _CONVOLUTIONS} that the Inception-v3 of 2015-12-05 has"
        raise ValueError(f"{source} holds {len(arrays)} arrays of convolutions, needed: the {wanted}")
    return write_weights(target, arrays)


def load(path: str | os.PathLike, network: "keras.Model") -> None:
    """Loads weights into the network of `metrics.inception.inception`, from a file that `convert` wrote.

    Raises:
        ValueError: see `files.weights.load_weights`.
    """
    load_weights(
        path,
        network.layers,
        lambda layer, w: f"{layer.name.replace('.', '/')}/{_GRAPH_NAMES.get(w.name, w.name)}",
        source="Inception-v3 of 2015-12-05",
        writer="metrics.inception_weights",
    )


def _read_frozen_graph(path: str | os.PathLike) -> dict[str, np.ndarray]:
    import tensorflow as tf  # imported here, because TorchScript can be converted without TensorFlow
    from google.protobuf.message import DecodeError

    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(pathlib.Path(path).read_bytes())
    except DecodeError as error:
        raise ValueError(f"{path} is neither a frozen TensorFlow graph nor TorchScript") from error
    constants = [node for node in graph.node if node.op == "Const" and node.name.endswith(_PARTS)]
    return {node.name: tf.make_ndarray(node.attr["value"].tensor) for node in constants}


def _read_torchscript(path: str | os.PathLike) -> dict[str, np.ndarray]:
    try:
        import torch
    except ImportError as error:
        raise ValueError(f"{path} is TorchScript: install PyTorch to read it") from error

    try:
        state = torch.jit.load(str(path), map_location="cpu").state_dict()
    except RuntimeError as error:
        raise ValueError(f"{path} is a zip file, but not TorchScript: {error}") from error
    return dict(from_torch(name, tensor.numpy()) for name, tensor in state.items())


def from_torch(name: str, array: np.ndarray) -> tuple[str, np.ndarray]:
    """Translates an array of the TorchScript to its name and layout in the frozen graph.

    Args:
        name: name in the TorchScript, for example "net.layers.mixed_9.tower_1_mixed_conv.weight".
        array: the array; kernels are [out, in, row, column].

    Returns:
        (name, array) as `convert` writes them.
    """
    *scopes, part = name.removeprefix("net.").removeprefix("layers.").split(".")
    scope = "/".join(scopes).replace("_mixed_conv", "/mixed/conv")
    # In the 8x8 blocks of the TorchScript, a tower is not a separate module. Instead, the name of each convolution
    # begins with the name of its tower.
    for tower in ("tower", "tower_1", "tower_2"):
        scope = scope.replace(f"/{tower}_conv", f"/{tower}/conv")
    return f"{scope}/{_TORCH_PARTS[part]}", array.transpose(2, 3, 1, 0) if array.ndim == 4 else array


def main(_: list[str]) -> None:
    """Converts the file that `--input` names."""
    with command_errors():
        digest = convert(flags.FLAGS.input, flags.FLAGS.output)
    print(f"wrote {flags.FLAGS.output}, sha256 {digest}")


if __name__ == "__main__":
    define_path("input", "The frozen graph (.pb) or the TorchScript (.pt).", required=True)
    define_path("output", "The .npz file to write.", required=True)
    app.run(main)
