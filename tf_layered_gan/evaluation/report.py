"""What a run leaves behind for people: figures on the test photos, and pictures to look at."""

import pathlib

import numpy as np

from tf_layered_gan.evaluation import picture_grid, segmentation
from tf_layered_gan.evaluation.baselines import BASELINES
from tf_layered_gan.files.records import write_record

_SHEET_ROWS, _PICTURES = 12, 64


def write_report(workdir, network, photos, run):
    """Evaluates a segmenter on the test photos and writes metrics.json and the folder test.

    Args:
        workdir: the run's directory.
        network: F, a keras.Model, see `networks.unet`.
        photos: `Photos`, the test split.
        run: dict of what to say of the run itself: seed, images seen, seconds.

    Writes metrics.json (`run`, and "test", the figures of `evaluation.evaluate`, or None where the photos have no
    masks), test/images and test/masks (the first photos at the network's resolution, and F's masks) and, where there
    are true masks, test/sheet.png: photo, true mask, F's mask, cut-out, and the baselines' masks.

    Returns:
        dict, what metrics.json holds.
    """
    workdir = pathlib.Path(workdir)
    result = run | {"test": None}
    if photos.masks is not None:
        result["test"] = segmentation.evaluate(network, photos)
        print(segmentation.format_table(result["test"]), flush=True)
    else:
        print(f"no true masks, so no figures: look at {workdir / 'test'}", flush=True)
    write_record(workdir / "metrics.json", result)
    _write_pictures(workdir / "test", network, photos)
    return result


def _write_pictures(directory, network, photos):
    images = photos.images[:_PICTURES]
    masks = segmentation.predict_probabilities(network, images) > segmentation.THRESHOLD
    for i, (image, mask) in enumerate(zip(images, masks, strict=True)):
        picture_grid.save_png(image, directory / "images" / f"{i:03d}.png")
        picture_grid.save_png(mask.astype(np.uint8) * 255, directory / "masks" / f"{i:03d}.png")
    if photos.masks is not None:
        rows = slice(_SHEET_ROWS)
        predictions = {"segmenter": masks[rows]} | {name: f(images[rows]) for name, f in BASELINES.items()}
        sheet = picture_grid.segmentation_sheet(images[rows], photos.masks[rows], predictions, scale=2)
        picture_grid.save_png(sheet, directory / "sheet.png")
