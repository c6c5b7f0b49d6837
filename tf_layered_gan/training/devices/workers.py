"""Functions for a run on several machines.

They find the chief, wait for all workers, and compare facts between workers.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

# Errors that TensorFlow raises if another worker is gone. The class of the error depends on what this worker does at
# that moment.
_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether this process is the chief: worker 0, or the only process.

    The chief writes the files of the run.
    """
    resolver = strategy.cluster_resolver
    return resolver is None or resolver.task_type in (None, "chief") or (
        resolver.task_type == "worker" and resolver.task_id == 0
    )  # fmt: skip


def wait_for_all(strategy: tf.distribute.Strategy) -> None:
    """Waits until every worker has called this function."""
    if not _has_workers(strategy):
        return
    one = strategy.run(lambda: tf.ones(()))
    strategy.reduce(tf.distribute.ReduceOp.SUM, one, axis=None).numpy()


@contextlib.contextmanager
def chief_first(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Runs the body on the chief first, and on the other workers once the chief has finished the body."""
    if not is_chief(strategy):
        wait_for_all(strategy)
    yield
    if is_chief(strategy):
        wait_for_all(strategy)


@contextlib.contextmanager
def lost_workers_named(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Turns TensorFlow's errors about a lost worker into a ConnectionError that says what to do."""
    try:
        yield
    except _LOST as error:
        if not _has_workers(strategy):
            raise
        again = "start all workers again, and they go on from the last checkpoint"
        raise ConnectionError(f"another worker cannot be reached any more: {again}") from error


def check_agreement(strategy: tf.distribute.Strategy, facts: Mapping[str, Any]) -> None:
    """Checks that every worker has the same facts, such as the config and the photos.

    All workers must call this function. JSON must be able to store the facts.

    Raises:
        ValueError: a fact differs. Every worker raises this error. The message names the facts that differ, the workers
            that differ, and this worker's values. If the workers have facts with different names, the message lists the
            names.
    """
    if not _has_workers(strategy):
        return
    # The names are compared first, because a worker with other names could send more or fewer digests.
    for checked in ({"the names of the facts, which depend on the version of this program,": sorted(facts)}, facts):
        digests = _gathered(strategy, [_digest(value) for value in checked.values()])
        differences = describe_differences(checked, digests, strategy.cluster_resolver.task_id)
        if differences:
            raise ValueError(f"all workers need the same facts, but some differ from worker 0: {differences}")


def describe_differences(facts: Mapping[str, Any], digests: Sequence[Sequence[int]], worker: int) -> str:
    """Describes the facts that are not the same on all workers.

    Args:
        facts: see `check_agreement`.
        digests: a number for each fact of each worker, int [worker, fact]. Equal facts have equal numbers.
        worker: the index of the worker that has these facts.

    Returns:
        str, empty if there is no difference.
    """
    columns = zip(facts.items(), zip(*digests, strict=True), strict=True)
    return "; ".join(
        f"{name} on worker {', '.join(str(k) for k, digest in enumerate(column) if digest != column[0])}"
        f" (this is worker {worker}, which has {json.dumps(value)})"
        for (name, value), column in columns
        if len(set(column)) > 1
    )


def _gathered(strategy: tf.distribute.Strategy, numbers: Sequence[int]) -> list[list[int]]:
    """Gathers the integers of all workers, int [worker, number]. All workers must give the same number of integers."""
    rows = strategy.experimental_distribute_values_from_function(lambda _: tf.constant([numbers], tf.int64))
    devices = strategy.num_replicas_in_sync // strategy.cluster_resolver.cluster_spec().num_tasks("worker")
    return strategy.gather(rows, axis=0).numpy()[::devices].tolist()


def _digest(value: Any) -> int:
    return int.from_bytes(hashlib.sha256(json.dumps(value).encode()).digest()[:7])


def _has_workers(strategy: tf.distribute.Strategy) -> bool:
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
