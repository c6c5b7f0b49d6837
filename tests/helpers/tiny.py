"""Networks, batches and runs for the tests. All of them are as small as possible."""

import contextlib
import functools
import os
import pathlib
import resource
import subprocess
import sys
import unittest.mock
import warnings

import keras
import numpy as np
import tensorflow as tf
from inception_arrays import array
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from benchmarks.speed.replicas import local_cluster
from tf_layered_gan import train
from tf_layered_gan.config import validate
from tf_layered_gan.evaluation import gan_figures
from tf_layered_gan.evaluation.metrics.inception import inception
from tf_layered_gan.files.records import read_record
from tf_layered_gan.models import codes
from tf_layered_gan.models.augmentation import perturbation
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.models.networks.discriminator import discriminator
from tf_layered_gan.models.networks.generator import background_generator, foreground_generator, window_range
from tf_layered_gan.models.networks.mask_encoder import mask_encoder
from tf_layered_gan.models.networks.unet import unet
from tf_layered_gan.reporting import page
from tf_layered_gan.reporting.measured import NOTHING

ROOT = pathlib.Path(__file__).parents[2]
RESOLUTION, CANVAS, WIDTH, Z_DIM, NUM_CATEGORIES, GROUP_SIZE = 16, 2, 2, 3, 6, 2
NUM_SUPER_CATEGORIES = NUM_CATEGORIES // GROUP_SIZE

# Makes every run tiny: two rounds and one final step. A round has two steps of the GAN and one of the segmenter.
RUN = {
    "schedule.gan": "always",
    "refine.bootstrap": False,
    "refine.passes": 0,
    "refine.steps": 0,
    "precision": "float32",  # "auto" depends on the machine
    "resolution": RESOLUTION,
    "batch_size": 4,
    "data.train_pictures": 10,
    "data.held_out_pictures": 5,
    "codes.z_dim": Z_DIM,
    "codes.num_categories": NUM_CATEGORIES,
    "codes.group_size": GROUP_SIZE,
    "networks.generator_width": WIDTH,
    "networks.background_width": WIDTH,
    "networks.residual_blocks": 0,
    "networks.discriminator_width": WIDTH,
    "networks.mask_encoder_width": WIDTH,
    "networks.unet_width": WIDTH,
    "networks.unet_depth": 1,
    "schedule.rounds": 2,
    "schedule.gan_images_per_round": 8,
    "schedule.segmenter_steps_per_round": 1,
    "schedule.final_segmenter_steps": 1,
    "monitoring.scalars_every": 1,
    "monitoring.grid_every": 4,
    "monitoring.checkpoint_every": 2,
    "monitoring.restarts": 1,
    "metrics.fid_samples": 6,
}

ONE_STEP = {"schedule.rounds": 1, "schedule.gan_images_per_round": 4}  # runs one step of each kind


@contextlib.contextmanager
def eager():
    """Runs TensorFlow without graphs, because tracing a graph takes longer than the few steps of a test.

    The GAN's masks are measured on 2 batches, because 32 batches would take long without a graph. The report shows no
    photos.
    """
    few = functools.partial(gan_figures.evaluate_synthetic_masks, batches=2)
    tf.config.run_functions_eagerly(True)
    with (
        warnings.catch_warnings(),
        unittest.mock.patch.object(gan_figures, "evaluate_synthetic_masks", few),
        unittest.mock.patch.object(page, "measure", lambda *given: NOTHING),
    ):
        warnings.filterwarnings("ignore", ".*does not apply to tf.data functions")
        try:
            yield
        finally:
            tf.config.run_functions_eagerly(False)


def networks():
    """Returns a dict of the five networks. Its keys are names of LayeredGAN's arguments."""
    return {
        "background_generator": background_generator(RESOLUTION, WIDTH, Z_DIM, canvas=CANVAS),
        "foreground_generator": foreground_generator(
            RESOLUTION, WIDTH, Z_DIM, c_dim=NUM_CATEGORIES, c_sup_dim=NUM_SUPER_CATEGORIES, residual_blocks=0
        ),
        "discriminator": discriminator(RESOLUTION, WIDTH, NUM_CATEGORIES),
        "mask_encoder": mask_encoder(RESOLUTION, WIDTH, NUM_SUPER_CATEGORIES),
        "segmenter": unet(RESOLUTION, WIDTH, depth=1),
    }


def layered_gan(learning_rate=0.1, augmentation=None):
    """Returns a LayeredGAN with SGD as its optimizers. Its weights are the same every time."""
    keras.utils.set_random_seed(0)
    gan = LayeredGAN(**networks(), ema_decay=0.75, augmentation=augmentation)
    optimizers = [keras.optimizers.SGD(learning_rate) for _ in range(2)]
    gan.compile(*optimizers, gamma_mi=0.5, gamma_b=2.0, gamma_bg=3.0)
    return gan


def draws(batch_size=4, seed=(5, 6)):
    """Returns the random inputs of a training step: the codes and the perturbation."""
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
    """Returns a batch for LayeredGAN: the draws, and noise in place of photos."""
    generator = np.random.default_rng(seed)
    image = generator.uniform(-1, 1, (batch_size, RESOLUTION, RESOLUTION, 3)).astype(np.float32)
    return {"image": image, **draws(batch_size, seed)}


def values(variables):
    """Returns copies of the variables' values."""
    return [variable.numpy() for variable in variables]


def changed(before, variables):
    """Returns for each variable whether its value has changed."""
    return [not np.array_equal(value, variable.numpy()) for value, variable in zip(before, variables, strict=True)]


def run_config(module, **changes):
    """Returns a tiny version of a config in configs/. `changes` maps dotted names of fields to values."""
    config = module.get_config()
    config.update_from_flattened_dict(RUN | changes)
    return config.lock()


def train_one_step(module, workdir, **changes):
    """Validates a tiny version of a config in configs/, and trains one step of each kind. Returns the figures."""
    config = run_config(module, **ONE_STEP | changes)
    validate(config)
    return train.train(config, workdir)


def checkpoint_values(workdir):
    """Returns all values in the newest checkpoint of a run by name, except the training time."""
    newest = max(pathlib.Path(workdir).glob("checkpoints/*.index"), key=lambda path: int(path.stem.split("-")[1]))
    reader = tf.train.load_checkpoint(newest.with_suffix(""))
    names = [name for name in reader.get_variable_to_dtype_map() if not name.startswith(("seconds", "_"))]
    return {name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"): reader.get_tensor(name) for name in names}


def counters(workdir, *names):
    """Returns some counters of a run from its newest checkpoint, see `Checkpointer`."""
    values = checkpoint_values(workdir)
    return [int(values[name]) for name in names]


def events(workdir):
    """Returns the events that a run wrote for TensorBoard, as a dict of lists by name.

    Each event has a step and a tensor.
    """
    accumulator = EventAccumulator(str(workdir / "tensorboard"), size_guidance={"tensors": 0})
    accumulator.Reload()
    return {tag: accumulator.Tensors(tag) for tag in accumulator.Tags()["tensors"]}


def assert_same_checkpoint(first, second):
    ours, theirs = checkpoint_values(first), checkpoint_values(second)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(theirs[name], value, err_msg=name)


def assert_same_run(whole, killed):
    """Compares everything that two runs wrote, except times and event files."""
    assert_same_checkpoint(whole, killed)
    assert (killed / "curve.csv").read_text() == (whole / "curve.csv").read_text()
    ours, theirs = (read_record(workdir / "metrics.json") for workdir in (whole, killed))
    assert theirs | {"training_seconds": ours["training_seconds"]} == ours
    images = sorted(path.relative_to(whole) for path in whole.rglob("*.png"))
    assert images == sorted(path.relative_to(killed) for path in killed.rglob("*.png"))
    for image in images:
        assert (killed / image).read_bytes() == (whole / image).read_bytes(), image


def write_inception(path):
    """Writes the weights of `inception_arrays` to an .npz file for FID's network. Returns the path of the file."""
    arrays = {}
    for layer in inception().layers:
        for weight in layer.weights:
            name = f"{layer.name}/{weight.name}".replace(".", "/").replace("kernel", "conv2d_params")
            arrays[name] = array(name, weight.shape)
    np.savez(path, **arrays)
    return path


@contextlib.contextmanager
def full_disk(size):
    """Simulates a full disk: files cannot grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def written(workdir):
    """Returns the files in a workdir, except its lock and the tags that mark its caches."""
    return [path for path in workdir.rglob("*") if path.is_file() and path.name not in ("lock", "CACHEDIR.TAG")]


def python(*arguments, **environment):
    """Starts another Python process in the root of the repository. Its output is text."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


# The child process reads its own peak from /proc, because getrusage can return the peak of the parent process.
_MEASURE = r"""
import atexit, pathlib, re, runpy, sys
_, peak, *sys.argv = sys.argv
status = pathlib.Path("/proc/self/status")
atexit.register(lambda: pathlib.Path(peak).write_text(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def measured(peak, script):
    """Returns arguments for Python.

    With these arguments, Python runs a script and writes the script's peak memory to the file `peak`.
    """
    return "-c", _MEASURE, peak, script


def peak_memory(peak):
    """Returns the peak memory of a `measured` script, in bytes."""
    return int(peak.read_text()) * 1024


def workers(count, *arguments, **environment):
    """Starts the `count` workers of a cluster on this machine, see `python`."""
    return [python(*arguments, TF_CONFIG=tf_config, **environment) for tf_config in local_cluster(count)]


def finish(process):
    """Waits for a process that `python` started. Returns its exit code and the rest of its output."""
    output, _ = process.communicate(timeout=600)
    return process.returncode, output
