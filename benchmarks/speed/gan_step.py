"""The GAN's training step, exactly as in training, but on a batch in memory.

    python -m benchmarks.speed.gan_step FOLDER RESOLUTION WIDTH ROUND THREADS PRECISION

As a program, this module is a worker of `train_step`, see `benchmarks.speed.turns`. It saves the weights, the batch and
the settings to FOLDER. It offers two functions: `step` takes a training step, and `product` computes a large
matrix product.
"""

import json
import pathlib
import sys
from collections.abc import Callable
from typing import Any

from tf_layered_gan import startup  # noqa: F401  # isort: skip

import numpy as np
import tensorflow as tf
from ml_collections import ConfigDict

from benchmarks.speed.turns import serve
from tf_layered_gan.config import default_config, validate
from tf_layered_gan.models import build, codes, sampling
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.training.devices.distribution import build_strategy, distributed_step

_PRODUCT = 2048  # number of rows and columns of both matrices
_UNET_WIDTH = 8
_SETTINGS = {
    "codes": ("z_dim",),
    "networks": (
        "generator_width",
        "background_width",
        "discriminator_width",
        "mask_encoder_width",
        "unet_width",
        "unet_depth",
        "residual_blocks",
        "least_width",
    ),
    "gan": (
        "gamma_mi",
        "gamma_b",
        "gamma_bg",
        "generator_learning_rate",
        "discriminator_learning_rate",
        "beta_1",
        "beta_2",
        "ema_decay",
    ),
}


def row_config(resolution: int, width: int, batch_size: int = 32) -> ConfigDict:
    """Returns the paper's settings, except that G_b, G_f and D have the same width, and the U-Net has width 8."""
    config = default_config()
    config.resolution, config.batch_size = resolution, batch_size
    for name in ("generator_width", "background_width", "discriminator_width"):
        config.networks[name] = width
    config.networks.unet_width = _UNET_WIDTH
    config.data.path = "."  # a path must be set, but no photo is read
    validate(config)
    return config


def prepare(config: ConfigDict, uses_segmenter: bool) -> tuple[LayeredGAN, Callable[[], dict], dict[str, tf.Tensor]]:
    """Builds the GAN and its step, as `training.run` does.

    Args:
        config: the run's config.
        uses_segmenter: whether the background loss is used, as in all rounds except the first.

    Returns:
        the GAN, the step (a function without arguments that returns the report), and the batch. The batch's photos are
        noise.
    """
    strategy = build_strategy(config)
    with strategy.scope():
        gan = build.build_gan(config, build.build_segmenter(config))
    gan.uses_segmenter = uses_segmenter
    batch = dict(sampling.build_sampler(config, sampling.GAN_STREAM)(tf.constant(0, tf.int64)))
    shape = (config.batch_size, config.resolution, config.resolution, 3)
    batch["image"] = tf.random.stateless_uniform(shape, (0, 0), -1, 1)
    step = distributed_step(strategy, gan.train_step, jit=config.jit)
    return gan, lambda: {name: float(value) for name, value in step((batch,)).items()}, batch


def step_gflop(gan: LayeredGAN, batch_size: int) -> float:
    """Counts the arithmetic of a step in GFLOP.

    Each multiply-add of a convolution or dense layer counts as two operations.

    A forward pass, the gradient with respect to the input of a layer, and the gradient with respect to its weights have
    the same cost. The step costs 3 G_b + 3 G_f + (2 + 1 + 4) D + (1 + 1 + 2) E_pi + 2 F, where the name of a network
    stands for the cost of its forward pass. In the forward pass, D is applied to photos and to composed images. For the
    update of the generators, the gradient passes through D, E_pi and F to their inputs. For the update of D and E_pi,
    the gradients with respect to the inputs and to the weights of their layers are computed. For D, both gradients are
    computed for photos and for composed images. In round 1, F is left out.
    """
    counts = 3 * (multiply_adds(gan.background_generator) + multiply_adds(gan.foreground_generator))
    counts += 7 * multiply_adds(gan.discriminator) + 4 * multiply_adds(gan.mask_encoder)
    counts += 2 * multiply_adds(gan.segmenter) if gan.uses_segmenter else 0
    return 2 * counts * batch_size / 1e9


def settings(config: ConfigDict, gan: LayeredGAN) -> dict[str, Any]:
    """Returns the settings that another implementation needs, and the GFLOP of a step."""
    chosen = {name: config[section][name] for section, names in _SETTINGS.items() for name in names}
    return chosen | {
        "resolution": config.resolution,
        "batch_size": config.batch_size,
        "c_dim": config.codes.num_categories,
        "c_sup_dim": codes.c_sup_dim(config.codes.prior, config.codes.num_categories, config.codes.group_size),
        "uses_segmenter": gan.uses_segmenter,
        "gflop": step_gflop(gan, config.batch_size),
    }


def weights(gan: LayeredGAN) -> dict[str, Any]:
    """Returns a dict of the weights under the names "NETWORK/LAYER/WEIGHT", in the order of the layers."""
    names = ("background_generator", "foreground_generator", "discriminator", "mask_encoder", "segmenter")
    return {
        f"{name}/{layer.name}/{weight.name}": weight.numpy()
        for name in names
        for layer in getattr(gan, name).layers
        for weight in layer.weights
    }


def save(folder: str, config: ConfigDict, gan: LayeredGAN, batch: dict[str, tf.Tensor]) -> None:
    """Writes weights.npz, batch.npz and settings.json."""
    arrays: dict[str, Any] = {name: value.numpy() for name, value in batch.items()}
    np.savez(pathlib.Path(folder, "weights.npz"), **weights(gan))
    np.savez(pathlib.Path(folder, "batch.npz"), **arrays)
    pathlib.Path(folder, "settings.json").write_text(json.dumps(settings(config, gan)))


def main(folder: str, resolution: str, width: str, number: str, threads: str, precision: str) -> None:
    """Prepares the step of a round, saves it and serves requests."""
    tf.config.threading.set_intra_op_parallelism_threads(int(threads))
    tf.config.threading.set_inter_op_parallelism_threads(int(threads))
    config = row_config(int(resolution), int(width))
    config.precision = precision
    gan, step, batch = prepare(config, uses_segmenter=int(number) > 1)
    save(folder, config, gan, batch)
    factors = tf.random.stateless_uniform((2, _PRODUCT, _PRODUCT), (0, 0))
    serve({"step": step, "product": lambda: float(tf.matmul(factors[0], factors[1])[0, 0])})


if __name__ == "__main__":
    main(*sys.argv[1:])
