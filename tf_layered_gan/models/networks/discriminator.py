"""The discriminator D, with the auxiliary network E_x on its backbone (paper, appendix A)."""

import keras
from keras import initializers, layers

from tf_layered_gan.models.networks import blocks
from tf_layered_gan.models.networks.spectral_norm import SpectralConv2D, SpectralDense


def _spectral_conv(x, filters, size, strides):
    conv = SpectralConv2D(filters, size, strides=strides, padding="same", kernel_initializer=initializers.Orthogonal())
    return layers.LeakyReLU(0.2)(conv(x))


def discriminator(resolution, width, c_dim):
    """Builds D and E_x: is this picture real, and which private code made it?

    Args:
        resolution: side of the picture in pixels, 4 times a power of two.
        width: channels after the first convolution (FineGAN's ndf; paper: 64), doubling down to 4x4.
        c_dim: components d_c of the private code: its categories, or its dimension where its prior is normal.

    Returns:
        keras.Model mapping x, float32 [batch, resolution, resolution, rgb] in [-1, 1], to [D(x) float32 [batch]
        unbounded, E_x(c | x) float32 [batch, c_dim]: logits of the categories, or the mean of a normal c].

    D is spectrally normalised throughout; E_x's own two layers are not, since a bounded logit could never be sure
    of its code.
    """
    image = layers.Input((resolution, resolution, 3), name="image")
    x = image
    while x.shape[1] > 4:
        x = _spectral_conv(x, min(width * resolution // x.shape[1], 8 * width), 4, 2)
    realness = layers.Flatten()(_spectral_conv(x, x.shape[-1], 3, 1))
    realness = SpectralDense(1, kernel_initializer=initializers.Orthogonal())(realness)
    category = layers.LeakyReLU(0.2)(blocks.conv(x.shape[-1], 3, use_bias=True)(x))
    category = blocks.dense(c_dim, name="category")(layers.Flatten()(category))
    return keras.Model(image, [layers.Reshape(())(realness), category], name="discriminator")
