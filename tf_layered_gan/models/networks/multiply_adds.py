"""What a convolutional network costs, whatever it runs on."""

import math

from keras import layers


def multiply_adds(network):
    """Counts a picture's multiplications, each of which goes with an addition.

    Those of the convolutions alone: batch normalisation is folded into them, and activations, pooling, adding and
    resizing (a bilinear pixel takes four) are neglected.

    Args:
        network: keras.Model of Conv2D, DepthwiseConv2D and SeparableConv2D, of a fixed resolution.

    Returns:
        int.

    Raises:
        ValueError: for another layer with a kernel, whose cost is not known here; names it.
    """
    return sum(_of_layer(layer) for layer in network.layers)


def _of_layer(layer):
    if isinstance(layer, layers.SeparableConv2D):
        kernels = [layer.depthwise_kernel, layer.pointwise_kernel]
    elif isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D)):
        kernels = [layer.kernel]
    elif hasattr(layer, "kernel"):
        allowed = "Conv2D, DepthwiseConv2D or SeparableConv2D"
        raise ValueError(f"layer {layer.name} is a {type(layer).__name__}, allowed with a kernel: {allowed}")
    else:
        return 0
    _, height, width, _ = layer.output.shape  # each weight is used once a place of the output, padding included
    return height * width * sum(math.prod(kernel.shape) for kernel in kernels)
