"""The segmenter as a device calls it: raw pixels in, foreground probability out."""

import keras
from keras import ops


class ServingModel(keras.Model):
    """Wraps F so that nothing about its input or output is left for the device to get right.

    Args:
        network: F, from float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits, float32
            [batch, resolution, resolution, 1].
    """

    def __init__(self, network):
        """See the class."""
        super().__init__(name="segmenter")
        self.network = network

    def call(self, pixels):
        """Computes the foreground probability sigmoid(F(x)), with F in inference mode always.

        Args:
            pixels: [batch, resolution, resolution, rgb] in [0, 255], uint8 or the same numbers as float32.

        Returns:
            float32 [batch, resolution, resolution, 1] in [0, 1].
        """
        # Two operations, x / 127.5 and - 1, would have int8 round to the range [-1, 2] in between, which leaves 170 of
        # the 256 greys; a convolution and its bias are one.
        scale = ops.full((1, 1, 3, 1), 1 / 127.5)
        images = ops.depthwise_conv(ops.cast(pixels, "float32"), scale, data_format="channels_last")
        return ops.sigmoid(self.network(images + ops.full((3,), -1.0), training=False))


def serving_model(network, *, batch_size=None, pixel_dtype="uint8"):
    """Builds the graph that is exported.

    Args:
        network: F, as for ServingModel.
        batch_size: pictures a call, or None for any number.
        pixel_dtype: "uint8", or "float32" where a converter has yet to choose the stored type.

    Returns:
        keras.Model from pixels in [0, 255] to the foreground probability, see ServingModel.
    """
    shape = (batch_size, *network.input_shape[1:])
    pixels = keras.Input(batch_shape=shape, dtype=pixel_dtype, name="pixels")
    return keras.Model(pixels, ServingModel(network)(pixels))
