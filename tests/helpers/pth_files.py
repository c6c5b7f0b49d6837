"""Functions that write files in the format of PyTorch before version 1.6, without PyTorch."""

import collections
import pickle
import types
from unittest import mock

import numpy as np

_HEADER = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})


def _torch():
    """Returns modules with the names that the format refers to."""
    utils = types.ModuleType("torch._utils")
    utils._rebuild_tensor_v2 = type("_rebuild_tensor_v2", (), {"__module__": "torch._utils"})
    torch = types.ModuleType("torch")
    for name in ("FloatStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    return {"torch": torch, "torch._utils": utils}


TORCH = _torch()


class _Storage:
    def __init__(self, key, array):
        kind = {"f": "FloatStorage", "i": "LongStorage"}[array.dtype.kind]
        self.id = ("storage", getattr(TORCH["torch"], kind), key, "cpu", array.size, None)


class _Tensor:
    """A view of a storage with the shape and the strides of an array."""

    def __init__(self, key, array):
        strides = tuple(stride // array.itemsize for stride in array.strides)
        self.parts = (_Storage(key, array), 0, array.shape, strides, False, collections.OrderedDict())

    def __reduce__(self):
        return TORCH["torch._utils"]._rebuild_tensor_v2, self.parts


class _Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.id if isinstance(value, _Storage) else None


def write_pth(path, arrays):
    """Writes arrays, float32 or int64, as the state_dict of a module. Returns the path.

    The file keeps the order of an array's axes in memory, as PyTorch does.
    """
    tensors = collections.OrderedDict((name, _Tensor(name, array)) for name, array in arrays.items())
    tensors._metadata = {"": {"version": 1}}
    with mock.patch.dict("sys.modules", TORCH), open(path, "wb") as file:
        for value in (*_HEADER, tensors, list(arrays)):
            _Pickler(file, protocol=2).dump(value)
        for array in arrays.values():
            file.write(np.int64(array.size).tobytes() + array.ravel(order="K").tobytes())
    return path
