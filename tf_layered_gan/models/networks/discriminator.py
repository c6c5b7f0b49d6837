"""The discriminator D, with the encoder E_x on top of its convolutions (paper, appendix A)."""

import keras
from keras import initializers, layers

from tf_layered_gan.models.networks import blocks
from tf_layered_gan.models.networks.minibatch_deviation import MinibatchDeviation
from tf_layered_gan.models.networks.spectral_norm import SpectralConv2D, SpectralDense


def _spectral_conv(x: keras.KerasTensor, filters: int, size: int, strides: int) -> keras.KerasTensor:
    conv = SpectralConv2D(filters, size, strides=strides, padding="same", kernel_initializer=initializers.Orthogonal())
    return layers.LeakyReLU(0.2)(conv(x))


def discriminator(resolution: int, width: int, c_dim: int, *, minibatch_groups: int = 0) -> keras.Model:
    """Builds D and E_x. D predicts whether an image is real. E_x predicts the private code c of a composed image.

    All layers are spectrally normalised, except the last two layers of E_x. In these two layers, spectral normalisation
    would bound the logits of E_x, so E_x could never reach a high confidence.

    Args:
        resolution: side of the image in pixels, 4 times a power of two.
        width: channels after the first convolution (FineGAN's ndf; paper: 64). The channels double at each halving of
            the map, down to 4x4 pixels, but never exceed 8 * width.
        c_dim: d_c, the number of categories of the private code, or its dimension if the prior is normal.
        minibatch_groups: number of images in each group of the layer `MinibatchDeviation`, which adds a channel to the
            input of D's last convolution. The batch size must be a multiple of this number. 0 leaves the layer out, as
            in the paper.

    Returns:
        keras.Model that maps x to [D(x), E_x(c | x)]. x is float32 [batch, resolution, resolution, rgb] in [-1, 1].
        D(x) is float32 [batch], unbounded. E_x(c | x) is float32 [batch, c_dim]: the logits of the categories, or the
        mean of a normal c.
    """
    image = layers.Input((resolution, resolution, 3), name="image")
    x = image
    while x.shape[1] > 4:
        x = _spectral_conv(x, min(width * resolution // x.shape[1], 8 * width), 4, 2)
    compared = MinibatchDeviation(minibatch_groups, dtype="float32")(x) if minibatch_groups else x
    realness = layers.Flatten()(_spectral_conv(compared, x.shape[-1], 3, 1))
    realness = SpectralDense(1, kernel_initializer=initializers.Orthogonal(), dtype="float32")(realness)
    category = layers.LeakyReLU(0.2)(blocks.conv(x.shape[-1], 3, use_bias=True)(x))
    category = blocks.dense(c_dim, name="category", dtype="float32")(layers.Flatten()(category))
    return keras.Model(image, [layers.Reshape((), dtype="float32")(realness), category], name="discriminator")
