"""Networks whose weights are the moving average of another's."""

import keras
import tensorflow as tf


def averaged(network):
    """Returns a copy of a keras.Model, with its weights of now, that does not train."""
    average = keras.models.clone_model(network)
    average.set_weights(network.get_weights())
    average.trainable = False
    return average


def update_averages(averages, networks, decay):
    """Moves each average, variables that do not train included, a step towards its network; the same on all replicas.

    Args:
        averages, networks: lists of keras.Model, as long, the former by `averaged`.
        decay: share of the average that stays, in [0, 1).
    """
    pairs = [
        pair
        for average, network in zip(averages, networks, strict=True)
        for pair in zip(average.variables, network.variables, strict=True)
    ]

    def update(_):
        for average, variable in pairs:
            average.assign(variable + decay * (average - variable))

    tf.distribute.get_replica_context().merge_call(update)
