"""An image that shows 16 pairs of a run. The pairs are changed as in training with `segmenter.pairs = "photo_like"`.

python -m benchmarks.photo_like_pairs --workdir=runs/mine --output=pairs.png
"""

import pathlib

import tensorflow as tf
from absl import flags

from tf_layered_gan.command_line import define_path, run_command
from tf_layered_gan.data import sources
from tf_layered_gan.data.augmentation import apply_color
from tf_layered_gan.evaluation.image_grid import enlargement, grid, save_png
from tf_layered_gan.models import build, sampling
from tf_layered_gan.runs.config_record import load_config
from tf_layered_gan.runs.restore import restore_run


def main() -> None:
    """Writes the image file that the flags name: four rows of four pairs. A pair is shown as an image and its mask."""
    workdir = pathlib.Path(flags.FLAGS.workdir)
    config = load_config(workdir)
    gan, _, _ = restore_run(config, workdir)
    config.update_from_flattened_dict({"segmenter.pairs": "photo_like", "batch_size": 16})
    photos = sources.load_photos(config, cache=workdir / "photos").train
    draws = sampling.build_sampler(config, sampling.SEGMENTER_STREAM)(tf.constant(0, tf.int64))
    pairs = build.build_pairs(config, gan, photos)(gan.synthesize(draws), draws)
    images, masks = apply_color(pairs["image"], pairs["color"]).numpy(), pairs["mask"].numpy()
    tiles = [tile for image, mask in zip(images, masks, strict=True) for tile in (image, (image, mask[..., 0]))]
    rows = [tiles[i : i + 8] for i in range(0, 32, 8)]
    save_png(grid(rows, scale=enlargement(images), headings=("image", "its mask") * 4), flags.FLAGS.output)


if __name__ == "__main__":
    define_path("workdir", "The directory of a run.", required=True)
    define_path("output", "The PNG file to write.", required=True)
    run_command(main)
