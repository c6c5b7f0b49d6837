"""Images per second of the GAN's step on several devices and workers, and what their meeting costs.

    python -m benchmarks.replicas --config=configs/shapes.py

`replicas` are logical CPU devices of one process, `workers` processes of one device, all on this machine; the batch in
the config is shared among them. `apart` are as many processes, each with its share of the batch and a training of its
own: they compute as much and never meet. So 1 - step apart / step together is the share of a step that goes into
meeting: the sums of gradients and of batch statistics, and waiting for the slowest.
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


def seconds_per_step(config, strategy):
    """Takes a few of the GAN's steps; returns the median time of one, in seconds."""
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
    return float(np.median(times[_WARM_UP:]))


def _measure(config, way, count):
    """Measures in this process, one of perhaps several."""
    if way == "replicas":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
        return seconds_per_step(config, tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)]))
    if way == "workers":
        config.distribution = "multi_worker"
    else:
        config.batch_size //= count
    return seconds_per_step(config, distribution.build_strategy(config))


def _start(way, count):
    """Runs this module again as often as `way` needs processes; returns the slowest's seconds a step."""
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
    return max(float(output) for output in outputs)


def _free_ports(count):
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


def main(_):
    """Prints a table, or, with --way, one number of it."""
    config = flags.FLAGS.config
    if flags.FLAGS.way:
        print(_measure(config, flags.FLAGS.way, flags.FLAGS.count))
        return
    print(f"{'':12}images/s   ms a step   apart, ms   share of meeting")
    for count in (1, 2, 4):
        apart = _start("apart", count)
        for way in ("replicas", "workers"):
            together = _start(way, count)
            times = f"{together * 1e3:12.0f}{apart * 1e3:12.0f}{1 - apart / together:19.0%}"
            print(f"{count} {way:10}{config.batch_size / together:8.1f}{times}", flush=True)


if __name__ == "__main__":
    config_flags.DEFINE_config_file("config", None, "The run's configuration.", lock_config=True)
    flags.DEFINE_enum("way", None, ["replicas", "workers", "apart"], "Measures one of them, in this process.")
    flags.DEFINE_integer("count", 1, "With --way: how many.")
    flags.mark_flag_as_required("config")
    app.run(main)
