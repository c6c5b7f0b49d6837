"""A small segmentation network for edge devices: a U-Net of depthwise-separable convolutions."""

import keras
from keras import KerasTensor, initializers, layers

from tf_layered_gan.models.networks import blocks


def separable_unet(resolution: int, width: int, depth: int) -> keras.Model:
    """Builds the network.

    At 64x64 pixels and width 16, this network needs 3.7 million multiply-adds. The U-Net of width 8 needs 64.6 million.

    The separable convolutions are those of MobileNet (Howard et al. 2017). As in LinkNet (Chaurasia and Culurciello
    2017), skip connections are added, not concatenated. The 1x1 convolution that reduces the channels comes before the
    bilinear upsampling. The reverse order would give the same result, but on the small map the convolution has a
    quarter of the cost that it would have on the large map.

    Args:
        resolution: side of the image in pixels, divisible by 2**depth.
        width: channels after the first halving, 1 or more. Each further halving doubles the channels.
        depth: number of halvings, 1 or more.

    Returns:
        keras.Model that maps x, float32 [batch, resolution, resolution, rgb] in [-1, 1], to the logits of the
        foreground probability, float32 [batch, resolution, resolution, 1].
    """
    image = layers.Input((resolution, resolution, 3), name="image")
    x = _bn_relu(blocks.conv(width, 3, strides=2)(image))
    skips = []
    for level in range(1, depth):
        skips.append(_separable_conv(x, width * 2 ** (level - 1)))
        x = _separable_conv(skips[-1], width * 2**level, strides=2)
    x = _separable_conv(x, width * 2 ** (depth - 1))
    for skip in reversed(skips):
        x = blocks.batch_norm()(blocks.conv(skip.shape[-1], 1)(x))
        x = layers.Add()([blocks.bilinear_upsampling()(x), skip])
        x = _separable_conv(x, skip.shape[-1])
    logits = blocks.conv(1, 1, use_bias=True, name="logits", dtype="float32")(x)
    return keras.Model(image, blocks.bilinear_upsampling()(logits), name="separable_unet")


def _separable_conv(x: KerasTensor, filters: int, strides: int = 1) -> KerasTensor:
    """Maps [batch, height, width, channel] to [batch, height / strides, width / strides, filters]."""
    keeps_variance = initializers.RandomNormal(stddev=1 / 3)  # each output is a weighted sum of nine pixels
    x = layers.DepthwiseConv2D(
        3, strides=strides, padding="same", use_bias=False, depthwise_initializer=keeps_variance
    )(x)
    return _bn_relu(blocks.conv(filters, 1)(_bn_relu(x)))


def _bn_relu(x: KerasTensor) -> KerasTensor:
    return layers.ReLU()(blocks.batch_norm()(x))
