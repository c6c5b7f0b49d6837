"""A layer that shows D how much the images of a group differ (Karras et al. 2018)."""

from typing import Any

import keras
from keras import KerasTensor, ops


class MinibatchDeviation(keras.layers.Layer):
    """Appends a channel that holds the standard deviation over a group of images, averaged over pixels and channels.

    A group consists of successive images. The batch of D has photos first, and then the same number of synthetic
    images. If the group size divides the number of photos, no group has both photos and synthetic images. The layer
    maps float32 [batch, height, width, channel] to float32 [batch, height, width, channel + 1]. The batch size must be
    a multiple of the group size.

    Args:
        group_size: images in a group.
    """

    def __init__(self, group_size: int, **options: Any) -> None:
        super().__init__(**options)
        self.group_size = group_size

    def call(self, features: KerasTensor) -> KerasTensor:
        """Computes the layer."""
        groups = ops.reshape(features, (-1, self.group_size, *features.shape[1:]))
        deviation = ops.sqrt(ops.var(groups, axis=1) + 1e-8)  # 1e-8, because the square root has no gradient at 0
        means = ops.repeat(ops.mean(deviation, axis=(1, 2, 3)), self.group_size)
        channel = means[:, None, None, None] * ops.ones_like(features[..., :1])
        return ops.concatenate([features, channel], axis=-1)

    def compute_output_shape(self, features_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns (batch, height, width, channel + 1)."""
        *others, channels = features_shape
        return (*others, None if channels is None else channels + 1)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return super().get_config() | {"group_size": self.group_size}
