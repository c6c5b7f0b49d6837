"""A small segmentation network for the edge: a U-Net of depthwise-separable convolutions."""

import keras
from keras import initializers, layers

from tf_layered_gan.models.networks import blocks


def separable_unet(resolution, width, depth):
    """Builds a segmenter; 64 pixels at width 16 take it 3.7 million multiply-adds, the U-Net of width 8 64.6 million.

    Args:
        resolution: side of the picture in pixels, divisible by 2**depth.
        width: channels after the first halving, doubling at each further one; 1 or more.
        depth: number of halvings, 1 or more.

    Returns:
        keras.Model mapping x, float32 [batch, resolution, resolution, rgb] in [-1, 1], to the logits of the
        foreground probability, float32 [batch, resolution, resolution, 1].

    Source: the separable convolutions are MobileNet's (Howard et al. 2017), the skip connections, which are added and
    not concatenated, LinkNet's (Chaurasia and Culurciello 2017). Channels are brought down before a map is enlarged:
    a 1x1 convolution and bilinear upsampling commute, and the small map costs a quarter.
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
        x = layers.Add()([layers.UpSampling2D(interpolation="bilinear")(x), skip])
        x = _separable_conv(x, skip.shape[-1])
    logits = blocks.conv(1, 1, use_bias=True, name="logits")(x)
    return keras.Model(image, layers.UpSampling2D(interpolation="bilinear")(logits), name="separable_unet")


def _separable_conv(x, filters, strides=1):
    """[batch, height, width, channel] -> [batch, height / strides, width / strides, filters]."""
    keeps_variance = initializers.RandomNormal(stddev=1 / 3)  # of a sum over nine pixels
    x = layers.DepthwiseConv2D(
        3, strides=strides, padding="same", use_bias=False, depthwise_initializer=keeps_variance
    )(x)
    return _bn_relu(blocks.conv(filters, 1)(_bn_relu(x)))


def _bn_relu(x):
    return layers.ReLU()(blocks.batch_norm()(x))
