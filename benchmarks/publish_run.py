"""A command that copies some files of a run, so that they can be published. The files show no photos.

    python -m benchmarks.publish_run --workdir=runs/flowers --output=benchmarks/runs/flowers

OUTPUT/curve.csv     the learning curve on the validation photos
OUTPUT/metrics.json  the figures on the test photos, the seed, images seen, seconds
OUTPUT/layers.png    twelve synthetic samples, one per row: background, foreground, mask, composed image. A run
                     without a GAN has no samples
"""

import pathlib
import shutil

import numpy as np
import tensorflow as tf
from absl import flags
from ml_collections import ConfigDict

from tf_layered_gan.command_line import define_path, run_command
from tf_layered_gan.evaluation import image_grid
from tf_layered_gan.models import sampling
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.runs.config_record import load_config
from tf_layered_gan.runs.passes import is_trained
from tf_layered_gan.runs.restore import restore_run

_SAMPLES = 12


def publish(workdir: str | pathlib.Path, output: str | pathlib.Path) -> None:
    """Writes the files that the docstring of the module lists. Creates their directory if it is missing.

    Raises:
        FileNotFoundError: if the run is not finished, or its validation photos have no masks.
    """
    workdir, output = pathlib.Path(workdir), pathlib.Path(output)
    config = load_config(workdir)
    gan, _, _ = restore_run(config, workdir)
    output.mkdir(parents=True, exist_ok=True)
    for name in ("curve.csv", "metrics.json"):
        shutil.copyfile(workdir / name, output / name)
    if is_trained(gan):
        image_grid.save_png(_sample_layers(config, gan), output / "layers.png")


def _sample_layers(config: ConfigDict, gan: LayeredGAN) -> np.ndarray:
    draws = sampling.build_sampler(config, sampling.SYNTHESIS_STREAM)(tf.constant(1, tf.int64))
    layers = {name: values[:_SAMPLES].numpy() for name, values in gan.synthesize(draws).items()}
    return image_grid.synthetic_grid(*(layers[name] for name in ("background", "foreground", "mask", "composed")))


def main() -> None:
    """Publishes the run that the flags name."""
    publish(flags.FLAGS.workdir, flags.FLAGS.output)
    print(f"wrote {flags.FLAGS.output}")


if __name__ == "__main__":
    define_path("workdir", "A finished run's directory.", required=True)
    define_path("output", "The directory to write.", required=True)
    run_command(main)
