"""The published weights of FID's Inception-v3, from either of their two files to the Keras network.

    python -m tf_layered_gan.evaluation.metrics.inception_weights --input=GRAPH_DEF --output=inception.npz

reads the frozen TensorFlow graph of 2015-12-05, or the same network as TorchScript. The latter takes torch, which
nothing else here needs: an environment with torch and numpy alone will do.
"""

import argparse
import hashlib
import pathlib
import zipfile

import numpy as np

CONVOLUTIONS = 94
_PARTS = ("conv2d_params", "batchnorm/beta", "batchnorm/moving_mean", "batchnorm/moving_variance")
_TORCH_PARTS = dict(zip(("weight", "beta", "mean", "var"), _PARTS, strict=True))


def convert(source, target):
    """Writes the arrays of a published file as .npz, by the names of the frozen graph.

    Args:
        source: path of the frozen graph or the TorchScript; which of them it is shows in the file itself.
        target: path of the .npz file: for each of the 94 convolutions "SCOPE/conv2d_params", float32 [row, column, in,
            out], and "SCOPE/batchnorm/beta", "/moving_mean" and "/moving_variance", float32 [out].

    Returns:
        str, the SHA-256 of `target`. Both files give the same.

    Raises:
        ValueError: if `source` is neither, or lacks an array.
        ImportError: without TensorFlow for a frozen graph, or torch for a TorchScript.
    """
    read = _read_torchscript if zipfile.is_zipfile(source) else _read_frozen_graph
    arrays = read(source)
    if len(arrays) != len(_PARTS) * CONVOLUTIONS:
        wanted = f"{len(_PARTS) * CONVOLUTIONS} that the Inception-v3 of 2015-12-05 has"
        raise ValueError(f"{source} holds {len(arrays)} arrays of convolutions, not the {wanted}")
    with open(target, "wb") as file:  # np.savez would add .npz to another ending
        np.savez(file, **{name: np.ascontiguousarray(arrays[name], np.float32) for name in sorted(arrays)})
    return sha256(target)


def load(path, network):
    """Loads an .npz file of `convert` into `networks.inception.inception()`.

    Args:
        path: path of the file.
        network: keras.Model; its weights are set.

    Raises:
        ValueError: if there is no such file, it is not of `convert`, or an array is missing, misshapen or not finite.
    """
    arrays = _read_npz(path)
    for layer in network.layers:
        if layer.weights:
            scope = layer.name.replace(".", "/")
            names = [f"{scope}/{_NAMES.get(weight.name, weight.name)}" for weight in layer.weights]
            shapes = [tuple(weight.shape) for weight in layer.weights]
            layer.set_weights([_checked(path, arrays, *item) for item in zip(names, shapes, strict=True)])


def sha256(path):
    """Returns a file's SHA-256, a str of 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_NAMES = {"kernel": "conv2d_params"}  # Keras' names of the others are the graph's


def _checked(path, arrays, name, shape):
    if name not in arrays:
        raise ValueError(f"{path} lacks {name}, which the Inception-v3 of 2015-12-05 has")
    array = arrays[name]
    if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
        raise ValueError(f"{path}: {name} must be float32 {shape}, all finite, got {array.dtype} {array.shape}")
    return array


def _read_npz(path):
    if not pathlib.Path(path).is_file():
        raise ValueError(f"there is no file {path}: allowed is what metrics.inception_weights converted")
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not what metrics.inception_weights converts to: {error}") from error


def _read_frozen_graph(path):
    import tensorflow as tf  # not above: to convert from TorchScript takes none
    from google.protobuf.message import DecodeError

    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(pathlib.Path(path).read_bytes())
    except DecodeError as error:
        raise ValueError(f"{path} is neither a frozen TensorFlow graph nor TorchScript") from error
    constants = [node for node in graph.node if node.op == "Const" and node.name.endswith(_PARTS)]
    return {node.name: tf.make_ndarray(node.attr["value"].tensor) for node in constants}


def _read_torchscript(path):
    try:
        import torch
    except ImportError as error:
        raise ImportError(f"{path} is TorchScript, which takes torch to read: run this where torch is") from error

    try:
        state = torch.jit.load(str(path), map_location="cpu").state_dict()
    except RuntimeError as error:
        raise ValueError(f"{path} is a zip file, but not TorchScript: {error}") from error
    return dict(from_torch(name, tensor.numpy()) for name, tensor in state.items())


def from_torch(name, array):
    """Translates an array of the TorchScript.

    Args:
        name: its name there, "net.layers.mixed_9.tower_1_mixed_conv.weight" for one.
        array: kernels are [out, in, row, column].

    Returns:
        (name, array) as `convert` writes them.
    """
    *scopes, part = name.removeprefix("net.").removeprefix("layers.").split(".")
    scope = "/".join(scopes).replace("_mixed_conv", "/mixed/conv")
    for tower in ("tower", "tower_1", "tower_2"):  # the 8x8 blocks' are not modules of their own
        scope = scope.replace(f"/{tower}_conv", f"/{tower}/conv")
    return f"{scope}/{_TORCH_PARTS[part]}", array.transpose(2, 3, 1, 0) if array.ndim == 4 else array


def main():
    """Converts the file that the flags name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True, help="the frozen graph (.pb) or the TorchScript (.pt)")
    parser.add_argument("--output", required=True, help="the .npz file to write")
    flags = parser.parse_args()
    try:
        digest = convert(flags.input, flags.output)
    except (ValueError, ImportError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    print(f"wrote {flags.output}, sha256 {digest}")


if __name__ == "__main__":
    main()
