"""Exponential moving averages (ema) of the weights of networks."""

from collections.abc import Sequence

import keras
import tensorflow as tf


def ema_copy(network: keras.Model) -> keras.Model:
    """Returns a copy of a network with its current weights. The copy is not trained, and computes in float32."""
    copy = keras.models.clone_model(network, clone_function=_in_float32)
    copy.set_weights(network.get_weights())
    copy.trainable = False
    return copy


def _in_float32(layer: keras.layers.Layer) -> keras.layers.Layer:
    options = {name: "float32" if name == "dtype" else value for name, value in layer.get_config().items()}
    return type(layer).from_config(options)  # layers for operations such as `//` have no option dtype


def update_ema(averages: Sequence[keras.Model], networks: Sequence[keras.Model], decay: float) -> None:
    """Updates each ema by one step towards the weights of its network. The result is the same on all replicas.

    The statistics of batch normalisation are averaged too.

    Args:
        averages: copies made by `ema_copy`.
        networks: the networks that the averages were copied from, in the same order.
        decay: the weight of the old average in each update, in [0, 1).
    """
    pairs = [
        pair
        for average, network in zip(averages, networks, strict=True)
        for pair in zip(average.variables, network.variables, strict=True)
    ]

    def update(_: object) -> None:
        for average, variable in pairs:
            average.assign(variable + decay * (average - variable))

    tf.distribute.get_replica_context().merge_call(update)
