"""Over which devices and machines a run is spread: the tf.distribute strategies that a config can name."""

import json
import os

import tensorflow as tf


def build_strategy(config):
    """Returns the tf.distribute.Strategy that `config.distribution` names, before TensorFlow has done anything else.

    Raises:
        ValueError: if the workers or the TPU cannot be found; or if the replicas cannot share a batch equally, or one
            picture each is too few.
    """
    if config.distribution == "one_device":
        return tf.distribute.get_strategy()
    strategies = {"mirrored": tf.distribute.MirroredStrategy, "multi_worker": _multi_worker, "tpu": _tpu}
    strategy = strategies[config.distribution]()
    replicas = strategy.num_replicas_in_sync
    if config.batch_size % replicas:
        raise ValueError(f"batch_size is {config.batch_size}, allowed: a multiple of the {replicas} devices")
    if any(config.gan.gamma_independence) and config.batch_size == replicas:  # each would compare a picture with itself
        allowed = f"2 or more for each of the {replicas} devices where gan.gamma_independence is more than 0"
        raise ValueError(f"batch_size is {config.batch_size}, allowed: {allowed}")
    return strategy


def is_chief(strategy):
    """Returns whether this process is the one that writes: worker 0, or the only one."""
    resolver = strategy.cluster_resolver
    return resolver is None or resolver.task_type in (None, "chief") or (
        resolver.task_type == "worker" and resolver.task_id == 0
    )  # fmt: skip


def wait_for_all(strategy):
    """Returns once every worker has come here."""
    one = strategy.run(lambda: tf.ones(()))
    strategy.reduce(tf.distribute.ReduceOp.SUM, one, axis=None).numpy()


def _multi_worker():
    cluster = os.environ.get("TF_CONFIG")
    allowed = "one where the environment's TF_CONFIG names every worker and which of them this is"
    try:
        workers, task = json.loads(cluster or "")["cluster"]["worker"], json.loads(cluster)["task"]
        known = task["type"] == "worker" and 0 <= task["index"] < len(workers)
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise ValueError(f"distribution is multi_worker, TF_CONFIG is {cluster!r}, allowed: {allowed}")
    return tf.distribute.MultiWorkerMirroredStrategy()


def _tpu():
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(f"distribution is tpu, but no TPU can be reached: {error}") from error
    return tf.distribute.TPUStrategy(resolver)
