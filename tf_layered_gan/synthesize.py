"""Writes pairs of image and mask, painted by the averaged generators, as a dataset that others can use."""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from absl import logging
from ml_collections import ConfigDict
from PIL import Image

from tf_layered_gan.files.records import write_record
from tf_layered_gan.models import sampling
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.runs import restarts, workdir_lock
from tf_layered_gan.runs.restore import restore_run

_UNFINISHED = ".synthetic-"


def write_dataset(config: ConfigDict, workdir: str | os.PathLike, count: int) -> None:
    """Synthesises `count` pairs into WORKDIR/synthetic; once complete, they replace an earlier dataset there.

    Writes images/000000.png (RGB), masks/000000.png (grey, 255 = foreground, soft at the edges) and so on, and
    dataset.json. These folders can be `data.path` and `data.masks` of configs/folder.py, which evaluates on photos with
    masks and trains on the others. Pair i depends on the run and on i alone.

    Raises:
        FileNotFoundError: the run has no checkpoint.
        ValueError: the run is supervised, or another command is at work in its directory.
    """
    if config.segmenter.supervised:
        raise ValueError("segmenter.supervised is True: such a run trains no GAN, so it cannot synthesise")
    gan, _, checkpointer = restore_run(config, workdir)
    config = restarts.attempt(config, workdir)
    with workdir_lock.locked(workdir), _replaced(pathlib.Path(workdir)) as new:
        _write(config, new, gan, int(checkpointer.gan_step), count)
    logging.info("wrote %d pairs of image and mask to %s", count, pathlib.Path(workdir) / "synthetic")


@contextlib.contextmanager
def _replaced(workdir: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a new folder that becomes WORKDIR/synthetic at the end of the block, unless there is an error."""
    for left_over in workdir.glob(f"{_UNFINISHED}*"):  # by a command that was killed
        shutil.rmtree(left_over)
    with tempfile.TemporaryDirectory(dir=workdir, prefix=_UNFINISHED) as folder:
        new, out = pathlib.Path(folder, "new"), workdir / "synthetic"
        new.mkdir()
        yield new
        if out.exists():
            out.rename(pathlib.Path(folder, "old"))
        new.rename(out)


def _write(config: ConfigDict, out: pathlib.Path, gan: LayeredGAN, gan_step: int, count: int) -> None:
    sample = sampling.build_sampler(config, sampling.SYNTHESIS_STREAM)
    paint = tf.function(lambda step: gan.synthesize(sample(step)), autograph=False)
    for name in ("images", "masks"):
        (out / name).mkdir()
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
        "gan_step": gan_step,
        "seed": config.seed,
        "masks": "grey, 0 background to 255 foreground",
    }
    write_record(out / "dataset.json", about)
