"""Measurement of the GAN's step on several devices and workers, and an estimate of the cost of communication on GPUs.

    python -m benchmarks.speed.replicas --config=configs/shapes.py

`replicas` are logical CPU devices of one process. `workers` are processes with one device each. All of them are on this
machine, and each of them computes an equal part of the config's batch. For comparison, the column `apart` has the time
of a step in the same number of processes that do not communicate. Each of these processes also computes its part of the
batch. So communication takes this share of a step: 1 - apart / (the time of a step with communication). Communication
includes summing the gradients and the batch statistics, and waiting for the slowest process.

The estimate for GPUs counts the all-reduces that workers need in a step, and their bytes. The estimated time is a lower
bound for the tree and ring algorithms of NCCL. It is the sum of two times: the link's latency for each hop up and down
a binary tree of the N devices, and the time of 2 (N-1) / N transfers of every byte over the link.
"""

import concurrent.futures
import itertools
import json
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import flags
from ml_collections import ConfigDict, config_flags

from tf_layered_gan.command_line import run_command
from tf_layered_gan.data import sources
from tf_layered_gan.models import build
from tf_layered_gan.training.batches import Batches
from tf_layered_gan.training.devices import distribution, workers

_WARM_UP = 3  # steps
_SMALL = 65_536  # bytes; the time of smaller messages is mostly latency
_LINKS = {  # bytes per second and seconds per hop; these are usual figures of such hardware, not measured here
    (8, "NVLink in one machine"): (200e9, 5e-6),
    (64, "eight machines, 100 Gbit/s"): (12.5e9, 20e-6),
}


def measure(config: ConfigDict, strategy: tf.distribute.Strategy, steps: int) -> dict[str, Any]:
    """Runs some steps of the GAN under a strategy, as in training.

    Returns:
        dict: "seconds", the median time of a step; "sums", the bytes of each all-reduce between workers in a step;
        "variables", the number of weights that a step trains.
    """
    splits = sources.load_photos(config)
    with strategy.scope():
        gan = build.build_gan(config, build.build_segmenter(config))
    gan.uses_segmenter = True
    step, times = distribution.distributed_step(strategy, gan.train_step), []
    merged = distribution.merged_report(strategy)
    for _, batch in zip(range(_WARM_UP + steps), Batches(config, splits, strategy).gan(0), strict=False):
        start = time.perf_counter()
        report, _ = merged(step((batch,)), False)
        float(report["mask_mean"])  # float() waits until the step is done
        times.append(time.perf_counter() - start)
    workers.wait_for_all(strategy)
    operations = step.get_concrete_function((batch,)).graph.get_operations()
    sums = [operation.outputs[0] for operation in operations if operation.type.startswith("CollectiveReduce")]
    return {
        "seconds": float(np.median(times[_WARM_UP:])),
        "sums": [value.shape.num_elements() * value.dtype.size for value in sums],
        "variables": sum(int(np.prod(v.shape)) for v in gan.generator_variables + gan.discriminator_variables),
    }


def all_reduce_seconds(sums: Sequence[int], *, devices: int, bandwidth: float, latency: float) -> float:
    """Computes the time of several all-reduces that run one after the other.

    Args:
        sums: the bytes of each all-reduce.
        devices: the number of devices that take part, 2 or more.
        bandwidth: bytes per second of the slowest link.
        latency: seconds per hop.

    Returns:
        Seconds. The time of an all-reduce is the sum of two times: the hops up and down a binary tree of the N devices
        (Sanders et al. 2009, NCCL's trees), and 2 (N-1) / N transfers of every byte, as in a ring (Patarasuk and Yuan
        2009).
    """
    hops = 2 * math.ceil(math.log2(devices))
    return len(sums) * hops * latency + 2 * (devices - 1) / devices * sum(sums) / bandwidth


def _measure_here(config: ConfigDict, way: str, count: int, steps: int) -> dict[str, Any]:
    """Measures a step in this process, which may be one of several processes."""
    if way == "replicas":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
        return measure(config, tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)]), steps)
    if way == "workers":
        config.distribution = "multi_worker"
    else:
        config.batch_size //= count
    return measure(config, distribution.build_strategy(config), steps)


def _start(way: str, count: int) -> dict[str, Any]:
    """Runs this module in as many processes as `way` needs. Returns the measurement of the slowest process."""
    processes = 1 if way == "replicas" else count
    command = [sys.executable, "-m", "benchmarks.speed.replicas", *sys.argv[1:], f"--way={way}", f"--count={count}"]
    # The processes share the cores.
    threads = {"TF_NUM_INTRAOP_THREADS": str(max(1, (os.cpu_count() or 1) // processes))}

    def run(tf_config: str) -> subprocess.CompletedProcess:
        environment = os.environ | threads | {"TF_CONFIG": tf_config}
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    with concurrent.futures.ThreadPoolExecutor(processes) as pool:
        ended = list(pool.map(run, local_cluster(processes)))
    for process in ended:
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{process.stderr[-2_000:]}")
    return max((json.loads(process.stdout) for process in ended), key=lambda measured: measured["seconds"])


def local_cluster(count: int) -> list[str]:
    """Returns one TF_CONFIG for each of `count` workers, which listen on free ports of this machine."""
    # All servers are open at the same time, so their ports differ.
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    cluster = {"worker": [f"127.0.0.1:{server.getsockname()[1]}" for server in servers]}
    for server in servers:
        server.close()
    tasks = [{"type": "worker", "index": index} for index in range(count)]
    return [json.dumps({"cluster": cluster, "task": task}) for task in tasks]


def _print_measured(batch_size: int) -> dict[str, Any]:
    """Prints the table. Returns the measurement of the table's last row."""
    print(f"{'':12}images/s   ms a step   apart, ms   communication")
    for way, count in itertools.product(("replicas", "workers"), (1, 2, 4)):
        apart, measured = _start("apart", count)["seconds"], _start(way, count)
        together = measured["seconds"]
        times = f"{together * 1e3:12.0f}{apart * 1e3:12.0f}{1 - apart / together:16.0%}"
        print(f"{count} {way:10}{batch_size / together:8.1f}{times}", flush=True)
    return measured


def _print_projection(measured: dict[str, Any]) -> None:
    sums, trained = measured["sums"], measured["variables"]
    small = sum(size < _SMALL for size in sums)
    print(
        f"\na step trains {trained / 1e6:.2f} million numbers and has {len(sums)} all-reduces of "
        f"{sum(sums) / 1e6:.1f} MB in all, {small} of them below {_SMALL // 1024} KiB. They take:"
    )
    for (devices, link), (bandwidth, latency) in _LINKS.items():
        seconds = all_reduce_seconds(sums, devices=devices, bandwidth=bandwidth, latency=latency)
        waiting = all_reduce_seconds([0] * len(sums), devices=devices, bandwidth=bandwidth, latency=latency)
        print(
            f"{devices:3} GPUs, {link:28} {seconds * 1e3:7.1f} ms a step, of which {waiting / seconds:.0%} is latency. "
            f"If a GPU computes for {9e3 * seconds:.0f} ms in a step, the all-reduces take a tenth of the step. "
            f"If a GPU computes for {1e3 * seconds:.0f} ms, they take half of the step"
        )


def main() -> None:
    """Prints the table and the estimate for GPUs. With --way, measures only one line of the table."""
    given = flags.FLAGS
    if given.way:
        print(json.dumps(_measure_here(given.config, given.way, given.count, given.steps)))
    else:
        _print_projection(_print_measured(given.config.batch_size))


if __name__ == "__main__":
    config_flags.DEFINE_config_file("config", None, "The run's configuration.", lock_config=True)
    flags.DEFINE_integer("steps", 20, "How many steps to measure for each line.", lower_bound=1)
    flags.DEFINE_enum(
        "way", None, ["replicas", "workers", "apart"], "Measures only one line of the table, in this process."
    )
    flags.DEFINE_integer("count", 1, "With --way: how many devices or processes.")
    flags.mark_flag_as_required("config")
    run_command(main)
