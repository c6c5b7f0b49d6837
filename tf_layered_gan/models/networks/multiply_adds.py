"""The computational cost of a convolutional network, independent of the device."""

import math

import keras
from keras import layers

from tf_layered_gan.models.networks.upsampling import UpsampleConv2D


def multiply_adds(network: keras.Model) -> int:
    """Counts the multiply-adds of a network for one image.

    Only convolutions and dense layers are counted. Batch normalisation is not counted, because it can be folded into
    these layers. Activations, pooling, additions and resizing are not counted, because their cost is negligible. For
    example, bilinear resizing needs four multiply-adds per value of its output.

    Args:
        network: model with a fixed resolution. Its layers with a kernel must be Conv2D, DepthwiseConv2D,
            SeparableConv2D, UpsampleConv2D or Dense.

    Raises:
        ValueError: if a layer of another type has a kernel. The message names the layer.
    """
    return sum(_of_layer(layer) for layer in network.layers)


def _of_layer(layer: layers.Layer) -> int:
    if isinstance(layer, layers.SeparableConv2D):
        kernels = [layer.depthwise_kernel, layer.pointwise_kernel]
    elif isinstance(layer, UpsampleConv2D):
        return math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape) * 4 // 9  # see `UpsampleConv2D`
    elif isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D)):
        kernels = [layer.kernel]
    elif isinstance(layer, layers.Dense):
        return math.prod(layer.kernel.shape)
    elif hasattr(layer, "kernel"):
        allowed = "Conv2D, DepthwiseConv2D, SeparableConv2D, UpsampleConv2D or Dense"
        raise ValueError(f"layer {layer.name} is a {type(layer).__name__}; allowed layers with a kernel: {allowed}")
    else:
        return 0
    _, height, width, _ = layer.output.shape  # each weight is counted once per output pixel, even on padding
    return height * width * sum(math.prod(kernel.shape) for kernel in kernels)
