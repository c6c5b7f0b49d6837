import json
import types

import pytest
import tensorflow as tf
import tiny

from configs import shapes
from tf_layered_gan.config import validate
from tf_layered_gan.training.devices import workers
from tf_layered_gan.training.devices.distribution import (
    build_strategy,
    distributed_step,
    merged_report,
    with_chosen_jit,
)
from tf_layered_gan.training.devices.workers import describe_differences, is_chief


class ThreeReplicas:
    num_replicas_in_sync = 3


def test_batch_that_the_replicas_cannot_share_is_refused(monkeypatch):
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", ThreeReplicas)
    with pytest.raises(ValueError, match="batch_size is 4, allowed: a multiple of the 3 devices"):
        build_strategy(tiny.run_config(shapes, distribution="mirrored"))
    assert isinstance(build_strategy(tiny.run_config(shapes, distribution="mirrored", batch_size=6)), ThreeReplicas)


def test_independence_loss_needs_two_images_on_each_device(monkeypatch):
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", ThreeReplicas)
    changes = {"distribution": "mirrored", "gan.gamma_independence": (0.0, 1.0)}
    with pytest.raises(ValueError, match="batch_size is 3, allowed: 2 or more for each of the 3 devices, because"):
        build_strategy(tiny.run_config(shapes, batch_size=3, **changes))
    assert isinstance(build_strategy(tiny.run_config(shapes, batch_size=6, **changes)), ThreeReplicas)


def test_variety_loss_needs_pairs_of_images_on_each_device(monkeypatch):
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", ThreeReplicas)
    changes = {"distribution": "mirrored", "gan.gamma_variety": 1.0}
    with pytest.raises(ValueError, match="batch_size is 9, allowed: an even number for each of the 3 devices"):
        build_strategy(tiny.run_config(shapes, batch_size=9, **changes))
    assert isinstance(build_strategy(tiny.run_config(shapes, batch_size=12, **changes)), ThreeReplicas)


def test_groups_of_the_discriminator_divide_the_images_of_each_device(monkeypatch):
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", ThreeReplicas)
    changes = {"distribution": "mirrored", "networks.minibatch_groups": 4}
    allowed = "a multiple of 4 for each of the 3 devices, because networks.minibatch_groups is 4"
    with pytest.raises(ValueError, match=f"batch_size is 18, allowed: {allowed}"):
        build_strategy(tiny.run_config(shapes, batch_size=18, **changes))
    assert isinstance(build_strategy(tiny.run_config(shapes, batch_size=24, **changes)), ThreeReplicas)


@pytest.mark.parametrize(
    ("devices", "given", "chosen", "reason"),
    [
        (["GPU:0"], {}, True, "XLA compiles the training steps, because there is a GPU"),
        ([], {}, False, "because there is no GPU, and on CPUs it made the steps slower"),
        (
            ["GPU:0", "GPU:1"],
            {"distribution": "mirrored"},
            False,
            "because it can only compile the steps of one device",
        ),
        ([], {"distribution": "tpu"}, False, "because TPUs compile every step with XLA anyway"),
    ],
)
def test_xla_is_chosen_by_the_devices_and_logged_with_the_reason(monkeypatch, caplog, devices, given, chosen, reason):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: devices)
    config = tiny.run_config(shapes, jit="auto", **given)
    validate(config)
    with caplog.at_level("INFO", logger="absl"):
        assert with_chosen_jit(config).jit is chosen
    assert reason in caplog.text
    assert config.jit == "auto"  # the record of the run


@pytest.mark.parametrize("jit", [False, True])
def test_a_given_choice_of_xla_stays(jit):
    assert with_chosen_jit(tiny.run_config(shapes, jit=jit)).jit is jit


TWO_WORKERS = {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}


@pytest.mark.parametrize(
    "cluster",
    [
        None,
        "two machines",
        "[]",
        json.dumps({"cluster": TWO_WORKERS}),
        json.dumps({"cluster": {}, "task": {"type": "worker", "index": 0}}),
        json.dumps({"cluster": TWO_WORKERS, "task": {"type": "worker", "index": 2}}),
        json.dumps({"cluster": TWO_WORKERS, "task": {"type": "worker", "index": "0"}}),
        json.dumps({"cluster": TWO_WORKERS, "task": {"type": "ps", "index": 0}}),
        json.dumps({"cluster": TWO_WORKERS | {"chief": ["127.0.0.1:3"]}, "task": {"type": "worker", "index": 0}}),
        *(
            json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": 0}})
            for workers in ("abc", [1, 2], ["no port"], ["host:port"], [])
        ),
    ],
)
def test_wrong_tf_config_is_refused(cluster, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if cluster is not None:
        monkeypatch.setenv("TF_CONFIG", cluster)
    with pytest.raises(ValueError, match="^distribution is multi_worker, TF_CONFIG is .*, allowed: the addresses of"):
        build_strategy(tiny.run_config(shapes, distribution="multi_worker"))


def test_missing_tpu_is_named():
    with pytest.raises(ValueError, match="^distribution is tpu, but no TPU can be reached: "):
        build_strategy(tiny.run_config(shapes, distribution="tpu"))


def test_first_worker_is_the_chief():
    def chief(**resolver):
        return is_chief(types.SimpleNamespace(cluster_resolver=types.SimpleNamespace(**resolver)))

    assert is_chief(tf.distribute.get_strategy())
    assert [chief(task_type="worker", task_id=index) for index in range(3)] == [True, False, False]
    assert chief(task_type=None, task_id=None)


@pytest.mark.parametrize(("chief", "order"), [(True, ["prepared", "met"]), (False, ["met", "prepared"])])
def test_chief_runs_the_block_before_the_others(chief, order, monkeypatch):
    events = []
    monkeypatch.setattr(workers, "is_chief", lambda strategy: chief)
    monkeypatch.setattr(workers, "wait_for_all", lambda strategy: events.append("met"))
    with workers.chief_first(tf.distribute.get_strategy()):
        events.append("prepared")
    assert events == order


def test_error_without_workers_is_no_lost_worker():
    with pytest.raises(tf.errors.CancelledError), workers.lost_workers_named(tf.distribute.get_strategy()):
        raise tf.errors.CancelledError(None, None, "closed")


def test_differences_are_named_with_their_workers():
    facts = {"seed": 3, "photos": {"train": 10}, "step": 5}
    assert describe_differences(facts, [[1, 2, 3], [1, 2, 3]], worker=0) == ""
    assert describe_differences(facts, [[1, 2, 3], [1, 9, 3], [1, 9, 4]], worker=2) == (
        'photos on worker 1, 2 (this is worker 2, which has {"train": 10}); '
        "step on worker 2 (this is worker 2, which has 5)"
    )


def test_report_of_one_replica_is_unchanged():
    strategy = tf.distribute.get_strategy()
    step = distributed_step(strategy, lambda batch: {"b": tf.reduce_sum(batch), "a": tf.reduce_max(batch)})
    for told in (False, True):
        report, heard = merged_report(strategy)(step((tf.constant([1.0, 2.0]),)), told)
        assert {name: float(value) for name, value in report.items()} == {"a": 2, "b": 3}
        assert heard == told
    assert step.experimental_get_tracing_count() == 1
