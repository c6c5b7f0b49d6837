"""Enlarging and convolving in one, at less than half of the work."""

import keras
from keras import initializers, ops


class UpsampleConv2D(keras.layers.Layer):
    """Nearest-neighbour upsampling by 2, then a 3x3 'same' convolution without bias, as one transposed convolution.

    Of the nine pixels that the 3x3 kernel meets in the enlarged map, many are copies of one another: an output pixel
    sees 2x2 different ones. Adding up the weights that meet copies gives a 4x4 kernel, with which a transposed
    convolution of stride 2 computes the same numbers from the small map, by 4/9 of the multiplications; what trains is
    the 3x3 kernel.

    Args:
        filters: output channels.

    Maps float32 [batch, height, width, channel] to float32 [batch, 2 height, 2 width, filters].
    """

    def __init__(self, filters, **options):
        super().__init__(**options)
        self.filters = filters

    def build(self, input_shape):
        """Adds `kernel` [3, 3, channel, filters], orthogonally initialised (paper, appendix A)."""
        shape = (3, 3, input_shape[-1], self.filters)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=initializers.Orthogonal())

    def call(self, inputs):
        """Computes the layer."""
        return ops.conv_transpose(inputs, _transposed(self.kernel), strides=2, padding="same")

    def get_config(self):
        """Returns the arguments of the constructor."""
        return super().get_config() | {"filters": self.filters}


def _transposed(kernel):
    """[3, 3, channel, filter] -> [4, 4, filter, channel], see the class.

    Tap t of the kernel meets copy j (0 or 1) of a pixel at the place j + 2 - t after it, first in the output's order.
    """
    kernel = ops.transpose(ops.flip(kernel, (0, 1)), (0, 1, 3, 2))
    kernel = ops.pad(kernel, ((0, 1), (0, 0), (0, 0), (0, 0))) + ops.pad(kernel, ((1, 0), (0, 0), (0, 0), (0, 0)))
    return ops.pad(kernel, ((0, 0), (0, 1), (0, 0), (0, 0))) + ops.pad(kernel, ((0, 0), (1, 0), (0, 0), (0, 0)))
