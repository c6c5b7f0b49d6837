"""Copies the weights of our Keras networks to the PyTorch networks."""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from benchmarks.speed.torch_step.layers import BatchNorm

_NAMES = {  # Keras's names
    "weight": "kernel",
    "bias": "bias",
    "u": "u",
}
_NAMES_OF_BATCH_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


@torch.no_grad()
def load(network: nn.Module, arrays: Mapping[str, np.ndarray], prefix: str) -> nn.Module:
    """Copies weights into a network.

    Layers are of the same kind if the names and the rank of their weights are the same. Both libraries list the layers
    of a kind in the order in which they are called.

    Args:
        network: the network.
        arrays: the weights in Keras, under the names "NETWORK/LAYER/WEIGHT", in the order of the layers.
        prefix: NETWORK.

    Returns:
        The network, channels-last in memory.

    Raises:
        ValueError: if the network does not have the same layers as the Keras network.
    """
    layers: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
    for name, array in arrays.items():
        if name.startswith(f"{prefix}/"):
            layer, weight = name.removeprefix(f"{prefix}/").split("/")
            layers[layer][weight] = array
    waiting = defaultdict(list)
    for weights in layers.values():
        waiting[_kind(weights)].append(weights)
    for module in network.modules():
        if tensors := _tensors(module):
            weights = waiting[_kind(tensors)].pop(0)
            for name, tensor in tensors.items():
                tensor.copy_(_as_torch(weights[name]).reshape(tensor.shape))
    if any(waiting.values()):
        raise ValueError(f"{prefix} has fewer layers in PyTorch than in Keras")
    return network.to(memory_format=torch.channels_last)


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Folds the batch normalisation of a network into its convolutions. The network must not be trained afterwards."""
    for module in network.eval().modules():
        if isinstance(module, nn.Sequential) and len(module) == 3 and isinstance(module[1], BatchNorm):
            module[0], module[1] = fuse_conv_bn_eval(module[0], module[1]), nn.Identity()
    return network.requires_grad_(False)


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """Returns the weights of a module, without those of its submodules, by their names in Keras."""
    names = _NAMES_OF_BATCH_NORM if isinstance(module, BatchNorm) else _NAMES
    own = {**dict(module.named_parameters(recurse=False)), **dict(module.named_buffers(recurse=False))}
    return {names[name]: tensor for name, tensor in own.items() if name in names}


def _kind(weights: Mapping[str, np.ndarray | Tensor]) -> tuple:
    return tuple(sorted(weights)), max(array.ndim for name, array in weights.items() if name != "u")


def _as_torch(array: np.ndarray) -> Tensor:
    axes = {2: (1, 0), 4: (3, 2, 0, 1)}.get(array.ndim, range(array.ndim))
    return torch.from_numpy(array.transpose(*axes))
