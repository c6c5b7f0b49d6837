"""The background generator G_b and the foreground generator G_f (paper, appendix A; FineGAN with ReLU for GLU)."""

import math

import keras
from keras import layers

from tf_layered_gan.models.networks import blocks
from tf_layered_gan.models.networks.window import Window

_MARGIN = 4  # pixels between a window and the canvas' edge, where convolutions see that there is one


def window_range(resolution, canvas):
    """Says where a picture may lie on its background's canvas, see `background_generator`.

    Returns:
        (least, most), of its top row and of its left column.
    """
    return (_MARGIN, (canvas - 1) * resolution - _MARGIN) if canvas > 1 else (0, 0)


def _trunk(code, start, side, width):
    """Code [batch, feature] -> feature map [batch, side, side, channel].

    The side doubles from `start`. Channels begin at 16 * width and halve with each doubling, never below `width`.
    """
    x = blocks.dense(start**2 * 16 * width, use_bias=False)(code)
    x = layers.ReLU()(blocks.batch_norm()(layers.Reshape((start, start, 16 * width))(x)))
    while x.shape[1] < side:
        x = blocks.upsample_block(x, max(x.shape[-1] // 2, width))
    return x


def _seen_through(x, window, resolution, width):
    """The last doubling of a canvas' trunk, computed where the picture needs it.

    Args:
        x: float32 [batch, side, side, channel], of half the canvas' resolution.
        window: int32 [batch, 2], in pixels of the canvas.
        resolution: side of the picture in pixels.
        width: channels at full resolution.

    Returns:
        float32 [batch, resolution + 2, resolution + 2, channel], the picture's features and a frame of one pixel.
    """
    # A pixel of the small map more on each side than the frame needs: the convolution's own border is cut off again.
    x = Window(resolution // 2 + 3)(x, window // 2 - 1)
    x = blocks.upsample_block(x, max(x.shape[-1] // 2, width))
    return Window(resolution + 2)(x, window % 2 + 1)


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
        canvas: the side, in pictures, of the canvas that it paints and of which a picture sees a window. Beyond 1 not
            in the paper, and `resolution` must be 8 or more.

    Returns:
        keras.Model mapping [z float32 [batch, z_dim], window int32 [batch, 2]], top row and left column within
        `window_range(resolution, canvas)`, to x_b, float32 [batch, resolution, resolution, rgb] in (-1, 1). What the
        picture does not see is not painted at full resolution. Where the canvas is as large as the picture, its one
        window is not looked at.
    """
    z, window = layers.Input((z_dim,), name="z"), layers.Input((2,), dtype="int32", name="corner")
    if canvas == 1:
        x, padding = _trunk(z, 4, resolution, width), "same"
    else:
        x = _trunk(z, 4 * canvas, canvas * resolution // 2, width)
        x, padding = _seen_through(x, window, resolution, width), "valid"
    image = blocks.conv(3, 3, use_bias=True, padding=padding, activation="tanh", name="background")(x)
    return keras.Model([z, window], image, name="background_generator")


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
    x = _trunk(layers.Concatenate()([z, c_sup]), 4, resolution, width)
    x = _stage(x, c_sup, residual_blocks, least_width)
    bias = keras.initializers.Constant(math.log(initial_mask / (1 - initial_mask)))
    mask = blocks.conv(1, 3, use_bias=True, bias_initializer=bias, name="mask_logits")(x)
    mask = layers.Activation("sigmoid", name="mask")(_centred(mask, mask_centring) if mask_centring else mask)
    x = _stage(x, c, residual_blocks, least_width)
    image = blocks.conv(3, 3, use_bias=True, activation="tanh", name="foreground")(x)
    return keras.Model([z, c_sup, c], [image, mask], name="foreground_generator")
