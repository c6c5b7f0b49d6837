"""An optimizer step that gives the same result on one replica and on several replicas."""

import keras
import tensorflow as tf
from keras import ops


def replica_mean(per_example: tf.Tensor) -> tf.Tensor:
    """Returns a replica's part of the mean over the global batch. The parts of all replicas add up to the mean.

    Args:
        per_example: float32 [batch], the values for the replica's part of the batch.

    Returns:
        float32 scalar.
    """
    return ops.mean(per_example) / tf.distribute.get_strategy().num_replicas_in_sync


def apply_gradients(
    tape: tf.GradientTape, loss: tf.Tensor, variables: list[keras.Variable], optimizer: keras.optimizers.Optimizer
) -> tf.Tensor:
    """Runs one optimizer step, which lowers the loss.

    Args:
        tape: the tape that recorded the loss.
        loss: float32 scalar, see `replica_mean`.
        variables: the variables to update.
        optimizer: the optimizer, built for these variables.

    Returns:
        float32 scalar, the norm of the gradient of the global batch; the same on every replica.
    """
    gradients = tape.gradient(loss, variables)
    optimizer.apply(gradients, variables)
    return tf.linalg.global_norm(
        sum_over_replicas(gradients)
    )  # Keras also sums the gradients over the replicas, but does not return the sums


def sum_over_replicas(tensors: list[tf.Tensor]) -> list[tf.Tensor]:
    """Returns the sum of each tensor over all replicas."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return tensors
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tensors)
