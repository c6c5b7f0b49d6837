"""Whether the memory suffices for a config, before anything is built that would have the system kill the run."""

import concurrent.futures
import math
import os
import pathlib

import keras
import tensorflow as tf

from tf_layered_gan.models import build

_PROGRAM = 1.2e9  # bytes that a run takes whose networks are tiny
_COPIES = 7  # of a weight: itself, its gradient, Adam's two, its average, and what the update and a checkpoint copy
_LIVE = 2 / 3  # of the layers' outputs; TensorFlow lets go of what no gradient needs
_FLOAT = 4  # bytes


def check_memory(config, pictures):
    """Checks that a CPU's memory suffices to train; a GPU says by itself what it cannot hold.

    Args:
        config: a validated ConfigDict, see tf_layered_gan/config/fields.py.
        pictures: how many a device is given at once.

    Raises:
        ValueError: names what the networks are estimated to take, what there is, and the fields to lower.
    """
    needed, there = estimate(config, pictures), _available()
    if needed > there and not tf.config.list_physical_devices("GPU"):
        raise ValueError(
            f"training would take about {needed / 1e9:.1f} GB of memory, this machine has {there / 1e9:.1f}: lower "
            "batch_size, resolution, codes.num_categories or the widths in networks"
        )


def estimate(config, pictures):
    """Estimates what training takes: within a factor of two where it was measured, at up to 4 GB.

    Args:
        config: a validated ConfigDict.
        pictures: how many a device is given at once.

    Returns:
        float, bytes.
    """
    with concurrent.futures.ThreadPoolExecutor(1) as other_thread:
        return other_thread.submit(_estimate, config, pictures).result()


def _estimate(config, pictures):
    """In a thread of its own, with which Keras forgets the weights that it has yet to make."""
    with keras.StatelessScope(initialize_variables=False):  # in which layers have shapes, and no weights yet
        background, foreground, discriminator, mask_encoder = build.build_gan_networks(config)
        segmenter = build.build_segmenter_network(config)
    networks = (background, foreground, discriminator, mask_encoder, segmenter)
    outputs = max(
        sum(map(_outputs, networks)),  # the generators' step
        2 * _outputs(discriminator) + _outputs(mask_encoder),  # the discriminator's, on real and painted pictures
        2 * _outputs(segmenter),  # on photos and painted pictures
    )
    weights = sum(network.count_params() for network in networks)
    return _PROGRAM + _FLOAT * (_COPIES * weights + _LIVE * pictures * outputs)


def _outputs(network):
    """How many numbers all layers give together of a picture."""
    return sum(math.prod(layer.output.shape[1:]) for layer in network.layers if hasattr(layer.output, "shape"))


def _available():
    """Bytes of memory that the machine has, or its container may use."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = pathlib.Path("/sys/fs/cgroup/memory.max")
    allowed = limit.read_text().strip() if limit.exists() else ""
    return min(machine, int(allowed)) if allowed.isdecimal() else machine
