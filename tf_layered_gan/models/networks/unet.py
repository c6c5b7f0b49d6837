"""The segmentation network F, a U-Net (Ronneberger et al. 2015)."""

import keras
from keras import layers

from tf_layered_gan.models.networks import blocks


def _double_conv(x, filters):
    return blocks.conv_bn_relu(blocks.conv_bn_relu(x, filters), filters)


def unet(resolution, width, depth):
    """Builds F.

    Args:
        resolution: side of the picture in pixels, divisible by 2**depth.
        width: channels at full resolution (U-Net: 64), doubling at each of the `depth` halvings.
        depth: number of halvings (U-Net: 4).

    Returns:
        keras.Model mapping x, float32 [batch, resolution, resolution, rgb] in [-1, 1], to the logits of the
        foreground probability F(x), float32 [batch, resolution, resolution, 1].

    Differs from the U-Net of 2015: 'same' padding and batch normalisation, and bilinear upsampling in place of the
    transposed convolution, which gives the TFLite graph that delegates best.
    """
    image = layers.Input((resolution, resolution, 3), name="image")
    x, skips = image, []
    for level in range(depth):
        skips.append(_double_conv(x, width * 2**level))
        x = layers.MaxPooling2D()(skips[-1])
    x = _double_conv(x, width * 2**depth)
    for level in reversed(range(depth)):
        x = layers.UpSampling2D(interpolation="bilinear")(x)
        x = layers.Concatenate()([skips[level], blocks.conv_bn_relu(x, width * 2**level)])
        x = _double_conv(x, width * 2**level)
    return keras.Model(image, blocks.conv(1, 1, use_bias=True, name="logits")(x), name="unet")
