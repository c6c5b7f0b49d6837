"""Predicts the masks that Stanford Dogs and Stanford Cars lack, with any exported segmenter.

    python -m export.predict_masks --model=MODEL --config=dogs --config.data.masks=MASKS

MODEL is a .tflite file or a SavedModel's folder, as export/main.py writes them: uint8 RGB [batch, R, R, 3] in, the
foreground's probability [batch, R, R, 1] out. Others take flags: --size=R for pictures of any size in,
--input_range=LOW,HIGH for float32 in, --channel=N for the foreground's of several output channels or in a map of class
ids, integers [batch, R, R], and --logits where the probability is still to be made: of one channel by a sigmoid, of
several by a softmax over all of them.

To be a measure for this program's masks it must be a supervised one, as the paper's Mask R-CNN; what is measured then
is the agreement with it. For each photo for validation and test a PNG of the photo's size goes to MASKS, 255 where the
probability is above one half. The model sees the whole photo, see edge_segmenter/letterbox.py. Masks that exist are
kept, so that a broken run goes on. MASKS/predicted_by.json says what made them: the model (name, SHA-256), the flags,
the dataset; with another model or other flags the folder is refused.

A SavedModel is a program: take none from a source that you do not trust, see export/any_segmenter.py.
"""

import os
import pathlib

import numpy as np
from absl import app, flags
from PIL import Image

from edge_segmenter.atomic import save_png
from edge_segmenter.letterbox import foreground_probability
from tf_layered_gan.config import shipped, validate
from tf_layered_gan.data import datasets
from tf_layered_gan.evaluation.segmentation import THRESHOLD

from . import mask_record
from .any_segmenter import load_segmenter


def predict_masks(config, model, **tensors):
    """Writes the masks of a dataset's photos for validation and test.

    Args:
        config: the ConfigDict of dogs or cars; the masks go to its `data.masks`.
        model: path, see `any_segmenter.load_segmenter`.
        **tensors: what the model takes and gives, see `any_segmenter.load_segmenter`.

    Returns:
        int, how many masks were written; those that existed are not counted.

    Raises:
        ValueError: for another dataset, no `data.masks`, a dataset or model that cannot be had, a mask that would be
            written outside of `data.masks`, or masks there that were made otherwise, see `mask_record.check`.
    """
    validate(config)
    data = config.data
    if data.source not in ("dogs", "cars"):
        raise ValueError(f"data.source is {data.source!r}, allowed: dogs or cars; the edge command takes folders")
    if not data.masks:
        raise ValueError(f"data.masks is {data.masks!r}, allowed: a folder to write to: --config.data.masks=MASKS")
    resolution, predict = load_segmenter(model, **tensors)
    record, written = mask_record.make(model, tensors, data), 0
    mask_record.check(data.masks, record)
    for name, photo in datasets.held_out(data.source, path=data.path, holdout=data.holdout):
        path = pathlib.Path(data.masks, name)
        target = os.path.realpath(path.parent)  # the name is the archive's, and the folder may hold links
        if not pathlib.Path(target).is_relative_to(os.path.realpath(data.masks)):
            raise ValueError(f"the mask {name} would go to {target}, which is not in data.masks, {data.masks}")
        if not path.exists():
            mask = foreground_probability(photo, resolution, predict) > THRESHOLD
            if not written:  # not before a first mask: one may have tried the flags
                mask_record.write(data.masks, record)
            save_png(Image.fromarray(mask.astype(np.uint8) * 255), path)
            written += 1
    return written


def main(argv):
    """Runs the command line."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    given = flags.FLAGS
    try:
        input_range = given.input_range and tuple(map(float, given.input_range))
        written = predict_masks(
            given.config,
            given.model,
            size=given.size,
            input_range=input_range,
            logits=given.logits,
            channel=given.channel,
        )
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    print(f"{written} masks written to {given.config.data.masks}")


if __name__ == "__main__":
    shipped.define_flag("The config whose photos are segmented: dogs or cars.")
    flags.DEFINE_string("model", None, "A .tflite file or a SavedModel's folder.")
    flags.DEFINE_integer("size", None, "Pixels: the width and height to give a model that takes any.")
    flags.DEFINE_list("input_range", None, "LOW,HIGH: of a float32 input, what stands for the pixels 0 and 255.")
    flags.DEFINE_bool("logits", False, "The model gives logits: of one channel to a sigmoid, of several to a softmax.")
    flags.DEFINE_integer("channel", None, "The foreground's of several output channels, or of class ids, from 0.")
    flags.mark_flags_as_required(["config", "model"])
    app.run(main)
