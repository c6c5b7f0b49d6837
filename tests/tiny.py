"""Networks and batches that are as small as they can be, for the tests."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import warnings

import keras
import numpy as np
import tensorflow as tf
from inception_arrays import array

from tf_layered_gan import train
from tf_layered_gan.config import validate
from tf_layered_gan.evaluation.metrics.inception import inception
from tf_layered_gan.models import codes, perturbation
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.models.networks.discriminator import discriminator
from tf_layered_gan.models.networks.generator import background_generator, foreground_generator, window_range
from tf_layered_gan.models.networks.mask_encoder import mask_encoder
from tf_layered_gan.models.networks.unet import unet

ROOT = pathlib.Path(__file__).parents[1]
RESOLUTION, CANVAS, WIDTH, Z_DIM, NUM_CATEGORIES, GROUP_SIZE = 16, 2, 2, 3, 6, 2
NUM_SUPER_CATEGORIES = NUM_CATEGORIES // GROUP_SIZE

# What makes the run of any config tiny: two rounds of three and two steps.
RUN = {
    "resolution": RESOLUTION,
    "batch_size": 4,
    "data.train_pictures": 10,
    "data.held_out_pictures": 5,
    "codes.z_dim": Z_DIM,
    "codes.num_categories": NUM_CATEGORIES,
    "codes.group_size": GROUP_SIZE,
    "networks.generator_width": WIDTH,
    "networks.background_width": WIDTH,
    "networks.discriminator_width": WIDTH,
    "networks.mask_encoder_width": WIDTH,
    "networks.unet_width": WIDTH,
    "networks.unet_depth": 1,
    "schedule.rounds": 2,
    "schedule.gan_images_per_round": 12,
    "schedule.segmenter_steps_per_round": 2,
    "schedule.final_segmenter_steps": 1,
    "monitoring.scalars_every": 1,
    "monitoring.grid_every": 2,
    "monitoring.checkpoint_every": 2,
    "metrics.fid_samples": 6,
}


# Two rounds of five steps of four pictures, and four of the segmenter; one more of the last.
TWO_ROUNDS = {"schedule.gan_images_per_round": 20, "schedule.segmenter_steps_per_round": 4}
TWO_ROUNDS |= {"networks.residual_blocks": 0}  # the run is compiled again and again, which takes long

ONE_STEP = {
    "schedule.rounds": 1,
    "schedule.gan_images_per_round": 4,
    "schedule.segmenter_steps_per_round": 1,
    "schedule.final_segmenter_steps": 1,
}


@contextlib.contextmanager
def eager():
    """Without graphs, whose tracing takes longer than the few steps that a test needs."""
    tf.config.run_functions_eagerly(True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not apply to tf.data functions")
        yield
    tf.config.run_functions_eagerly(False)


def networks():
    """The five networks by the names of LayeredGAN's arguments."""
    return {
        "background_generator": background_generator(RESOLUTION, WIDTH, Z_DIM, canvas=CANVAS),
        "foreground_generator": foreground_generator(
            RESOLUTION, WIDTH, Z_DIM, c_dim=NUM_CATEGORIES, c_sup_dim=NUM_SUPER_CATEGORIES, residual_blocks=0
        ),
        "discriminator": discriminator(RESOLUTION, WIDTH, NUM_CATEGORIES),
        "mask_encoder": mask_encoder(RESOLUTION, WIDTH, NUM_SUPER_CATEGORIES),
        "segmenter": unet(RESOLUTION, WIDTH, depth=1),
    }


def layered_gan(learning_rate=0.1):
    """A LayeredGAN that descends plainly; the same weights every time."""
    keras.utils.set_random_seed(0)
    gan = LayeredGAN(**networks(), ema_decay=0.75)
    optimizers = [keras.optimizers.SGD(learning_rate) for _ in range(2)]
    gan.compile(*optimizers, gamma_mi=0.5, gamma_b=2.0, gamma_bg=3.0)
    return gan


def draws(batch_size=4, seed=(5, 6)):
    """What a training step draws: the codes and the perturbation."""
    return {
        **codes.sample_codes(
            batch_size, seed, z_dim=Z_DIM, public_z=True, num_categories=NUM_CATEGORIES, group_size=GROUP_SIZE
        ),
        "window": perturbation.sample_windows(batch_size, seed, places=window_range(RESOLUTION, CANVAS)),
        "transform": perturbation.sample_transforms(
            batch_size, seed, resolution=RESOLUTION, scale_exponent=(-0.2, 0.0), shift=0.125, rotation=15.0
        ),
        "contrast": perturbation.sample_contrast(batch_size, seed, contrast=(0.7, 1.3)),
    }


def batch(batch_size=4, seed=(5, 6)):
    """A batch of LayeredGAN: the draws, and noise for photos."""
    generator = np.random.default_rng(seed)
    image = generator.uniform(-1, 1, (batch_size, RESOLUTION, RESOLUTION, 3)).astype(np.float32)
    return {"image": image, **draws(batch_size, seed)}


def values(variables):
    """Copies of the variables' values."""
    return [variable.numpy() for variable in variables]


def changed(before, variables):
    """Whether each variable has another value than before."""
    return [not np.array_equal(value, variable.numpy()) for value, variable in zip(before, variables, strict=True)]


def run_config(module, **changes):
    """The config of a module of configs/, made tiny; `changes` by dotted names."""
    config = module.get_config()
    config.update_from_flattened_dict(RUN | changes)
    return config.lock()


def train_one_step(module, workdir, **changes):
    config = run_config(module, **ONE_STEP | changes)
    validate(config)
    return train.train(config, workdir)


def checkpoint_values(workdir):
    """Everything in a run's newest checkpoint but the time it took, by name."""
    newest = max(pathlib.Path(workdir).glob("checkpoints/*.index"), key=lambda path: int(path.stem.split("-")[1]))
    reader = tf.train.load_checkpoint(newest.with_suffix(""))
    names = [name for name in reader.get_variable_to_dtype_map() if not name.startswith(("seconds", "_"))]
    return {name: reader.get_tensor(name) for name in names}


def assert_same_checkpoint(first, second):
    ours, theirs = checkpoint_values(first), checkpoint_values(second)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(theirs[name], value, err_msg=name)


def write_inception(path):
    """Writes an .npz file of weights for FID's network, those of `inception_arrays`; returns its path."""
    arrays = {}
    for layer in inception().layers:
        for weight in layer.weights:
            name = f"{layer.name}/{weight.name}".replace(".", "/").replace("kernel", "conv2d_params")
            arrays[name] = array(name, weight.shape)
    np.savez(path, **arrays)
    return path


def written(workdir):
    """The files below a workdir, but for those that keep others out of it and of its caches."""
    return [path for path in workdir.rglob("*") if path.is_file() and path.name not in ("lock", "CACHEDIR.TAG")]


def python(*arguments, **environment):
    """Starts another Python in the root of the repository; what it prints can be read as text."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


# Read in the child from /proc, as what the system says of a child that has ended may be its parent's.
_MEASURE = r"""
import atexit, pathlib, re, runpy, sys
_, peak, *sys.argv = sys.argv
status = pathlib.Path("/proc/self/status")
atexit.register(lambda: pathlib.Path(peak).write_text(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def measured(peak, script):
    """Arguments of a Python that runs a script and leaves in the file `peak` what `peak_memory` reads."""
    return "-c", _MEASURE, peak, script


def peak_memory(peak):
    """Bytes of memory that a `measured` script took at most."""
    return int(peak.read_text()) * 1024


def workers(count, *arguments, **environment):
    """Starts `python` as each of `count` workers of one cluster on this machine."""
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(count)]

    def worker(index):
        cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        return python(*arguments, TF_CONFIG=json.dumps(cluster), **environment)

    return [worker(index) for index in range(count)]


def _free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]  # all at once, so that none comes twice
    ports = [server.getsockname()[1] for server in sockets]
    for server in sockets:
        server.close()
    return ports


def finish(process):
    """Waits for a process of `python`; returns its exit code and what was left of its output."""
    output, _ = process.communicate(timeout=600)
    return process.returncode, output
