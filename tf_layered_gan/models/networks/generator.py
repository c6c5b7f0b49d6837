"""The background generator G_b and the foreground generator G_f (paper, appendix A).

Both generators are the generators of FineGAN, but with ReLU in place of GLU.
"""

import math

import keras
from keras import KerasTensor, layers

from tf_layered_gan.models.networks import blocks
from tf_layered_gan.models.networks.window import Window

# Least distance in pixels between a window and the edge of the canvas. Near the edge, the padding of convolutions would
# be visible in the image.
_MARGIN = 4


def window_range(resolution: int, canvas: int) -> tuple[int, int]:
    """Returns the smallest and the largest position of a window on its canvas, see `background_generator`.

    A position is a top row or a left column, in pixels of the canvas.
    """
    return (_MARGIN, (canvas - 1) * resolution - _MARGIN) if canvas > 1 else (0, 0)


def _trunk(code: KerasTensor, start: int, side: int, width: int) -> KerasTensor:
    """Builds a feature map [batch, side, side, channel] from a code [batch, feature].

    The side of the map is `start` at first, and doubles until it is `side`. The number of channels is 16 * width at
    first. This number halves each time the side doubles, but it is never below `width`.
    """
    x = blocks.dense(start**2 * 16 * width, use_bias=False)(code)
    x = layers.ReLU()(blocks.batch_norm()(layers.Reshape((start, start, 16 * width))(x)))
    while x.shape[1] < side:
        x = blocks.upsample_block(x, max(x.shape[-1] // 2, width))
    return x


def _upsample_window(x: KerasTensor, window: KerasTensor, resolution: int, width: int) -> KerasTensor:
    """Doubles the size of a canvas's feature map for the last time, but computes only the part inside the window.

    Args:
        x: float32 [batch, side, side, channel] at half the canvas's resolution.
        window: int32 [batch, 2], top row and left column of the window, in pixels of the canvas.
        resolution: side of the image in pixels.
        width: channels at full resolution.

    Returns:
        float32 [batch, resolution + 2, resolution + 2, channel], the features of the image and one pixel around it.
    """
    # The padding of the convolution spoils the border, which is cut off later. So the piece of the small map has one
    # extra pixel on each side.
    x = Window(resolution // 2 + 3)(x, window // 2 - 1)
    x = blocks.upsample_block(x, max(x.shape[-1] // 2, width))
    return Window(resolution + 2)(x, window % 2 + 1)


def _refine(x: KerasTensor, code: KerasTensor, residual_blocks: int) -> KerasTensor:
    """Joins a private code to a feature map and refines the map. The shape does not change."""
    x = blocks.join_code(x, code)
    for _ in range(residual_blocks):
        x = blocks.residual_block(x)
    return x


def _centred(logits: KerasTensor, strength: float) -> KerasTensor:
    """Lowers logits [batch, side, side, 1] by strength * r^2, where r is the distance from the centre in half sides."""
    side = logits.shape[1]
    axis = [(2 * i + 1) / side - 1 for i in range(side)]
    offset = [[[-strength * (y**2 + x**2)] for x in axis] for y in axis]
    return layers.Rescaling(1.0, offset=offset, dtype="float32")(logits)


def background_generator(resolution: int, width: int, z_dim: int, *, canvas: int = 1) -> keras.Model:
    """Builds G_b, which paints a background from the public code z.

    If `canvas` is more than 1, G_b paints a larger canvas, and each image is a window of its canvas. Only the part
    inside the window is computed at full resolution. The paper has no larger canvas.

    Args:
        resolution: side of the image in pixels, 4 times a power of two; 8 or more if `canvas` > 1.
        width: channels at full resolution (FineGAN's ngf; paper: 64).
        z_dim: dimension d_z of the public code z.
        canvas: side of the canvas, as a multiple of the image's side.

    Returns:
        keras.Model that maps [z, window] to x_b. z is float32 [batch, z_dim]. The window is int32 [batch, 2]: the top
        row and the left column, both within `window_range(resolution, canvas)`. With `canvas` 1 the window is
        ignored. x_b is float32 [batch, resolution, resolution, rgb] in (-1, 1).
    """
    z, window = layers.Input((z_dim,), name="z"), layers.Input((2,), dtype="int32", name="corner")
    if canvas == 1:
        x, padding = _trunk(z, 4, resolution, width), "same"
    else:
        x = _trunk(z, 4 * canvas, canvas * resolution // 2, width)
        x, padding = _upsample_window(x, window, resolution, width), "valid"
    image = blocks.conv(3, 3, use_bias=True, padding=padding, activation="tanh", name="background", dtype="float32")(x)
    return keras.Model([z, window], image, name="background_generator")


def foreground_generator(
    resolution: int,
    width: int,
    z_dim: int,
    *,
    c_dim: int,
    c_sup_dim: int,
    residual_blocks: int,
    least_width: int = 1,
    initial_mask: float = 0.5,
    mask_centring: float = 0.0,
    half_mask_stage: bool = False,
) -> keras.Model:
    """Builds G_f, which paints an object and its mask.

    The mask depends only on z and c_sup, because c is joined to the features after the mask is painted.

    Args:
        resolution: side of the image in pixels, 4 times a power of two.
        width: channels at full resolution (FineGAN's ngf; paper: 64).
        z_dim: dimension d_z of the public code z.
        c_dim: d_c, the number of categories of the private code c, or the dimension of c if the prior is normal.
        c_sup_dim: components of c_sup.
        residual_blocks: residual blocks in each of the two stages (FineGAN: 2).
        least_width: least number of channels after a stage. Without this limit, a narrow generator would have too few
            channels.
        initial_mask: approximate value of mask pixels before training, in (0, 1). With the paper's 0.5, a mask can fill
            the whole image, and then stay full. With a small value, masks grow only where an object makes the image
            more realistic.
        mask_centring: how much the logit of the mask is lowered at the middle of a side, compared with the centre. The
            difference grows with the squared distance from the centre. If `mask_centring` is more than 0,
            `initial_mask` is the value near the centre. The paper's value is 0. A larger value makes use of the fact
            that photographers put objects in the middle.
        half_mask_stage: whether the stage that paints the mask works at half the resolution. The paper has no such
            stage. A stage at half the resolution has as many channels as a stage at full resolution, so it costs about
            a quarter as much. Then one convolution doubles the resolution of the features, and the mask is painted from
            the output of this convolution.

    Returns:
        keras.Model that maps [z, c_sup, c] to [x_f, pi]. z is float32 [batch, z_dim], c_sup is float32 [batch,
        c_sup_dim], and c is float32 [batch, c_dim]. x_f is float32 [batch, resolution, resolution, rgb] in (-1, 1), and
        pi is float32 [batch, resolution, resolution, 1] in (0, 1).
    """
    z = layers.Input((z_dim,), name="z")
    c_sup = layers.Input((c_sup_dim,), name="c_sup")
    c = layers.Input((c_dim,), name="c")
    x = _trunk(layers.Concatenate()([z, c_sup]), 4, resolution // 2 if half_mask_stage else resolution, width)
    if half_mask_stage:
        x = blocks.conv_bn_relu(x, max(x.shape[-1] // 2, width))
    channels = x.shape[-1]
    finish = blocks.upsample_block if half_mask_stage else blocks.conv_bn_relu
    x = finish(_refine(x, c_sup, residual_blocks), max(channels // 2, least_width))
    bias = keras.initializers.Constant(math.log(initial_mask / (1 - initial_mask)))
    mask = blocks.conv(1, 3, use_bias=True, bias_initializer=bias, name="mask_logits", dtype="float32")(x)
    mask = _centred(mask, mask_centring) if mask_centring else mask
    mask = layers.Activation("sigmoid", name="mask", dtype="float32")(mask)
    x = blocks.conv_bn_relu(_refine(x, c, residual_blocks), max(x.shape[-1] // 2, least_width))
    image = blocks.conv(3, 3, use_bias=True, activation="tanh", name="foreground", dtype="float32")(x)
    return keras.Model([z, c_sup, c], [image, mask], name="foreground_generator")
