"""A square cut out of each feature map."""

import keras
from keras import ops


class Window(keras.layers.Layer):
    """Cuts a square out of each feature map, for each at its own place.

    Args:
        side: of the square, in pixels.

    Maps [features float32 [batch, height, width, channel], corner int32 [batch, 2]], the square's top row and left
    column, to float32 [batch, side, side, channel]. The square must lie within the map: what lies outside is undefined.
    """

    def __init__(self, side, **options):
        super().__init__(**options)
        self.side = side

    def call(self, features, corner):
        """Computes the layer."""
        _, height, width, channels = features.shape
        batch, places = ops.arange(ops.shape(features)[0]), ops.arange(self.side)
        rows = (batch[:, None] * height + corner[:, :1] + places)[:, :, None]
        columns = (corner[:, 1:] + places)[:, None, :]
        return ops.take(ops.reshape(features, (-1, channels)), rows * width + columns, axis=0)

    def compute_output_shape(self, features_shape, corner_shape):
        """Returns (batch, side, side, channel)."""
        return (features_shape[0], self.side, self.side, features_shape[-1])

    def get_config(self):
        """Returns the arguments of the constructor."""
        return super().get_config() | {"side": self.side}
