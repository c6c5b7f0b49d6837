"""An estimate of the memory for training.

Because of this estimate, a config that needs too much memory fails early, with a clear message.
"""

import concurrent.futures
import math
import os
import pathlib
import sys

import keras
import tensorflow as tf
from ml_collections import ConfigDict

from tf_layered_gan.models import build

_PROGRAM = 1.2e9  # the bytes that a run with tiny networks takes
# Numbers in memory for each weight: the weight, its gradient, Adam's two moments, the weight's average, a copy for
# updates, and a copy for saving.
_COPIES = 7
_LIVE = 2 / 3  # fraction of the layers' outputs that stay in memory; TensorFlow frees outputs that no gradient needs
_FLOAT = 4  # bytes


def check_memory(config: ConfigDict, batch_size: int) -> None:
    """Checks that a machine without a GPU has enough memory, see `estimate`.

    TensorFlow itself checks the memory of a GPU.

    Raises:
        ValueError: if the memory is too small. The message names the estimate, the machine's memory, and the fields to
            lower.
    """
    needed, here = estimate(config, batch_size), available()
    if needed > here and not tf.config.list_physical_devices("GPU"):
        raise ValueError(
            f"training needs about {needed / 1e9:.1f} GB of memory, but this machine has {here / 1e9:.1f} GB: lower "
            "batch_size, resolution, codes.num_categories or the widths in networks"
        )


def estimate(config: ConfigDict, batch_size: int) -> float:
    """Estimates the memory for training in bytes.

    The estimate was right within a factor of two in all measured runs. These runs used up to 4 GB.

    `batch_size` is the number of images per device and step.
    """
    background, foreground, discriminator, mask_encoder, segmenter = networks = networks_without_memory(config)
    outputs = max(
        sum(map(_outputs, networks)),  # the generators' step
        # The discriminator's step, which runs D on photos and on composed images.
        2 * _outputs(discriminator) + _outputs(mask_encoder),
        2 * _outputs(segmenter),  # the segmenter's step, which runs F on photos and on composed images
    )
    weights = sum(network.count_params() for network in networks)
    return _PROGRAM + _FLOAT * (_COPIES * weights + _LIVE * batch_size * outputs)


def networks_without_memory(config: ConfigDict) -> tuple[keras.Model, ...]:
    """Builds G_b, G_f, D, E_pi and F. The layers of these networks have shapes, but their weights have no values."""
    # Keras has one list of uninitialised weights per thread. A separate thread keeps these weights out of our list.
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(_build, config).result()


def _build(config: ConfigDict) -> tuple[keras.Model, ...]:
    with keras.StatelessScope(initialize_variables=False):
        return (*build.build_gan_networks(config), build.build_segmenter_network(config))


def _outputs(network: keras.Model) -> int:
    """Counts the values in the outputs of all layers for one image."""
    return sum(math.prod(layer.output.shape[1:]) for layer in network.layers if hasattr(layer.output, "shape"))


def available() -> int:
    """Returns the memory of the machine in bytes, or the limit of its container if that is lower.

    If the system does not report its memory (as on Windows), returns a number larger than the memory of any machine.
    """
    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        machine = sys.maxsize
    limit = pathlib.Path("/sys/fs/cgroup/memory.max")
    allowed = limit.read_text().strip() if limit.exists() else ""
    return min(machine, int(allowed)) if allowed.isdecimal() else machine
