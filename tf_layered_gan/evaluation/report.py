"""The report that a run writes: figures on the test photos, and images to look at."""

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from tf_layered_gan.data.photos import Photos
from tf_layered_gan.evaluation import image_grid, segmentation
from tf_layered_gan.evaluation.baselines import BASELINES
from tf_layered_gan.files.records import write_record

_SHEET_ROWS, _IMAGES = 12, 64
SHEET = "photos_with_masks.png"


def write_report(
    workdir: str | os.PathLike,
    network: keras.Model,
    photos: Photos,
    run: dict[str, Any],
    others: Mapping[str, keras.Model] | None = None,
) -> dict[str, Any]:
    """Evaluates a segmenter on the test photos, and writes metrics.json and the folder test.

    metrics.json holds the items of `run` and the item "test". The item "test" is what `segmentation.evaluate` returns,
    or None if the photos have no masks. The folder `test` holds two folders: `images`, the first 64 photos at the
    network's resolution, and `masks`, the segmenter's masks of these photos. If there are true masks, `test` also holds
    photos_with_masks.png. Each row of this image shows a photo, its true mask, the segmenter's mask, the cut-out, and
    the baselines' masks.

    Args:
        workdir: the run's directory.
        network: F, see `networks.unet`.
        photos: the test split.
        others: more networks to evaluate, by name.
        run: facts about the run itself, such as its seed, to write to metrics.json.

    Returns:
        dict, the content of metrics.json.
    """
    workdir = pathlib.Path(workdir)
    result = run | {"test": None}
    if photos.masks is not None:
        result["test"] = segmentation.evaluate(network, photos, others=others)
    write_record(workdir / "metrics.json", result)
    _write_images(workdir / "test", network, photos)
    return result


def format_figures(result: Mapping[str, Any], workdir: str | os.PathLike) -> str:
    """Returns the figures of a run as a table, or a message if the run has no figures.

    Args:
        result: the content of metrics.json.
        workdir: the run's directory.
    """
    if result["test"] is None:
        return (
            "the test photos have no true masks, so there are no figures; the segmenter's masks are in "
            f"{pathlib.Path(workdir) / 'test'}"
        )
    return segmentation.format_table(result["test"])


def _write_images(directory: pathlib.Path, network: keras.Model, photos: Photos) -> None:
    images = photos.images[:_IMAGES]
    masks = segmentation.predict_probabilities(network, images) > segmentation.THRESHOLD
    for i, (image, mask) in enumerate(zip(images, masks, strict=True)):
        image_grid.save_png(image, directory / "images" / f"{i:03d}.png")
        image_grid.save_png(mask.astype(np.uint8) * 255, directory / "masks" / f"{i:03d}.png")
    if photos.masks is not None:
        rows = slice(_SHEET_ROWS)
        predictions = {"segmenter": masks[rows]} | {name: f(images[rows]) for name, f in BASELINES.items()}
        sheet = image_grid.segmentation_sheet(images[rows], photos.masks[rows], predictions)
        image_grid.save_png(sheet, directory / SHEET)
