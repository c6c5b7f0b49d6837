"""The devices and machines of a run: tf.distribute strategies, and training steps that run on all devices."""

import functools
import json
import os
import re
from collections.abc import Callable

import tensorflow as tf
from absl import logging
from ml_collections import ConfigDict


def build_strategy(config: ConfigDict) -> tf.distribute.Strategy:
    """Returns the strategy that `config.distribution` names.

    Call this function before any other function of TensorFlow.

    Raises:
        ValueError: the workers or the TPU cannot be found, or the batch size does not fit. The batch size must be a
            multiple of the number of replicas. The images of each replica must be enough for every loss, and must form
            whole groups (see `networks.minibatch_groups`).
    """
    if config.distribution == "one_device":
        return tf.distribute.get_strategy()
    strategies = {"mirrored": tf.distribute.MirroredStrategy, "multi_worker": _multi_worker, "tpu": _tpu}
    strategy = strategies[config.distribution]()
    replicas = strategy.num_replicas_in_sync
    if config.batch_size % replicas:
        raise ValueError(f"batch_size is {config.batch_size}, allowed: a multiple of the {replicas} devices")
    if any(config.gan.gamma_independence) and config.batch_size == replicas:  # the loss compares two images
        allowed = f"2 or more for each of the {replicas} devices, because gan.gamma_independence is more than 0"
        raise ValueError(f"batch_size is {config.batch_size}, allowed: {allowed}")
    if config.gan.gamma_variety and config.batch_size // replicas % 2:
        allowed = f"an even number for each of the {replicas} devices, because gan.gamma_variety is more than 0"
        raise ValueError(f"batch_size is {config.batch_size}, allowed: {allowed}")
    groups = config.networks.minibatch_groups
    if groups and config.batch_size // replicas % groups:
        allowed = (
            f"a multiple of {groups} for each of the {replicas} devices, because networks.minibatch_groups is {groups}"
        )
        raise ValueError(f"batch_size is {config.batch_size}, allowed: {allowed}")
    return strategy


def with_chosen_jit(config: ConfigDict) -> ConfigDict:
    """Returns the config with True or False in place of the "auto" of `config.jit`, and logs the choice.

    The record of a run keeps "auto", so another machine that continues the run chooses again.
    """
    if config.jit != "auto":
        return config
    if config.distribution == "tpu":
        jit, reason = False, "TPUs compile every step with XLA anyway"
    elif config.distribution != "one_device":
        jit, reason = False, "it can only compile the steps of one device"
    elif tf.config.list_physical_devices("GPU"):
        jit, reason = True, "there is a GPU"
    else:
        jit, reason = False, "there is no GPU, and on CPUs it made the steps slower"
    logging.info(
        "jit is auto: XLA %s the training steps, because %s", "compiles" if jit else "does not compile", reason
    )
    config = config.copy_and_resolve_references()
    with config.ignore_type():
        config.jit = jit
    return config


def distributed_step(
    strategy: tf.distribute.Strategy, train_step: Callable, jit: bool = False
) -> tf.types.experimental.PolymorphicFunction:
    """Compiles a training step to run on all replicas.

    Args:
        strategy: the strategy that the models were built under.
        train_step: function that takes a batch and returns a dict of scalar float32.
        jit: whether XLA compiles the step.

    Returns:
        A function. Its argument is a tuple whose only element is the distributed batch. It returns the dict that
        `train_step` returns, and each item of this dict holds the values of all replicas. The function wraps a
        `functools.partial`, which keeps the call stack from the command to the losses short.
    """
    if jit:  # XLA compiles only `train_step`, because replicas cannot communicate in a function that XLA compiles
        train_step = tf.function(train_step, jit_compile=True, autograph=False)
    return tf.function(functools.partial(strategy.run, train_step), autograph=False)


def merged_report(strategy: tf.distribute.Strategy) -> Callable[[dict, bool], tuple[dict, bool]]:
    """Returns a function that merges the replicas' reports of a step, and the workers' requests to stop.

    Args:
        strategy: the strategy of the step.

    Returns:
        A function. Its arguments are the dict that `distributed_step` returned, and whether this worker has to stop. It
        returns a dict of the means over the replicas, scalar float32, and whether any worker has to stop.
    """
    if strategy.num_replicas_in_sync == 1:
        return lambda report, stop: (report, stop)

    @tf.function(autograph=False)
    def merge(report: dict, stop: tf.Tensor) -> tuple[dict, tf.Tensor]:
        values = [*report.values(), tf.cast(stop, tf.float32)]
        # The values are stacked, so that the workers exchange data only once, and not once for each value.
        stacked = strategy.run(tf.stack, (values,))
        *means, stop = tf.unstack(strategy.reduce(tf.distribute.ReduceOp.MEAN, stacked, axis=None))
        return dict(zip(report, means, strict=True)), stop

    def merged(report: dict, stop: bool) -> tuple[dict, bool]:
        means, stop = merge(report, tf.constant(stop))
        return means, bool(stop > 0)

    return merged


def _multi_worker() -> tf.distribute.Strategy:
    cluster = os.environ.get("TF_CONFIG")
    allowed = "the addresses of all workers, and the index of this worker"
    if not _names_workers(cluster):
        raise ValueError(f"distribution is multi_worker, TF_CONFIG is {cluster!r}, allowed: {allowed}")
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(f"distribution is multi_worker, but {cluster} is not a valid cluster: {error}") from error


def _names_workers(cluster: str | None) -> bool:
    """Returns True if a TF_CONFIG lists only workers, in the form host:port, and contains the index of this worker."""
    try:
        given = json.loads(cluster or "")
        jobs, task = given["cluster"], given["task"]
        workers = jobs["worker"]
        addresses = all(re.fullmatch(r"[^\s/]+:\d{1,5}", worker) for worker in workers)
        return (
            set(jobs) == {"worker"} and addresses and task["type"] == "worker" and task["index"] in range(len(workers))
        )
    except (ValueError, KeyError, TypeError):
        return False


def _tpu() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(f"distribution is tpu, but no TPU can be reached: {error}") from error
    return tf.distribute.TPUStrategy(resolver)
