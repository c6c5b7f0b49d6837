"""One optimizer step, the same on one replica and on many."""

import tensorflow as tf
from keras import ops


def replica_mean(per_example):
    """Mean of float32 [batch] over the global batch: the replicas' results add up to it."""
    return ops.mean(per_example) / tf.distribute.get_strategy().num_replicas_in_sync


def apply_gradients(tape, loss, variables, optimizer):
    """Takes one step of `optimizer` down `loss`, a scalar float32 recorded on `tape`.

    Returns:
        float32 scalar, the global norm of the gradient of the whole batch, on every replica the same.
    """
    gradients = tape.gradient(loss, variables)
    optimizer.apply(gradients, variables)
    return tf.linalg.global_norm(_summed(gradients))


def _summed(gradients):
    """Adds up the replicas' gradients, each of its share of the batch; Keras does too, but keeps the sums to itself."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return gradients
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradients)
