"""The few building blocks that the generators, the mask encoder and the U-Net share."""

from keras import initializers, layers

from tf_layered_gan.models.networks.upsampling import UpsampleConv2D


def conv(filters, size, **options):
    """A 'same' convolution without bias, orthogonally initialised (paper, appendix A)."""
    options = {"padding": "same", "use_bias": False} | options
    return layers.Conv2D(filters, size, kernel_initializer=initializers.Orthogonal(), **options)


def dense(units, **options):
    """A dense layer, orthogonally initialised (paper, appendix A)."""
    return layers.Dense(units, kernel_initializer=initializers.Orthogonal(), **options)


def batch_norm():
    """Batch normalisation over the global batch: replicas share their statistics."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, synchronized=True)


def conv_bn_relu(x, filters):
    """[batch, height, width, channel] -> [batch, height, width, filters]."""
    return layers.ReLU()(batch_norm()(conv(filters, 3)(x)))


def upsample_block(x, filters):
    """[batch, height, width, channel] -> [batch, 2 height, 2 width, filters], nearest neighbour first."""
    return layers.ReLU()(batch_norm()(UpsampleConv2D(filters)(x)))


def residual_block(x):
    """Two 3x3 convolutions and a skip connection; the shape stays."""
    channels = x.shape[-1]
    y = conv_bn_relu(x, channels)
    return layers.Add()([x, batch_norm()(conv(channels, 3)(y))])


def join_code(x, code):
    """Convolves feature map and code together: conv3x3 of the map plus a learned bias per code and channel.

    Args:
        x: float32 [batch, height, width, channel].
        code: float32 [batch, category], one-hot or real.

    Returns:
        float32 [batch, height, width, channel].

    Differs from FineGAN, which tiles the code over the picture and concatenates: a convolution of a constant
    plane is a bias per channel everywhere but in the one-pixel border, at a fraction of the cost.
    """
    channels = x.shape[-1]
    bias = layers.Reshape((1, 1, channels))(dense(channels, use_bias=False)(code))
    return layers.ReLU()(batch_norm()(layers.Add()([conv(channels, 3)(x), bias])))
