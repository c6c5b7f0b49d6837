"""Prediction of masks for Stanford Dogs and Stanford Cars, which have no true masks.

The command can use any exported segmenter:

    python -m export.predict_masks --model=MODEL --config=dogs --config.data.masks=MASKS

MODEL is a .tflite file or a SavedModel. It takes uint8 RGB [batch, R, R, 3] and returns the foreground probability
[batch, R, R, 1], like the files of export.main. Models with other inputs and outputs need flags. Give each flag whose
description applies to the model:

    --size=R                the input may have any height and width; R is used for both
    --input_range=LOW,HIGH  the input is float32; LOW and HIGH are its values for the pixels 0 and 255
    --logits                the output is logits; the command applies a sigmoid to one channel, or a softmax to several
    --channel=N             the output has several channels, or is a map of class ids, integers [batch, R, R]; N is the
                            channel or the class id of the foreground

Use a supervised segmenter, such as the paper's Mask R-CNN. An IoU with these masks then measures how far this program's
segmenter agrees with that segmenter.

The command writes a PNG of the photo's size to MASKS for each validation and test photo. A pixel of the PNG is 255
where the probability is above one half, otherwise 0. The model sees the whole photo, see edge_segmenter/fit.py.
Existing masks are kept, so an interrupted command can be started again. MASKS/predicted_by.json records the model
(name, SHA-256), the flags and the dataset. The command refuses a folder MASKS whose masks were made with another model,
other flags or another dataset.

A SavedModel is a program. Do not use a SavedModel from a source that you do not trust, see
tf_layered_gan/labelling/any_segmenter.py.
"""

import functools
import os
import pathlib
from typing import Any

import numpy as np
from absl import flags
from ml_collections import ConfigDict
from PIL import Image

from edge_segmenter.files.atomic import save_png
from edge_segmenter.fit import foreground_probability
from edge_segmenter.progress import progress
from tf_layered_gan.command_line import define_path, run_command
from tf_layered_gan.config import resolve_paths, shipped, validate
from tf_layered_gan.evaluation.segmentation import THRESHOLD
from tf_layered_gan.files.file_lock import file_lock
from tf_layered_gan.labelling.any_segmenter import load_segmenter

from . import mask_record
from .documentation.metadata import fit_of_segmenter


def predict_masks(config: ConfigDict, model: str | os.PathLike, **interface: Any) -> int:
    """Writes the masks of a dataset's validation and test photos.

    Args:
        config: config of dogs or cars. The masks are written to its `data.masks`. The paths in the config become
            absolute. A leading ~ in them stands for the home folder.
        model: path of the segmenter, see `any_segmenter.load_segmenter`.
        **interface: the segmenter's input and output, see `any_segmenter.load_segmenter`.

    Returns:
        The number of new masks.

    Raises:
        ValueError: the config has another dataset or no `data.masks`; the dataset or the model cannot be loaded; a mask
            would be written outside `data.masks`; `mask_record.check` refuses the masks in `data.masks`; or another
            command writes to `data.masks`.
    """
    from tf_layered_gan.data.paper_datasets import datasets  # imported here, because the import takes seconds

    validate(config)
    resolve_paths(config)
    data = config.data
    if data.source not in ("dogs", "cars"):
        raise ValueError(f"data.source is {data.source!r}, allowed: dogs or cars; for a folder use edge-segmenter")
    if not data.masks:
        raise ValueError(f"data.masks is {data.masks!r}, allowed: a directory, as in --config.data.masks=MASKS")
    resolution, predict = load_segmenter(model, **interface)
    fit = fit_of_segmenter(model)
    record, written = mask_record.make(model, interface, data), 0
    with file_lock(data.masks, taken=functools.partial(_refuse, data.masks)):
        mask_record.check(data.masks, record)
        photos = datasets.held_out(data.source, path=data.path, holdout=data.holdout)
        for name, photo in progress(photos, "segmenting", 0, "photos"):
            path = _mask_path(data.masks, name)
            if not path.exists():
                mask = foreground_probability(photo, resolution, predict, fit) > THRESHOLD
                # The record is written only now, because the first mask shows that the flags fit the model.
                if not written:
                    mask_record.write(data.masks, record)
                save_png(Image.fromarray(mask.astype(np.uint8) * 255), path)
                written += 1
        return written


def _refuse(masks: str) -> None:
    raise ValueError(f"another command writes masks to {masks}: wait for it, or choose another directory")


def _mask_path(masks: str, name: str) -> pathlib.Path:
    """Returns the path of a mask.

    Refuses a path outside `masks`, because a name from an archive or a link may lead there.
    """
    path = pathlib.Path(masks, name)
    target = os.path.realpath(path.parent)
    if not pathlib.Path(target).is_relative_to(os.path.realpath(masks)):
        raise ValueError(f"the mask {name} would be written to {target}, which is not in data.masks ({masks})")
    return path


def main() -> None:
    """Writes the masks of the dataset that the flags name."""
    given = flags.FLAGS
    input_range = given.input_range and tuple(map(float, given.input_range))
    interface = {"size": given.size, "input_range": input_range, "logits": given.logits, "channel": given.channel}
    written = predict_masks(given.config, given.model, **interface)
    print(f"{written} masks written to {given.config.data.masks}")


if __name__ == "__main__":
    shipped.define_flag("The config whose photos are segmented: dogs or cars.")
    define_path("model", "A .tflite file or a SavedModel.", exists=True)
    flags.DEFINE_integer("size", None, "Height and width in pixels, for a model that takes any size.")
    flags.DEFINE_list("input_range", None, "LOW,HIGH: the values of the pixels 0 and 255 in a float32 input.")
    flags.DEFINE_bool("logits", False, "The model returns logits.")
    flags.DEFINE_integer("channel", None, "The foreground's channel or class id, from 0.")
    flags.mark_flags_as_required(["config", "model"])
    run_command(main)
