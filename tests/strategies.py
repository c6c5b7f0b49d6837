"""Trains a tiny run for each way that is named. Usage: strategies.py FOLDER WAY...

Ways: plain, two_replicas, four_replicas, jit; and multi_worker, where TF_CONFIG says who the workers are.

A script of its own, since the two logical devices have to be set up before TensorFlow starts. It descends
plainly, without Adam, which would blow up differences in the last digit of gradients that are almost zero.
"""

import pathlib
import sys

import keras
import tensorflow as tf
import tiny
from absl import logging

from configs import shapes
from tf_layered_gan import distribution, train

REPLICAS = {"two_replicas": 2, "four_replicas": 4}
CHANGES = {
    "seed": 3,
    "schedule.rounds": 1,
    "gan.generator_learning_rate": 0.01,
    "gan.discriminator_learning_rate": 0.01,
    "segmenter.learning_rate": 0.1,
}


def main(folder, *ways):
    logging.use_absl_handler()
    logging.set_verbosity(logging.INFO)
    replicas = max(REPLICAS.get(way, 1) for way in ways)
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * replicas)
    keras.optimizers.Adam = lambda learning_rate, **_: keras.optimizers.SGD(learning_rate)
    for way in ways:
        if way in REPLICAS:
            strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(REPLICAS[way])])
            distribution.build_strategy = lambda config, strategy=strategy: strategy
        changes = CHANGES | {"jit": way == "jit"}
        if way == "multi_worker":
            changes["distribution"] = way
        train.train(tiny.run_config(shapes, **changes), pathlib.Path(folder) / way)


if __name__ == "__main__":
    main(*sys.argv[1:])
