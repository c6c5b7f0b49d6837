"""Images per second of the GAN's step on several devices and workers, what their meeting costs, and how far that goes.

    python -m benchmarks.replicas --config=configs/shapes.py

`replicas` are logical CPU devices of one process, `workers` processes of one device, all on this machine; the batch in
the config is shared among them. `apart` are as many processes, each with its share of the batch and a training of its
own: they compute as much and never meet. So 1 - step apart / step together is the share of a step that goes into
meeting: the sums of gradients and of batch statistics, and waiting for the slowest.

The projection counts what two workers send in a step, all-reduces and their bytes, and takes a ring's time for them:
each costs the link's latency once for every hop, and every byte crosses it 2 (N - 1) / N times.
"""

import json
import os
import socket
import subprocess
import sys
import time

import numpy as np
import tensorflow as tf
from absl import app, flags
from ml_collections import config_flags

from tf_layered_gan import builders, distribution
from tf_layered_gan.batches import Batches

_WARM_UP, _STEPS = 5, 30
_LINKS = {  # bytes a second, seconds a hop: round figures of such hardware, nothing that was measured here
    (8, "NVLink in one machine"): (200e9, 5e-6),
    (64, "eight machines, 100 Gbit/s"): (12.5e9, 20e-6),
    (64, "eight machines, 10 Gbit/s"): (1.25e9, 50e-6),
}


def measure(config, strategy):
    """Takes a few of the GAN's steps.

    Args:
        config: the run's ConfigDict.
        strategy: tf.distribute.Strategy.

    Returns:
        dict: "seconds", the median time of a step; "collectives", how many all-reduces between workers it has, and
        "bytes", what they sum.
    """
    splits = builders.load_photos(config)
    with strategy.scope():
        gan = builders.build_gan(config, builders.build_segmenter(config))
    gan.uses_segmenter = True
    step = tf.function(lambda batch: strategy.run(gan.train_step, (batch,)), autograph=False)
    times = []
    for _, batch in zip(range(_WARM_UP + _STEPS), Batches(config, splits, strategy).gan(0), strict=False):
        start = time.perf_counter()
        tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0].numpy(), step(batch))
        times.append(time.perf_counter() - start)
    operations = step.get_concrete_function(batch).graph.get_operations()
    sums = [operation.outputs[0] for operation in operations if operation.type.startswith("CollectiveReduce")]
    return {
        "seconds": float(np.median(times[_WARM_UP:])),
        "collectives": len(sums),
        "bytes": sum(value.shape.num_elements() * value.dtype.size for value in sums),
    }


def ring_seconds(collectives, size, *, devices, bandwidth, latency):
    """How long all-reduces over a ring take, one after the other.

    Args:
        collectives: how many.
        size: bytes that they sum, together.
        devices: in the ring.
        bandwidth: bytes a second of its slowest link.
        latency: seconds a hop.

    Returns:
        float, seconds.
    """
    hops = 2 * (devices - 1)
    return collectives * hops * latency + hops / devices * size / bandwidth


def _measure_here(config, way, count):
    """Measures in this process, one of perhaps several."""
    if way == "replicas":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
        return measure(config, tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)]))
    if way == "workers":
        config.distribution = "multi_worker"
    else:
        config.batch_size //= count
    return measure(config, distribution.build_strategy(config))


def _start(way, count):
    """Runs this module again as often as `way` needs processes; returns what the slowest measured."""
    processes = 1 if way == "replicas" else count
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(processes)]
    command = [sys.executable, "-m", "benchmarks.replicas", *sys.argv[1:], f"--way={way}", f"--count={count}"]
    started = []
    for index in range(processes):
        cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = os.environ | {"TF_CONFIG": json.dumps(cluster)}
        started.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
    outputs = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        raise RuntimeError(f"{' '.join(command)} failed")
    return max((json.loads(output) for output in outputs), key=lambda measured: measured["seconds"])


def _free_ports(count):
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


def _print_measured(config):
    """Prints the table; returns what two workers sent in a step."""
    print(f"{'':12}images/s   ms a step   apart, ms   share of meeting")
    for count in (1, 2, 4):
        apart = _start("apart", count)["seconds"]
        for way in ("replicas", "workers"):
            measured = _start(way, count)
            together = measured["seconds"]
            times = f"{together * 1e3:12.0f}{apart * 1e3:12.0f}{1 - apart / together:19.0%}"
            print(f"{count} {way:10}{config.batch_size / together:8.1f}{times}", flush=True)
            if (way, count) == ("workers", 2):
                sent = measured
    return sent


def _print_projection(sent):
    print(f"\na step has {sent['collectives']} all-reduces of {sent['bytes'] / 1e6:.1f} MB in all; so over a ring of")
    for (devices, link), (bandwidth, latency) in _LINKS.items():
        seconds = ring_seconds(
            sent["collectives"], sent["bytes"], devices=devices, bandwidth=bandwidth, latency=latency
        )
        print(
            f"{devices:3} GPUs, {link:28} {seconds * 1e3:7.1f} ms a step: "
            f"a tenth where a GPU's share takes {9e3 * seconds:.0f} ms, half where it takes {1e3 * seconds:.0f}"
        )


def main(_):
    """Prints the table and the projection, or, with --way, measures one of them."""
    config = flags.FLAGS.config
    if flags.FLAGS.way:
        print(json.dumps(_measure_here(config, flags.FLAGS.way, flags.FLAGS.count)))
    else:
        _print_projection(_print_measured(config))


if __name__ == "__main__":
    config_flags.DEFINE_config_file("config", None, "The run's configuration.", lock_config=True)
    flags.DEFINE_enum("way", None, ["replicas", "workers", "apart"], "Measures one of them, in this process.")
    flags.DEFINE_integer("count", 1, "With --way: how many.")
    flags.mark_flag_as_required("config")
    app.run(main)
