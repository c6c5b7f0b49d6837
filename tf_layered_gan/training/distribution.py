"""Over which devices and machines a run is spread: the tf.distribute strategies that a config can name."""

import contextlib
import functools
import hashlib
import json
import os
import re
from collections.abc import Callable

import tensorflow as tf

# What TensorFlow raises once another worker is gone: of the first a step that waits for it, of the others one that is
# begun, or cut off, later.
_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)


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
    if not _has_workers(strategy):
        return
    one = strategy.run(lambda: tf.ones(()))
    strategy.reduce(tf.distribute.ReduceOp.SUM, one, axis=None).numpy()


@contextlib.contextmanager
def chief_first(strategy):
    """Lets the chief go through it alone; every other worker comes once it has left, or is lost with it."""
    if not is_chief(strategy):
        wait_for_all(strategy)
    yield
    if is_chief(strategy):
        wait_for_all(strategy)


@contextlib.contextmanager
def lost_workers_named(strategy):
    """Within it, what TensorFlow raises when another worker is gone is a ConnectionError that says what to do."""
    try:
        yield
    except _LOST as error:
        if not _has_workers(strategy):
            raise
        again = "start all of them again, and they go on from the last checkpoint"
        raise ConnectionError(f"another worker cannot be reached any more: {again}") from error


def check_agreement(strategy, facts):
    """Checks that every worker has come to the same; all of them come here.

    Args:
        strategy: tf.distribute.Strategy.
        facts: dict of str to what JSON knows.

    Raises:
        ValueError: on every worker; names the facts that differ, on which workers, and what this one has. Where not
            even their names are the same, those are named.
    """
    if not _has_workers(strategy):
        return
    # The names first: workers that differ in them would not gather as many digests.
    for checked in ({"the version of this program, by its fields": sorted(facts)}, facts):
        digests = _gathered(strategy, [_digest(value) for value in checked.values()])
        differences = describe_differences(checked, digests, strategy.cluster_resolver.task_id)
        if differences:
            raise ValueError(f"the workers must begin alike, but differ from worker 0: {differences}")


def _gathered(strategy, numbers):
    """Gathers whole numbers, as many on each worker: int [worker, number]."""
    rows = strategy.experimental_distribute_values_from_function(lambda _: tf.constant([numbers], tf.int64))
    devices = strategy.num_replicas_in_sync // strategy.cluster_resolver.cluster_spec().num_tasks("worker")
    return strategy.gather(rows, axis=0).numpy()[::devices].tolist()


def describe_differences(facts, digests, worker):
    """Says which facts are not the same on all workers.

    Args:
        facts: see `check_agreement`.
        digests: int [worker, fact], equal for equal facts.
        worker: int, on which the facts are as given.

    Returns:
        str, empty where there is no difference.
    """
    columns = zip(facts.items(), zip(*digests, strict=True), strict=True)
    return "; ".join(
        f"{name} on worker {', '.join(str(k) for k, digest in enumerate(column) if digest != column[0])}"
        f" (on worker {worker}, this one, it is {json.dumps(value)})"
        for (name, value), column in columns
        if len(set(column)) > 1
    )


def _digest(value):
    return int.from_bytes(hashlib.sha256(json.dumps(value).encode()).digest()[:7])


def _has_workers(strategy):
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def distributed_step(strategy: tf.distribute.Strategy, train_step: Callable, jit: bool = False) -> Callable:
    """Compiles a training step to run on all replicas.

    Args:
        strategy: the strategy that the models were built under.
        train_step: function of a batch to a dict of scalar float32.
        jit: whether XLA compiles it.

    Returns:
        function of a one-element tuple, the distributed batch, to the dict of each replica. A partial, not a function
        of our own, keeps the stack from the command to the losses short.
    """
    if jit:  # XLA compiles inside `strategy.run`: replicas cannot communicate in a function that it compiles
        train_step = tf.function(train_step, jit_compile=True, autograph=False)
    return tf.function(functools.partial(strategy.run, train_step), autograph=False)


def merged_report(strategy: tf.distribute.Strategy) -> Callable[[dict, bool], tuple[dict, bool]]:
    """Returns a function that merges the replicas' reports of a step and the workers' wishes to stop.

    Args:
        strategy: the strategy of the step.

    Returns:
        function of the dict from `distributed_step` and of whether this worker was told to stop, to the means over the
        replicas, a dict of scalar float32, and whether any worker was told.
    """
    if strategy.num_replicas_in_sync == 1:
        return lambda report, told: (report, told)

    @tf.function(autograph=False)
    def merge(report: dict, told: tf.Tensor) -> tuple[dict, tf.Tensor]:
        values = [*report.values(), tf.cast(told, tf.float32)]
        stacked = strategy.run(tf.stack, (values,))  # one exchange between workers, not one for each value
        *means, told = tf.unstack(strategy.reduce(tf.distribute.ReduceOp.MEAN, stacked, axis=None))
        return dict(zip(report, means, strict=True)), told

    def merged(report: dict, told: bool) -> tuple[dict, bool]:
        means, told = merge(report, tf.constant(told))
        return means, bool(told > 0)

    return merged


def _multi_worker():
    cluster = os.environ.get("TF_CONFIG")
    allowed = "one where the environment's TF_CONFIG names every worker and which of them this is"
    if not _names_workers(cluster):
        raise ValueError(f"distribution is multi_worker, TF_CONFIG is {cluster!r}, allowed: {allowed}")
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(f"distribution is multi_worker, but of {cluster} no cluster can be made: {error}") from error


def _names_workers(cluster):
    """Whether a TF_CONFIG has workers alone, each by host and port, and says which of them this is."""
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


def _tpu():
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(f"distribution is tpu, but no TPU can be reached: {error}") from error
    return tf.distribute.TPUStrategy(resolver)
