"""A U-Net whose encoder is EfficientNet-Lite0 (Liu 2020, after Tan and Le 2019)."""

import keras
from keras import KerasTensor, layers

from tf_layered_gan.models.networks import blocks, unet

# Each row is one stage: (blocks, size of the depthwise kernels, stride of the first block, expansion, channels).
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def lite0_unet(resolution: int, width: int, depth: int) -> keras.Model:
    """Builds the network.

    The encoder's weights are random until `models.encoder_weights` loads pretrained weights. Each layer of the encoder
    is named after its published weights. The name begins with "encoder." and leaves out leading underscores, for
    example "encoder.blocks.1.expand_conv". EfficientNet-Lite0 was trained on images with the values (pixel - 127) /
    128. The values of the input x differ from these values by less than 0.01, so the network does not convert x. The
    weights were trained with TensorFlow's padding: if the stride is 2, there is more padding at the right and at the
    bottom.

    The encoder differs from EfficientNet-Lite0 in three ways. It has no classifier. It ends after `depth` halvings of
    the resolution. In training, it always uses all blocks, whereas EfficientNet-Lite0 skips blocks at random.

    Each skip connection takes the output of a block, except the skip connection at full resolution. This skip
    connection takes the output of two convolutions of the image, which are not pretrained.

    Args:
        resolution: side of the image in pixels, divisible by 2**depth.
        width: channels of the decoder at full resolution. Each halving of the resolution doubles the channels.
        depth: number of halvings of the resolution, from 1 to 5.

    Returns:
        keras.Model that maps x, float32 [batch, resolution, resolution, rgb] in [-1, 1], to the logits of the
        foreground probability, float32 [batch, resolution, resolution, 1].
    """
    image = layers.Input((resolution, resolution, 3), name="image")
    *maps, last = _encode(image, depth)
    logits = unet.decode(last, [unet.double_conv(image, width), *maps], width)
    return keras.Model(image, logits, name="lite0_unet")


def _encode(image: KerasTensor, depth: int) -> list[KerasTensor]:
    """Returns the encoder's last feature map at each of its `depth` resolutions, the largest map first."""
    x = _bn_relu6(blocks.conv(32, 3, strides=2, name="encoder.conv_stem")(image), "encoder.bn0")
    maps, number = [], 0
    for repeats, size, stride, expansion, channels in _STAGES:
        if stride == 2:
            maps.append(x)
            if len(maps) == depth:
                return maps
        for repeat in range(repeats):
            x = _block(x, f"encoder.blocks.{number}", size, 1 if repeat else stride, expansion, channels)
            number += 1
    return [*maps, x]


def _block(x: KerasTensor, name: str, size: int, stride: int, expansion: int, channels: int) -> KerasTensor:
    """Applies an inverted residual block (Sandler et al. 2018)."""
    y = x
    if expansion > 1:
        y = _bn_relu6(blocks.conv(expansion * x.shape[-1], 1, name=f"{name}.expand_conv")(y), f"{name}.bn0")
    y = layers.DepthwiseConv2D(size, stride, "same", use_bias=False, name=f"{name}.depthwise_conv")(y)
    y = blocks.conv(channels, 1, name=f"{name}.project_conv")(_bn_relu6(y, f"{name}.bn1"))
    y = _bn(y, f"{name}.bn2")
    return layers.Add()([x, y]) if stride == 1 and x.shape[-1] == channels else y


def _bn_relu6(x: KerasTensor, name: str) -> KerasTensor:
    return layers.ReLU(6.0)(_bn(x, name))


def _bn(x: KerasTensor, name: str) -> KerasTensor:
    return blocks.batch_norm(epsilon=1e-3, name=name)(x)
