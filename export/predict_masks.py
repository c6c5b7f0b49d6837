"""Predicts the masks that Stanford Dogs and Stanford Cars lack, with any exported segmenter.

    python -m export.predict_masks --model=MODEL --config=configs/dogs.py --config.data.masks=MASKS

MODEL is a .tflite file or a SavedModel's folder, as export/main.py writes them: uint8 RGB [batch, R, R, 3] in, the
foreground's probability [batch, R, R, 1] out. To be a measure for this program's masks it must be a supervised one, as
the paper's Mask R-CNN; what is measured then is the agreement with it. For each photo for validation and test a PNG of
the photo's size goes to MASKS, 255 where the probability is above one half. The model sees the whole photo, see
export/edge/segment.py. Masks that exist are kept, so that a broken run goes on.
"""

import pathlib

import numpy as np
import tensorflow as tf
from absl import app, flags
from ml_collections import config_flags
from PIL import Image

from export.edge.segment import foreground_probability, load_model, save
from tf_layered_gan import config_validation
from tf_layered_gan.data import datasets
from tf_layered_gan.evaluation import THRESHOLD


def load_segmenter(path):
    """Loads a TFLite or SavedModel segmenter.

    Args:
        path: a .tflite file, or a SavedModel's folder with a signature "serving_default".

    Returns:
        Its resolution R, pixels, and a function from uint8 [R, R, rgb] to the foreground probability, float32 [R, R].

    Raises:
        ValueError: if it is no model, or one of other tensors.
    """
    path = pathlib.Path(path)
    if not path.is_dir():
        return load_model(path)
    try:
        model = tf.saved_model.load(path)
        inputs = model.signatures["serving_default"].structured_input_signature[1]
    except (OSError, KeyError) as error:
        raise ValueError(f"{path} is no SavedModel with a signature serving_default: {error}") from error
    (name, pixels), *more = inputs.items()
    shape = pixels.shape.as_list()
    if more or pixels.dtype != tf.uint8 or len(shape) != 4 or shape[1] != shape[2] or shape[1] is None or shape[3] != 3:
        raise ValueError(f"{path} must take uint8 [batch, R, R, 3], got {inputs}")

    def predict(picture):  # by way of the model, which must live as long as its signature
        (probability,) = model.signatures["serving_default"](**{name: tf.constant(picture[None])}).values()
        return probability.numpy()[0, :, :, 0]

    return shape[1], predict


def predict_masks(config, model):
    """Writes the masks of a dataset's photos for validation and test.

    Args:
        config: the ConfigDict of dogs or cars; the masks go to its `data.masks`.
        model: path, see `load_segmenter`.

    Returns:
        int, how many masks were written; those that existed are not counted.

    Raises:
        ValueError: for another dataset, no `data.masks`, or a dataset or model that cannot be had.
    """
    config_validation.validate(config)
    data = config.data
    if data.source not in ("dogs", "cars"):
        raise ValueError(f"data.source is {data.source!r}, allowed: dogs or cars; export/edge/segment.py takes folders")
    if not data.masks:
        raise ValueError(f"data.masks is {data.masks!r}, allowed: a folder to write to: --config.data.masks=MASKS")
    resolution, predict = load_segmenter(model)
    written = 0
    for name, photo in datasets.held_out(data.source, path=data.path, holdout=data.holdout):
        path = pathlib.Path(data.masks, name)
        if not path.exists():
            mask = foreground_probability(photo, resolution, predict) > THRESHOLD
            save(Image.fromarray(mask.astype(np.uint8) * 255), path)
            written += 1
    return written


def main(argv):
    """Runs the command line."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    try:
        written = predict_masks(flags.FLAGS.config, flags.FLAGS.model)
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error
    print(f"{written} masks written to {flags.FLAGS.config.data.masks}")


if __name__ == "__main__":
    config_flags.DEFINE_config_file("config", None, "configs/dogs.py or cars.py.", lock_config=True)
    flags.DEFINE_string("model", None, "A .tflite file or a SavedModel's folder.")
    flags.mark_flags_as_required(["config", "model"])
    app.run(main)
