"""The segmentation network F, a U-Net (Ronneberger et al. 2015)."""

import keras
from keras import layers

from tf_layered_gan.models.networks import blocks


def unet(resolution: int, width: int, depth: int) -> keras.Model:
    """Builds F.

    F differs from the U-Net of 2015 in three ways. It has 'same' padding. It has batch normalisation. It has bilinear
    upsampling in place of the transposed convolution, because TFLite delegates run bilinear upsampling best.

    Args:
        resolution: side of the image in pixels, divisible by 2**depth.
        width: channels at full resolution (64 in the U-Net of 2015). Each halving of the resolution doubles the
            channels.
        depth: number of halvings of the resolution (4 in the U-Net of 2015).

    Returns:
        keras.Model that maps x, float32 [batch, resolution, resolution, rgb] in [-1, 1], to the logits of the
        foreground probability F(x), float32 [batch, resolution, resolution, 1].
    """
    image = layers.Input((resolution, resolution, 3), name="image")
    x, skips = image, []
    for level in range(depth):
        skips.append(double_conv(x, width * 2**level))
        x = layers.MaxPooling2D()(skips[-1])
    x = double_conv(x, width * 2**depth)
    return keras.Model(image, decode(x, skips, width), name="unet")


def double_conv(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    """Applies `blocks.conv_bn_relu` twice."""
    return blocks.conv_bn_relu(blocks.conv_bn_relu(x, filters), filters)


def decode(x: keras.KerasTensor, skips: list[keras.KerasTensor], width: int) -> keras.KerasTensor:
    """Applies the decoder of a U-Net.

    Args:
        x: the encoder's last feature map.
        skips: the encoder's earlier feature maps. The first has full resolution, and each further map has half the side
            of the map before it.
        width: channels at full resolution. Each halving of the resolution doubles the channels.

    Returns:
        logits, float32 [batch, resolution, resolution, 1].
    """
    for level in reversed(range(len(skips))):
        x = blocks.bilinear_upsampling()(x)
        x = layers.Concatenate()([skips[level], blocks.conv_bn_relu(x, width * 2**level)])
        x = double_conv(x, width * 2**level)
    return blocks.conv(1, 1, use_bias=True, name="logits", dtype="float32")(x)
