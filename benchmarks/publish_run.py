"""Copies what may be shown of a run, which is what holds no photo of its data.

    python -m benchmarks.publish_run --workdir=runs/flowers --output=benchmarks/runs/flowers

OUTPUT/curve.csv     the learning curve on the validation pictures
OUTPUT/metrics.json  the figures on the test pictures, the seed, images seen, seconds
OUTPUT/layers.png    twelve samples, a row each: background, foreground, mask, composed picture
"""

import pathlib
import shutil

import tensorflow as tf
from absl import app, flags

from tf_layered_gan.evaluation import image_grid
from tf_layered_gan.models import sampling
from tf_layered_gan.runs.config_record import load_config
from tf_layered_gan.runs.restore import restore_run

_SAMPLES = 12


def publish(workdir, output):
    """Writes curve.csv, metrics.json and layers.png (see the module).

    Args:
        workdir: a finished run's directory.
        output: directory; made where missing.

    Raises:
        FileNotFoundError: if the run is not finished, or was validated on no masks.
    """
    workdir, output = pathlib.Path(workdir), pathlib.Path(output)
    config = load_config(workdir)
    gan, _, _ = restore_run(config, workdir)
    output.mkdir(parents=True, exist_ok=True)
    for name in ("curve.csv", "metrics.json"):
        shutil.copyfile(workdir / name, output / name)
    image_grid.save_png(_sample_layers(config, gan), output / "layers.png")


def _sample_layers(config, gan):
    draws = sampling.build_sampler(config, sampling.SYNTHESIS_STREAM)(tf.constant(1, tf.int64))
    layers = {name: values[:_SAMPLES].numpy() for name, values in gan.synthesize(draws).items()}
    return image_grid.synthetic_grid(
        layers["background"], layers["foreground"], layers["mask"], layers["composed"], scale=2
    )


def main(_):
    """Publishes the run that the flags name."""
    try:
        publish(flags.FLAGS.workdir, flags.FLAGS.output)
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    print(f"wrote {flags.FLAGS.output}")


if __name__ == "__main__":
    flags.DEFINE_string("workdir", None, "A finished run's directory.", required=True)
    flags.DEFINE_string("output", None, "Where to write.", required=True)
    app.run(main)
