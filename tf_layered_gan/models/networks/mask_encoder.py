"""The auxiliary network E_pi, which reads c_sup off the mask (paper, appendix A)."""

import keras
from keras import layers

from tf_layered_gan.models.networks import blocks


def mask_encoder(resolution, width, c_sup_dim):
    """Builds E_pi.

    Args:
        resolution: side of the mask in pixels, 4 times a power of two.
        width: channels after the first convolution, doubling down to 4x4.
        c_sup_dim: components of c_sup: its categories, or its dimension where its prior is normal.

    Returns:
        keras.Model mapping pi, float32 [batch, resolution, resolution, 1] in [0, 1], to
        E_pi(c_sup | pi), float32 [batch, c_sup_dim]: logits of the categories, or the mean of a normal c_sup.
    """
    mask = layers.Input((resolution, resolution, 1), name="mask")
    x = mask
    while x.shape[1] > 4:
        x = blocks.conv(min(width * resolution // x.shape[1], 8 * width), 4, strides=2)(x)
        x = layers.LeakyReLU(0.2)(blocks.batch_norm()(x))
    return keras.Model(mask, blocks.dense(c_sup_dim)(layers.Flatten()(x)), name="mask_encoder")
