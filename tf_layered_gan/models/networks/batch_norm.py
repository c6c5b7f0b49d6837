"""Batch normalisation (Ioffe and Szegedy 2015) as one op."""

import keras
import tensorflow as tf
from keras import KerasTensor, ops


class BatchNormalization(keras.layers.BatchNormalization):
    """Computes the same as Keras's layer, but trains faster on one device.

    Keras's layer needs about ten passes over a feature map [batch, height, width, channel]. TensorFlow's fused op needs
    two. Several replicas share their statistics. The fused op cannot do this, so with several replicas the layer uses
    Keras's ops.
    """

    def call(self, inputs: KerasTensor, training: bool | None = None, mask: KerasTensor | None = None) -> KerasTensor:
        """Computes the layer."""
        if not training or not self.trainable or tf.distribute.get_strategy().num_replicas_in_sync > 1:
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=self.gamma, offset=self.beta, mean=[], variance=[], epsilon=self.epsilon
        )
        count = ops.cast(ops.size(inputs[..., 0]), variance.dtype)
        biased = variance * (count - 1) / count  # the op returns the unbiased variance; Keras averages the biased
        for average, value in ((self.moving_mean, mean), (self.moving_variance, biased)):
            average.assign(average * self.momentum + value * (1 - self.momentum))
        return outputs
