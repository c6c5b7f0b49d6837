"""The Inception-v3 that FID uses (Szegedy et al. 2015): the network of 2015-12-05 up to its last pooling layer."""

from collections.abc import Callable

import keras
from keras import KerasTensor, layers

RESOLUTION = 299
Size = int | tuple[int, int]


def inception() -> keras.Model:
    """Builds the network whose features FID compares (Heusel et al. 2017), without its last layer of 1008 logits.

    The weights are random until `metrics.inception_weights` loads the published weights. The network is not meant to be
    trained. Each layer has the name of its scope in the published graph, with a dot in place of each slash. For
    example, the convolution "mixed_9.tower.conv" is followed by "mixed_9.tower.conv.batchnorm".

    The Inception-v3 of keras.applications was trained later and is another network. In the network of this module,
    batch normalisation has no scale, and the last block has a maximum pooling.

    Returns:
        keras.Model from images to features. The images are float32 [batch, 299, 299, rgb]. Each value is
        (pixel - 128) / 128 for a pixel in [0, 255]. The features are the mean of the last feature map over its pixels,
        float32 [batch, 2048], 0 or more.
    """
    image = layers.Input((RESOLUTION, RESOLUTION, 3), name="image")
    x = _conv(image, 32, 3, "conv", strides=2, padding="valid")
    x = _conv(x, 32, 3, "conv_1", padding="valid")
    x = layers.MaxPooling2D(3, 2)(_conv(x, 64, 3, "conv_2"))
    x = _conv(x, 80, 1, "conv_3", padding="valid")
    x = layers.MaxPooling2D(3, 2)(_conv(x, 192, 3, "conv_4", padding="valid"))
    for name, pooled in (("mixed", 32), ("mixed_1", 64), ("mixed_2", 64)):
        x = _block_35(x, name, pooled)
    x = _reduction_17(x, "mixed_3")
    for name, width in (("mixed_4", 128), ("mixed_5", 160), ("mixed_6", 160), ("mixed_7", 192)):
        x = _block_17(x, name, width)
    x = _reduction_8(x, "mixed_8")
    x = _block_8(x, "mixed_9", _average_pool)
    x = _block_8(x, "mixed_10", layers.MaxPooling2D(3, 1, "same"))
    return keras.Model(image, layers.GlobalAveragePooling2D(name="pool_3")(x), name="inception")


def _conv(
    x: KerasTensor, filters: int, size: Size, name: str, *, strides: int = 1, padding: str = "same"
) -> KerasTensor:
    x = layers.Conv2D(filters, size, strides, padding, use_bias=False, name=name)(x)
    return layers.ReLU()(layers.BatchNormalization(scale=False, epsilon=1e-3, name=f"{name}.batchnorm")(x))


def _tower(x: KerasTensor, name: str, *convolutions: tuple) -> KerasTensor:
    """Applies convolutions in sequence. A convolution is given as (filters, size) or (filters, size, options)."""
    for i, (filters, size, *options) in enumerate(convolutions):
        x = _conv(x, filters, size, f"{name}.conv_{i}" if i else f"{name}.conv", **dict(*options))
    return x


def _average_pool(x: KerasTensor) -> KerasTensor:
    """Averages over 3x3 pixels.

    At the border, Keras and the published network average only over pixels inside the map.
    """
    return layers.AveragePooling2D(3, 1, "same")(x)


_HALVING = {"strides": 2, "padding": "valid"}


def _block_35(x: KerasTensor, name: str, pooled: int) -> KerasTensor:
    branches = [
        _tower(x, name, (64, 1)),
        _tower(x, f"{name}.tower", (48, 1), (64, 5)),
        _tower(x, f"{name}.tower_1", (64, 1), (96, 3), (96, 3)),
        _tower(_average_pool(x), f"{name}.tower_2", (pooled, 1)),
    ]
    return layers.Concatenate(name=name)(branches)


def _reduction_17(x: KerasTensor, name: str) -> KerasTensor:
    branches = [
        _tower(x, name, (384, 3, _HALVING)),
        _tower(x, f"{name}.tower", (64, 1), (96, 3), (96, 3, _HALVING)),
        layers.MaxPooling2D(3, 2)(x),
    ]
    return layers.Concatenate(name=name)(branches)


def _block_17(x: KerasTensor, name: str, width: int) -> KerasTensor:
    row, column = (1, 7), (7, 1)
    branches = [
        _tower(x, name, (192, 1)),
        _tower(x, f"{name}.tower", (width, 1), (width, row), (192, column)),
        _tower(x, f"{name}.tower_1", (width, 1), (width, column), (width, row), (width, column), (192, row)),
        _tower(_average_pool(x), f"{name}.tower_2", (192, 1)),
    ]
    return layers.Concatenate(name=name)(branches)


def _reduction_8(x: KerasTensor, name: str) -> KerasTensor:
    branches = [
        _tower(x, f"{name}.tower", (192, 1), (320, 3, _HALVING)),
        _tower(x, f"{name}.tower_1", (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, _HALVING)),
        layers.MaxPooling2D(3, 2)(x),
    ]
    return layers.Concatenate(name=name)(branches)


def _block_8(x: KerasTensor, name: str, pool: Callable[[KerasTensor], KerasTensor]) -> KerasTensor:
    tower = _tower(x, f"{name}.tower", (384, 1))
    tower_1 = _tower(x, f"{name}.tower_1", (448, 1), (384, 3))
    branches = [
        _tower(x, name, (320, 1)),
        *_split(tower, f"{name}.tower.mixed"),
        *_split(tower_1, f"{name}.tower_1.mixed"),
        _tower(pool(x), f"{name}.tower_2", (192, 1)),
    ]
    return layers.Concatenate(name=name)(branches)


def _split(x: KerasTensor, name: str) -> tuple[KerasTensor, KerasTensor]:
    return _conv(x, 384, (1, 3), f"{name}.conv"), _conv(x, 384, (3, 1), f"{name}.conv_1")
