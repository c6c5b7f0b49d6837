"""Building blocks that the generators, the mask encoder and the segmenters share."""

from typing import Any

from keras import KerasTensor, initializers, layers

from tf_layered_gan.models.networks.batch_norm import BatchNormalization
from tf_layered_gan.models.networks.upsampling import UpsampleConv2D


def conv(filters: int, size: int, **options: Any) -> layers.Layer:
    """Returns a 'same' convolution without bias and with orthogonal initial weights (paper, appendix A)."""
    options = {"padding": "same", "use_bias": False} | options
    return layers.Conv2D(filters, size, kernel_initializer=initializers.Orthogonal(), **options)


def dense(units: int, **options: Any) -> layers.Layer:
    """Returns a dense layer with orthogonal initial weights (paper, appendix A)."""
    return layers.Dense(units, kernel_initializer=initializers.Orthogonal(), **options)


def batch_norm(**options: Any) -> layers.Layer:
    """Returns a layer of batch normalisation over the global batch: the replicas share their statistics."""
    return BatchNormalization(**{"momentum": 0.9, "epsilon": 1e-5, "synchronized": True} | options)


def bilinear_upsampling() -> layers.Layer:
    """Returns a layer that doubles height and width.

    The layer computes in float32, because XLA cannot compile its gradient in bfloat16 (TensorFlow 2.21).
    """
    return layers.UpSampling2D(interpolation="bilinear", dtype="float32")


def conv_bn_relu(x: KerasTensor, filters: int) -> KerasTensor:
    """Applies a 3x3 convolution, batch normalisation and ReLU. The result is [batch, height, width, filters]."""
    return layers.ReLU()(batch_norm()(conv(filters, 3)(x)))


def upsample_block(x: KerasTensor, filters: int) -> KerasTensor:
    """Doubles height and width by nearest-neighbour upsampling, then does the same as `conv_bn_relu`."""
    return layers.ReLU()(batch_norm()(UpsampleConv2D(filters)(x)))


def residual_block(x: KerasTensor) -> KerasTensor:
    """Applies two 3x3 convolutions with a skip connection. The shape does not change."""
    channels = x.shape[-1]
    y = conv_bn_relu(x, channels)
    return layers.Add()([x, batch_norm()(conv(channels, 3)(y))])


def join_code(x: KerasTensor, code: KerasTensor) -> KerasTensor:
    """Joins a code to a feature map: applies a 3x3 convolution and adds biases that depend on the code.

    FineGAN repeats the code at every pixel, concatenates it with the map, and applies a convolution. The convolution of
    a constant plane is a bias for each channel, except in the outermost pixels. So this function gives almost the same
    result as FineGAN, at a much lower cost.

    Args:
        x: float32 [batch, height, width, channel].
        code: float32 [batch, category], one-hot or real.

    Returns:
        float32 [batch, height, width, channel].
    """
    channels = x.shape[-1]
    bias = layers.Reshape((1, 1, channels))(dense(channels, use_bias=False)(code))
    return layers.ReLU()(batch_norm()(layers.Add()([conv(channels, 3)(x), bias])))
