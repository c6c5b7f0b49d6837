"""Reading of arrays from a .pth file, in the format of PyTorch before version 1.6. PyTorch is not needed."""

import collections
import os
import pickle
from typing import Any, BinaryIO, NamedTuple

import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C
# Reading a damaged file, or a file of another kind, can raise these errors.
_DAMAGE = (pickle.UnpicklingError, ValueError, TypeError, EOFError, LookupError, AttributeError, MemoryError)


def read_pth(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads the state_dict of a PyTorch module.

    A pickle can run any code. So every class that a state_dict does not need is refused.

    Args:
        path: the file. The file holds named tensors of float32 and int64.

    Returns:
        dict from the name of a tensor to its array.

    Raises:
        ValueError: the file is damaged or of another kind.
    """
    try:
        with open(path, "rb") as file:
            return _read(file)
    except _DAMAGE as error:
        raise ValueError(f"{path} is not a state_dict in the format of PyTorch before version 1.6: {error}") from error


class _Storage(NamedTuple):
    kind: str  # always "storage"
    dtype: str
    key: str
    device: str
    size: int
    view: Any


class _Tensor(NamedTuple):
    """A tensor whose numbers have not been read yet. `offset` and `strides` count numbers, not bytes."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    requires_grad: bool
    hooks: Any

    def array(self, numbers: np.ndarray) -> np.ndarray:
        strides = [stride * numbers.itemsize for stride in self.strides]
        return np.ndarray(self.shape, numbers.dtype, numbers, self.offset * numbers.itemsize, strides)


_CLASSES: dict[str, Any] = {
    "collections.OrderedDict": collections.OrderedDict,
    "torch._utils._rebuild_tensor_v2": _Tensor,
    "torch.FloatStorage": "<f4",
    "torch.LongStorage": "<i8",
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in _CLASSES:
            raise pickle.UnpicklingError(f"it needs {module}.{name}, which is not allowed")
        return _CLASSES[f"{module}.{name}"]

    def persistent_load(self, identifier: tuple) -> _Storage:
        return _Storage(*identifier)


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    magic, _, _, tensors, keys = (_Unpickler(file).load() for _ in range(5))
    if magic != _MAGIC:
        raise ValueError(f"its first number is {magic!r:.50}")
    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
    numbers = {key: _read_numbers(file, dtypes[key]) for key in keys}
    return {name: tensor.array(numbers[tensor.storage.key]) for name, tensor in tensors.items()}


def _read_numbers(file: BinaryIO, dtype: str) -> np.ndarray:
    (size,) = np.fromfile(file, "<i8", 1)
    return np.fromfile(file, dtype, size)
