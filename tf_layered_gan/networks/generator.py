"""The background generator G_b and the foreground generator G_f (paper, appendix A; FineGAN with ReLU for GLU)."""

import math

import keras
from keras import layers

from tf_layered_gan.networks import blocks


def _trunk(code, resolution, width, canvas=1):
    """Code [batch, feature] -> feature map [batch, side, side, channel], side = canvas * resolution.

    The side doubles from 4 * canvas. Channels start at 16 * width and halve with each doubling, never below `width`.
    """
    x = blocks.dense((4 * canvas) ** 2 * 16 * width, use_bias=False)(code)
    x = layers.ReLU()(blocks.batch_norm()(layers.Reshape((4 * canvas, 4 * canvas, 16 * width))(x)))
    while x.shape[1] < canvas * resolution:
        x = blocks.upsample_block(x, max(x.shape[-1] // 2, width))
    return x


def _stage(x, code, residual_blocks, least_width):
    """Refines a feature map under a private code; halves its channels, where that leaves `least_width` or more."""
    channels = x.shape[-1]
    x = blocks.join_code(x, code)
    for _ in range(residual_blocks):
        x = blocks.residual_block(x)
    return blocks.conv_bn_relu(x, max(channels // 2, least_width))


def _centred(logits, strength):
    """Lowers logits [batch, side, side, 1] by strength * r^2, r the distance from the centre in half sides."""
    side = logits.shape[1]
    axis = [(2 * i + 1) / side - 1 for i in range(side)]
    return layers.Rescaling(1.0, offset=[[[-strength * (y**2 + x**2)] for x in axis] for y in axis])(logits)


def background_generator(resolution, width, z_dim, *, canvas=1):
    """Builds G_b: the public code alone paints the background.

    Args:
        resolution: side of the picture in pixels, 4 times a power of two.
        width: channels at full resolution (FineGAN's ngf; paper: 64).
        z_dim: dimension d_z of the public code z.
        canvas: the background's side in pictures; beyond 1, a picture sees a window of it (see
            `perturbation.crop`).

    Returns:
        keras.Model mapping z, float32 [batch, z_dim], to x_b, float32 [batch, canvas * resolution,
        canvas * resolution, rgb] in (-1, 1).
    """
    z = layers.Input((z_dim,), name="z")
    x = _trunk(z, resolution, width, canvas)
    image = blocks.conv(3, 3, use_bias=True, activation="tanh", name="background")(x)
    return keras.Model(z, image, name="background_generator")


def foreground_generator(
    resolution,
    width,
    z_dim,
    *,
    c_dim,
    c_sup_dim,
    residual_blocks,
    least_width=1,
    initial_mask=0.5,
    mask_centring=0.0,
):
    """Builds G_f: an object and its mask; the mask is made before c is joined, so only z and c_sup shape it.

    Args:
        resolution: side of the picture in pixels, 4 times a power of two.
        width: channels at full resolution (FineGAN's ngf; paper: 64).
        z_dim: dimension d_z of the public code z.
        c_dim: components d_c of the private code c: its categories, or its dimension where its prior is normal.
        c_sup_dim: components of c_sup.
        residual_blocks: residual blocks in each of the two stages (FineGAN: 2).
        least_width: channels that each stage leaves at least; a narrow generator needs some to paint with.
        initial_mask: about what a mask's pixels are before training, in (0, 1). The paper's 0.5 lets a mask take the
            whole picture and stay there; a small one has it grow from where an object helps.
        mask_centring: how much lower a mask's logit is at the middle of a side than at the centre, growing with the
            squared distance; `initial_mask` then is about the centre's. 0 in the paper. It is a photographer's
            habit put in: objects stand in the middle.

    Returns:
        keras.Model mapping [z float32 [batch, z_dim], c_sup float32 [batch, c_sup_dim], c float32 [batch, c_dim]]
        to [x_f float32 [batch, resolution, resolution, rgb] in (-1, 1), pi float32 [batch, resolution, resolution,
        1] in (0, 1)].
    """
    z = layers.Input((z_dim,), name="z")
    c_sup = layers.Input((c_sup_dim,), name="c_sup")
    c = layers.Input((c_dim,), name="c")
    x = _trunk(layers.Concatenate()([z, c_sup]), resolution, width)
    x = _stage(x, c_sup, residual_blocks, least_width)
    bias = keras.initializers.Constant(math.log(initial_mask / (1 - initial_mask)))
    mask = blocks.conv(1, 3, use_bias=True, bias_initializer=bias, name="mask_logits")(x)
    mask = layers.Activation("sigmoid", name="mask")(_centred(mask, mask_centring) if mask_centring else mask)
    x = _stage(x, c, residual_blocks, least_width)
    image = blocks.conv(3, 3, use_bias=True, activation="tanh", name="foreground")(x)
    return keras.Model([z, c_sup, c], [image, mask], name="foreground_generator")
