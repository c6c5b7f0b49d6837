"""The encoder E_pi, which predicts c_sup from the mask (paper, appendix A)."""

import keras
from keras import layers

from tf_layered_gan.models.networks import blocks


def mask_encoder(resolution: int, width: int, c_sup_dim: int) -> keras.Model:
    """Builds E_pi.

    Args:
        resolution: side of the mask in pixels, 4 times a power of two.
        width: channels after the first convolution. The channels double at each halving of the map, down to 4x4 pixels,
            but never exceed 8 * width.
        c_sup_dim: number of categories of c_sup, or the dimension of c_sup if the prior is normal.

    Returns:
        keras.Model that maps pi, float32 [batch, resolution, resolution, 1] in [0, 1], to E_pi(c_sup | pi), float32
        [batch, c_sup_dim]. The output is the logits of the categories, or the mean of a normal c_sup.
    """
    mask = layers.Input((resolution, resolution, 1), name="mask")
    x = mask
    while x.shape[1] > 4:
        x = blocks.conv(min(width * resolution // x.shape[1], 8 * width), 4, strides=2)(x)
        x = layers.LeakyReLU(0.2)(blocks.batch_norm()(x))
    return keras.Model(mask, blocks.dense(c_sup_dim, dtype="float32")(layers.Flatten()(x)), name="mask_encoder")
