"""Layers whose kernel is divided by its largest singular value (SN-GAN, Miyato et al. 2018).

The layer `SpectralNormalization` of Keras cannot be used in this GAN. Each of its calls with `training=True` overwrites
the kernel with kernel / sigma, where sigma is the kernel's largest singular value. So an update of the generators,
which calls the discriminator, would change the discriminator. Keras's layer also stops the gradient at sigma. A call of
a layer of this module does not change the layer, and the gradient flows through sigma. The power iteration, which
estimates sigma, takes a step only when `update_u` is called. Each update of the discriminator calls `update_u` once.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import KerasTensor, ops


class SpectralNormMixin(keras.layers.Layer):
    """Adds `u`, `normalized_kernel` and `update_u` to a Keras layer that has a `kernel`.

    The weights and sigma are float32, even if the layer computes in another precision.
    """

    def add_weight(self, *args: Any, **options: Any) -> keras.Variable:
        """Adds a weight that `call` reads as float32."""
        return super().add_weight(*args, **options, autocast=False)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Adds the unit vector `u` to the layer's weights."""
        super().build(input_shape)
        self.u = self.add_weight(
            name="u",
            shape=(1, self.kernel.shape[-1]),
            initializer=_unit_vector(self.kernel_initializer.seed),
            trainable=False,
            aggregation="only_first_replica",
        )

    def _kernel_matrix(self) -> KerasTensor:
        return ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))

    def normalized_kernel(self) -> KerasTensor:
        """Returns kernel / sigma, where sigma = v W u^T, and W is the kernel as a matrix.

        The gradient treats the singular vectors u and v as constants.

        Returns:
            float32, the kernel's shape. If the returned kernel is reshaped to a matrix [all other axes, output
            channel], the spectral norm of this matrix is 1 once `u` has converged.
        """
        matrix = ops.stop_gradient(self._kernel_matrix())
        v = ops.normalize(ops.matmul(self.u, ops.transpose(matrix)))
        sigma = ops.sum(ops.matmul(v, self._kernel_matrix()) * self.u)
        return self.kernel / sigma

    def update_u(self) -> None:
        """Advances the singular vector `u` by one step of power iteration."""
        matrix = self._kernel_matrix()
        v = ops.normalize(ops.matmul(self.u, ops.transpose(matrix)))
        self.u.assign(ops.normalize(ops.matmul(v, matrix)))


def _unit_vector(seed: int) -> Callable:
    normal = keras.initializers.RandomNormal(seed=seed)
    return lambda shape, dtype: ops.normalize(normal(shape, dtype))


class SpectralConv2D(SpectralNormMixin, keras.layers.Conv2D):
    """2-D convolution of float32 [batch, height, width, channel] with a spectrally normalised kernel."""

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Computes the layer."""
        kernel = ops.cast(self.normalized_kernel(), self.compute_dtype)
        outputs = ops.conv(inputs, kernel, strides=self.strides, padding=self.padding)
        return self.activation(outputs + ops.cast(self.bias, self.compute_dtype))


class SpectralDense(SpectralNormMixin, keras.layers.Dense):
    """Dense layer of float32 [batch, feature] with a spectrally normalised kernel."""

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Computes the layer."""
        kernel = ops.cast(self.normalized_kernel(), self.compute_dtype)
        return self.activation(ops.matmul(inputs, kernel) + ops.cast(self.bias, self.compute_dtype))


def update_spectral_norm(network: keras.Model) -> None:
    """Advances the power iteration of all spectrally normalised layers of a network by one step."""
    for layer in network.layers:
        if isinstance(layer, SpectralNormMixin):
            layer.update_u()
