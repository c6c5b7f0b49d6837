"""The segmenter for devices: the input is pixels, and the output is foreground probabilities."""

import keras
from keras import ops


class ServingModel(keras.Model):
    """Wraps F so that the caller neither normalises pixels nor applies a sigmoid.

    Args:
        network: F, which maps float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits, float32 [batch,
            resolution, resolution, 1].
    """

    def __init__(self, network: keras.Model):
        super().__init__(name="segmenter")
        self.network = network

    def call(self, pixels: keras.KerasTensor) -> keras.KerasTensor:
        """Computes the foreground probability sigmoid(F(x)). F is always in inference mode.

        Args:
            pixels: [batch, resolution, resolution, rgb] in [0, 255], uint8 or the same values as float32.

        Returns:
            float32 [batch, resolution, resolution, 1] in [0, 1].
        """
        # A convolution with a bias computes x / 127.5 - 1 from the pixels x, because this is one operation in TFLite.
        # With two operations, a product and a sum, both results would have the range [-1, 2], and int8 would keep only
        # 170 of the 256 greys.
        scale = ops.full((1, 1, 3, 1), 1 / 127.5)
        images = ops.depthwise_conv(ops.cast(pixels, "float32"), scale, data_format="channels_last")
        return ops.sigmoid(self.network(images + ops.full((3,), -1.0), training=False))


def serving_model(network: keras.Model, *, batch_size: int | None = None, pixel_dtype: str = "uint8") -> keras.Model:
    """Builds the graph that is exported.

    Args:
        network: F, as for `ServingModel`.
        batch_size: number of images in a call, or None for any number.
        pixel_dtype: "uint8", or "float32" if the converter chooses the input's type later.

    Returns:
        keras.Model that maps pixels in [0, 255] to the foreground probability, see `ServingModel`.
    """
    shape = (batch_size, *network.input_shape[1:])
    pixels = keras.Input(batch_shape=shape, dtype=pixel_dtype, name="pixels")
    return keras.Model(pixels, ServingModel(network)(pixels))
