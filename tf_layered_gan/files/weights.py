"""Published weights in .npz files. Each array has a name, and is checked before it is loaded into a network."""

import hashlib
import os
import pathlib
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras


def write_weights(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> str:
    """Writes arrays as float32, sorted by name. Returns the SHA-256 of the file, hexadecimal."""
    ordered: dict[str, Any] = {name: np.ascontiguousarray(a, np.float32) for name, a in sorted(arrays.items())}
    with open(path, "wb") as file:  # np.savez would append .npz to a file name that does not end in .npz
        np.savez(file, **ordered)
    return sha256(path)


def load_weights(
    path: str | os.PathLike,
    network_layers: "Iterable[keras.Layer]",
    name_of: "Callable[[keras.Layer, keras.Variable], str]",
    *,
    source: str,
    writer: str,
) -> None:
    """Loads weights into layers.

    Args:
        path: the file.
        network_layers: the layers.
        name_of: function that takes a layer and one of its weights, and returns the name of the array for this weight.
        source: the published network, for error messages.
        writer: the module that writes such files, for error messages.

    Raises:
        ValueError: the file is missing or was not written by `writer`, or an array is missing, has another shape or is
            not finite.
    """
    arrays = _read(path, writer)
    for layer in network_layers:
        layer.set_weights([_checked(path, arrays, name_of(layer, w), tuple(w.shape), source) for w in layer.weights])


def sha256(path: str | os.PathLike) -> str:
    """Returns the SHA-256 of a file as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked(
    path: str | os.PathLike, arrays: dict[str, np.ndarray], name: str, shape: tuple[int, ...], source: str
) -> np.ndarray:
    if name not in arrays:
        raise ValueError(f"{path} lacks {name}, which the {source} has")
    array = arrays[name]
    if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
        raise ValueError(f"{path}: {name} must be float32 {shape}, all finite, got {array.dtype} {array.shape}")
    return array


def _read(path: str | os.PathLike, writer: str) -> dict[str, np.ndarray]:
    if not pathlib.Path(path).is_file():
        raise ValueError(f"there is no file {path}, allowed: a file that {writer} wrote")
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a file that {writer} wrote: {error}") from error
