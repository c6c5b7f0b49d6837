"""A script that trains a tiny run in several ways. Usage: strategies.py FOLDER WAY...

Ways: plain, two_replicas, four_replicas, jit, and multi_worker, which needs TF_CONFIG. All ways use SGD instead of the
config's Adam. For gradients near zero, Adam would enlarge differences in the last digit. The name of a way may have
prefixes. The prefix `adam_` keeps Adam. The prefix `two_rounds_` splits the training into two rounds, each with half of
the steps. The prefix `cures_` turns on minibatch deviation and augmentation in D, and makes pairs look like photos.

This is a script, because the number of logical devices must be set before TensorFlow starts.
"""

import pathlib
import sys

import keras
import tensorflow as tf
import tiny
from absl import logging

from configs import shapes
from tf_layered_gan import train
from tf_layered_gan.training.devices import distribution

REPLICAS = {"two_replicas": 2, "four_replicas": 4}
STEPS = {
    "seed": 3,
    "schedule.rounds": 1,
    "schedule.gan_images_per_round": 80,  # 20 steps
    "schedule.segmenter_steps_per_round": 20,
    "monitoring.checkpoint_every": 5,
    "monitoring.restarts": 0,
}
TWO_ROUNDS = {"schedule.rounds": 2, "schedule.gan_images_per_round": 40, "schedule.segmenter_steps_per_round": 10}
CURES = {
    "networks.minibatch_groups": 2,
    "gan.gamma_r1": 0.1,
    "gan.augmentation": "geometry_color",
    "gan.augmentation_target": 0.1,
    "segmenter.pairs": "photo_like",
}
# If rounding changes the sign of a number, the gradient jumps. The learning rates are low, so that such a jump does not
# change a variable much.
LOW_RATES = {
    "gan.generator_learning_rate": 1e-3,
    "gan.discriminator_learning_rate": 1e-3,
    "segmenter.learning_rate": 1e-3,
}


def main(folder, *ways):
    logging.use_absl_handler()
    logging.set_verbosity(logging.INFO)
    replicas = max(REPLICAS.get(way.removeprefix("adam_").removeprefix("cures_"), 1) for way in ways)
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * replicas)
    for way in ways:
        train_as(way, pathlib.Path(folder) / way)


def train_as(way, workdir):
    with_sgd, way = not way.startswith("adam_"), way.removeprefix("adam_")
    schedule, way = TWO_ROUNDS if way.startswith("two_rounds_") else {}, way.removeprefix("two_rounds_")
    cures, way = CURES if way.startswith("cures_") else {}, way.removeprefix("cures_")
    if with_sgd:
        keras.optimizers.Adam = lambda learning_rate, **_: keras.optimizers.SGD(learning_rate)
    if way in REPLICAS:
        strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(REPLICAS[way])])
        distribution.build_strategy = lambda config: strategy
    changes = STEPS | schedule | cures | (LOW_RATES if with_sgd else {}) | {"jit": way == "jit"}
    if way == "multi_worker":
        changes["distribution"] = way
    train.train(tiny.run_config(shapes, **changes), workdir)


if __name__ == "__main__":
    main(*sys.argv[1:])
