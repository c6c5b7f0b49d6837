"""A script that computes lite0.npz with PyTorch's EfficientNet-Lite0, see README.md."""

import pathlib

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet

from tests.helpers.lite0_arrays import array, noise

network = EfficientNet.from_name("efficientnet-lite0").eval()
with torch.no_grad():
    for name, tensor in network.state_dict().items():
        tensor.copy_(torch.from_numpy(np.asarray(array(name, tuple(tensor.shape)))))
    x = torch.from_numpy(noise()).permute(0, 3, 1, 2)
    x = network._swish(network._bn0(network._conv_stem(x)))
    for block in network._blocks:
        x = block(x)
np.savez_compressed(pathlib.Path(__file__).with_name("lite0.npz"), features=x.permute(0, 2, 3, 1).numpy())
