"""Layers whose kernel is divided by its largest singular value (SN-GAN, Miyato et al. 2018).

Keras' own `SpectralNormalization` overwrites the kernel with kernel / sigma at every `training=True` call and
stops the gradient at sigma, so a generator update that calls the discriminator would rewrite it. Here calling a
layer changes nothing: the kernel stays as the optimizer left it, the gradient flows through sigma, and the
power iteration advances only when `update_u` is called, once per discriminator update.
"""

import keras
from keras import ops


class SpectralNormMixin:
    """Adds `u`, `normalized_kernel` and `update_u` to a Keras layer that has a `kernel`."""

    def build(self, input_shape):
        """Adds `u`, of unit length, to the layer's weights."""
        super().build(input_shape)
        self.u = self.add_weight(
            name="u",
            shape=(1, self.kernel.shape[-1]),
            initializer=_unit_vector(self.kernel_initializer.seed),
            trainable=False,
            aggregation="only_first_replica",
        )

    def _kernel_matrix(self):
        return ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))

    def normalized_kernel(self):
        """Returns kernel / sigma, sigma = v W u^T with the singular vectors u, v held constant.

        Returns:
            float32, the kernel's shape; its matrix [all other axes, output channel] has spectral norm 1 once `u`
            has converged.
        """
        matrix = ops.stop_gradient(self._kernel_matrix())
        v = ops.normalize(ops.matmul(self.u, ops.transpose(matrix)))
        sigma = ops.sum(ops.matmul(v, self._kernel_matrix()) * self.u)
        return self.kernel / sigma

    def update_u(self):
        """Advances the left singular vector `u` by one step of power iteration."""
        matrix = self._kernel_matrix()
        v = ops.normalize(ops.matmul(self.u, ops.transpose(matrix)))
        self.u.assign(ops.normalize(ops.matmul(v, matrix)))


def _unit_vector(seed):
    normal = keras.initializers.RandomNormal(seed=seed)
    return lambda shape, dtype: ops.normalize(normal(shape, dtype))


class SpectralConv2D(SpectralNormMixin, keras.layers.Conv2D):
    """2-D convolution, float32 [batch, height, width, channel], with a spectrally normalised kernel."""

    def call(self, inputs):
        """Computes the layer with its normalised kernel."""
        outputs = ops.conv(inputs, self.normalized_kernel(), strides=self.strides, padding=self.padding)
        return self.activation(outputs + self.bias)


class SpectralDense(SpectralNormMixin, keras.layers.Dense):
    """Dense layer, float32 [batch, feature], with a spectrally normalised kernel."""

    def call(self, inputs):
        """Computes the layer with its normalised kernel."""
        return self.activation(ops.matmul(inputs, self.normalized_kernel()) + self.bias)


def update_spectral_norm(network):
    """Advances the power iteration of every spectrally normalised layer of `network` (a keras.Model) by one step."""
    for layer in network.layers:
        if isinstance(layer, SpectralNormMixin):
            layer.update_u()
