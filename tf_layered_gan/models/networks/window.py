"""A layer that cuts a square out of each feature map."""

from typing import Any

import keras
from keras import KerasTensor, ops


class Window(keras.layers.Layer):
    """Cuts a square out of each feature map. The position can differ between the maps of a batch.

    Maps [features, corner] to float32 [batch, side, side, channel]. The features are float32 [batch, height, width,
    channel]. The corner is int32 [batch, 2], the top row and left column of each square. Each square must lie inside
    its map, because the values outside the map are undefined.

    Args:
        side: side of the square in pixels.
    """

    def __init__(self, side: int, **options: Any) -> None:
        super().__init__(**options)
        self.side = side

    def call(self, features: KerasTensor, corner: KerasTensor) -> KerasTensor:
        """Computes the layer."""
        _, height, width, channels = features.shape
        batch, places = ops.arange(ops.shape(features)[0]), ops.arange(self.side)
        rows = (batch[:, None] * height + corner[:, :1] + places)[:, :, None]
        columns = (corner[:, 1:] + places)[:, None, :]
        return ops.take(ops.reshape(features, (-1, channels)), rows * width + columns, axis=0)

    def compute_output_shape(
        self, features_shape: tuple[int | None, ...], corner_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Returns (batch, side, side, channel)."""
        return (features_shape[0], self.side, self.side, features_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return super().get_config() | {"side": self.side}
