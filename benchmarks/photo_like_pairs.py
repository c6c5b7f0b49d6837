"""Shows 16 pairs of a run, changed to look like photos: python -m benchmarks.photo_like_pairs WORKDIR FILE.png."""

import pathlib
import sys

import tensorflow as tf

from tf_layered_gan.data import sources
from tf_layered_gan.data.augmentation import apply_color
from tf_layered_gan.evaluation.image_grid import grid, save_png
from tf_layered_gan.models import build, sampling
from tf_layered_gan.runs.config_record import load_config
from tf_layered_gan.runs.restore import restore_run

if __name__ == "__main__":
    config = load_config(sys.argv[1])
    gan, _, _ = restore_run(config, sys.argv[1])
    config.update_from_flattened_dict({"segmenter.pairs": "photo_like", "batch_size": 16})
    photos = sources.load_photos(config, cache=pathlib.Path(sys.argv[1]) / "photos").train
    draws = sampling.build_sampler(config, sampling.SEGMENTER_STREAM)(tf.constant(0, tf.int64))
    pairs = build.build_pairs(config, gan, photos)(gan.synthesize(draws), draws)
    images = apply_color(pairs["image"], pairs["color"]).numpy()
    rows = [[tile for i in range(k, k + 4) for tile in (images[i], pairs["mask"][i].numpy())] for k in range(0, 16, 4)]
    save_png(grid(rows, scale=2), sys.argv[2])
