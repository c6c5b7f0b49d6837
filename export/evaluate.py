"""Measures an exported segmenter and the baselines on photos with masks. Photos keep their own sizes.

    python -m export.evaluate --model=MODEL --photos=DIR --masks=MASKS

MODEL is a .tflite file or a SavedModel. A mask has the same name as its photo. White pixels are foreground. Photos
without a mask are skipped. The model sees whole photos. They are squeezed if the model learned from squeezed photos,
and padded otherwise. The results differ from the metrics.json of the run that trained the model, because the values in
metrics.json are measured on squares at the model's resolution, see `data.fit`.
"""

import functools
import os
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from absl import flags, logging
from PIL import Image

from edge_segmenter.files.images import UnreadableImage, read_image
from edge_segmenter.fit import foreground_probability
from edge_segmenter.progress import progress
from tf_layered_gan.command_line import define_path, run_command
from tf_layered_gan.data import mask_values
from tf_layered_gan.data.folder.photo_files import find_photos
from tf_layered_gan.data.squares import full_labels
from tf_layered_gan.evaluation import segmentation
from tf_layered_gan.evaluation.baselines import BASELINES
from tf_layered_gan.evaluation.metrics.segmentation import boundary_matrices, confusion_matrices, summarize
from tf_layered_gan.labelling.any_segmenter import load_segmenter

from .documentation.metadata import fit_of_segmenter

Segmenter = Callable[[Image.Image], np.ndarray]


def evaluate(
    model: str | os.PathLike, photos: str | os.PathLike, masks: str | os.PathLike, unlabelled: int | None = None
) -> dict[str, dict[str, float]]:
    """Measures a segmenter and the baselines on all photos that have a mask.

    Args:
        model: path of the segmenter, see `any_segmenter.load_segmenter`.
        photos: directory of the photos, see `data.folder.reading.load`.
        masks: directory of the masks.
        unlabelled: the grey, 0 to 255, of mask pixels without a label, or None if every pixel has a label.

    Returns:
        dict from a name to its metrics, see `segmentation_metrics`. The names are "segmenter" and the names of the
        baselines. Each baseline gets only one photo at a time. So `pooled_hues` uses only the hues of one photo.

    Raises:
        ValueError: the model or a directory cannot be used, or no photo can be read together with its mask. If no photo
            can be read, the message names the first file that cannot be read.
    """
    resolution, predict = load_segmenter(model)
    segment = functools.partial(
        foreground_probability, resolution=resolution, predict=predict, fit=fit_of_segmenter(model)
    )
    segmenters: dict[str, Segmenter] = {"segmenter": segment}
    segmenters |= {name: functools.partial(_mask, baseline) for name, baseline in BASELINES.items()}
    return score(segmenters, photos, masks, unlabelled)


def score(
    segmenters: Mapping[str, Segmenter],
    photos: str | os.PathLike,
    masks: str | os.PathLike,
    unlabelled: int | None = None,
    chosen: slice = slice(None),
) -> dict[str, dict[str, float]]:
    """Measures segmenters on the photos that have a mask.

    Args:
        segmenters: dict of functions by name. Each function takes a photo and returns the foreground probability
            [height, width], or a mask.
        photos, masks, unlabelled: as for `evaluate`.
        chosen: a slice of the photos that have a mask, in the order of their names.

    Returns:
        dict from each name to its metrics, see `segmentation_metrics`. If a photo or its mask cannot be read, the photo
        is left out with a warning.

    Raises:
        ValueError: no photo can be read together with its mask, or a directory cannot be used.
    """
    counts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in segmenters}
    left_out: list[str] = []
    masked = [(source.photo, source.mask) for source in find_photos(photos, masks) if source.mask]
    mask_values.warn_of_turns(masked)
    coding = mask_values.survey([mask_file for _, mask_file in masked], unlabelled)
    for photo_file, mask_file in progress(masked[chosen], "measuring", len(masked[chosen]), "photos"):
        try:
            photo, mask = _read(read_image, photo_file), _read(mask_values.read_mask, mask_file, coding=coding)
        except ValueError as error:
            logging.warning("left out %s: %s", photo_file, error)
            left_out.append(str(error))
            continue
        truth = full_labels(photo, mask, unlabelled=mask_values.UNLABELLED_GREY, mask_name=mask_file)[None]
        for name, segment in segmenters.items():
            predicted = segment(photo)[None] > segmentation.THRESHOLD
            counts[name].append((confusion_matrices(predicted, truth)[0], boundary_matrices(predicted, truth)[0]))
    if len(left_out) == len(masked[chosen]):
        raise ValueError(left_out[0] if left_out else "no photo was chosen")
    return {name: summarize(*map(np.stack, zip(*pairs, strict=True))) for name, pairs in counts.items()}


def _mask(baseline: Callable[[np.ndarray], np.ndarray], photo: Image.Image) -> np.ndarray:
    return baseline(np.asarray(photo)[None])[0]


def _read(read: Callable[..., Image.Image], file: pathlib.Path, **settings: Any) -> Image.Image:
    try:
        return read(file, **settings)
    except UnreadableImage as error:
        raise ValueError(f"{file} cannot be read: {error}") from error


def main() -> None:
    """Prints the metrics of a segmenter on photos. Flags name the segmenter and the photos."""
    given = flags.FLAGS
    print(segmentation.format_table(evaluate(given.model, given.photos, given.masks, given.unlabelled)))


if __name__ == "__main__":
    define_path("model", "A .tflite file or a SavedModel.", exists=True, required=True)
    define_path("photos", "Directory of the photos.", exists=True, required=True)
    define_path("masks", "Directory of their masks.", exists=True, required=True)
    flags.DEFINE_integer("unlabelled", None, "Grey of mask pixels that have no label.", lower_bound=0, upper_bound=255)
    run_command(main)
