"""Writes image-mask pairs from the averaged generators to disk, as a dataset others can use."""

import pathlib
import shutil

import numpy as np
import tensorflow as tf
from absl import logging
from PIL import Image

from tf_layered_gan.files.records import write_record
from tf_layered_gan.models import sampling
from tf_layered_gan.runs import restarts, workdir_lock
from tf_layered_gan.runs.restore import restore_run


def write_dataset(config, workdir, count):
    """Synthesises `count` pairs into WORKDIR/synthetic.

    Args:
        config: the ConfigDict that the run was begun with.
        workdir: the run's directory.
        count: number of pairs.

    Writes images/000000.png (RGB), masks/000000.png (grey, 255 = foreground, soft at the edges) and so on,
    and dataset.json, in place of what was there. The folders are as `data.path` and `data.masks` of
    configs/folder.py want them, which evaluates on photos with masks and trains on others. Pair i depends on
    the run and i alone.

    Raises:
        FileNotFoundError: if the run has no checkpoint.
        ValueError: if the run is supervised, or another is at work in its directory.
    """
    if config.segmenter.supervised:
        raise ValueError("segmenter.supervised is True: such a run trains no GAN, so it cannot synthesise")
    gan, _, checkpointer = restore_run(config, workdir)
    config = restarts.attempt(config, workdir)
    with workdir_lock.locked(workdir):
        _write(config, pathlib.Path(workdir) / "synthetic", gan, checkpointer, count)


def _write(config, out, gan, checkpointer, count):
    sample = sampling.build_sampler(config, sampling.SYNTHESIS_STREAM)
    paint = tf.function(lambda step: gan.synthesize(sample(step)), autograph=False)
    shutil.rmtree(out, ignore_errors=True)  # the pairs of another time must not mix with these
    for name in ("images", "masks"):
        (out / name).mkdir(parents=True)
    for start in range(0, count, config.batch_size):
        pairs = paint(tf.constant(start // config.batch_size, tf.int64))
        images = np.round((pairs["composed"].numpy() + 1) * 127.5).astype(np.uint8)
        masks = np.round(pairs["composed_mask"].numpy()[..., 0] * 255).astype(np.uint8)
        for i in range(min(config.batch_size, count - start)):
            Image.fromarray(images[i]).save(out / "images" / f"{start + i:06d}.png")
            Image.fromarray(masks[i]).save(out / "masks" / f"{start + i:06d}.png")
    about = {
        "pairs": count,
        "resolution": config.resolution,
        "gan_step": int(checkpointer.gan_step),
        "seed": config.seed,
        "masks": "grey, 0 background to 255 foreground",
    }
    write_record(out / "dataset.json", about)
    logging.info("wrote %d image-mask pairs to %s", count, out)
