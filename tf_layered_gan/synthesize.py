"""Pairs of image and mask that the averaged generators paint, and datasets of such pairs for other programs."""

import os
import pathlib
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf
from absl import logging
from ml_collections import ConfigDict
from PIL import Image

from tf_layered_gan.console.progress import progress
from tf_layered_gan.files.records import write_record
from tf_layered_gan.files.replaced_folder import replacing_folder
from tf_layered_gan.models import sampling
from tf_layered_gan.runs import restarts, workdir_lock
from tf_layered_gan.runs.restore import restore_gan

PixelPair = tuple[np.ndarray, np.ndarray]  # the image [height, width, rgb] and its mask [height, width], both uint8


def write_dataset(config: ConfigDict, workdir: str | os.PathLike, count: int) -> None:
    """Writes `count` pairs to WORKDIR/synthetic.

    An earlier dataset in this folder is replaced once the new dataset is complete.

    The files are images/000000.png (RGB), masks/000000.png (grey, 255 = foreground, soft at the edges) and so on, and
    dataset.json. The folders images and masks can serve as `data.path` and `data.masks` of configs/folder.py. A run
    with `segmenter.supervised` can use the folders as they are. Any other run trains only on images that have no mask,
    so some of the masks must be removed before such a run. Pair i depends only on the run and on i.

    Raises:
        FileNotFoundError: the run has no checkpoint.
        ValueError: the run trained no GAN, or another command is at work in its directory.
    """
    pairs, gan_step = paint_pairs(config, workdir, count)
    about = {
        "pairs": count,
        "resolution": config.resolution,
        "gan_step": gan_step,
        "seed": restarts.attempt(config, workdir).seed,
        "masks": "grey, 0 background to 255 foreground",
    }
    out = pathlib.Path(workdir) / "synthetic"
    with workdir_lock.locked(workdir), replacing_folder(out) as new:
        for name in ("images", "masks"):
            (new / name).mkdir()
        for i, pair in enumerate(progress(pairs, "painting pairs", count)):
            for name, pixels in zip(("images", "masks"), pair, strict=True):
                Image.fromarray(pixels).save(new / name / f"{i:06d}.png")
        write_record(new / "dataset.json", about)
    logging.info("wrote %d pairs of image and mask to %s", count, out)


def paint_pairs(config: ConfigDict, workdir: str | os.PathLike, count: int) -> tuple[Iterator[PixelPair], int]:
    """Restores a run's generators. Returns an iterator that paints `count` pairs on demand, and the step of the GAN.

    Raises:
        FileNotFoundError: the run has no checkpoint.
        ValueError: the run trained no GAN.
    """
    gan, _, checkpointer = restore_gan(config, workdir)
    config = restarts.attempt(config, workdir)
    sample = sampling.build_sampler(config, sampling.SYNTHESIS_STREAM)
    paint = tf.function(lambda step: gan.synthesize(sample(step)), autograph=False)
    return _paint(paint, config.batch_size, count), int(checkpointer.gan_step)


def _paint(paint: Callable, batch_size: int, count: int) -> Iterator[PixelPair]:
    for start in range(0, count, batch_size):
        layers = paint(tf.constant(start // batch_size, tf.int64))
        images = np.round((layers["composed"].numpy() + 1) * 127.5).astype(np.uint8)
        masks = np.round(layers["composed_mask"].numpy()[..., 0] * 255).astype(np.uint8)
        yield from zip(images[: count - start], masks[: count - start], strict=True)
