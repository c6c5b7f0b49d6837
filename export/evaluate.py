"""Measures an exported segmenter and the baselines on photos with masks, each photo at its own size.

    python -m export.evaluate --model=MODEL --photos=DIR --masks=MASKS

MODEL is a .tflite file or a SavedModel. A mask has the name of its photo; white is foreground. Photos without a mask
are skipped. Nothing is cut off the photos, unlike for a run's own figures (metrics.json), which are of centre crops at
the model's resolution.
"""

import os
import pathlib

import numpy as np
from absl import flags
from PIL import Image

from edge_segmenter.images import UnreadableImage, read_image
from edge_segmenter.letterbox import foreground_probability
from tf_layered_gan.command_line import run_command
from tf_layered_gan.data.photo_files import find_photos
from tf_layered_gan.data.squares import full_labels
from tf_layered_gan.evaluation import segmentation
from tf_layered_gan.evaluation.baselines import BASELINES
from tf_layered_gan.evaluation.metrics.segmentation import confusion_matrices, summarize

from .any_segmenter import load_segmenter


def evaluate(
    model: str | os.PathLike, photos: str | os.PathLike, masks: str | os.PathLike, unlabelled: int | None = None
) -> dict[str, dict[str, float]]:
    """Measures a segmenter and the baselines on all photos that have a mask.

    Args:
        model: path of the segmenter, see `any_segmenter.load_segmenter`.
        photos: directory of the photos, see `data.folder.load`.
        masks: directory of the masks.
        unlabelled: the grey, 0 to 255, of mask pixels without a label, or None if every pixel has one.

    Returns:
        dict from "segmenter" and the names of the baselines to the dict of `segmentation_metrics`. A baseline sees one
        photo at a time, so `pooled_hues` has no other photos to learn from.

    Raises:
        ValueError: the model or a directory cannot be used, or a photo or mask is broken (the message names it).
    """
    resolution, predict = load_segmenter(model)
    confusions: dict[str, list[np.ndarray]] = {name: [] for name in ("segmenter", *BASELINES)}
    for source in find_photos(photos, masks):
        if source.mask:
            photo, labels = _read(source.photo), _read(source.mask, backdrop="black")
            truth = full_labels(photo, labels, unlabelled=unlabelled, mask_name=source.mask)
            predicted = {"segmenter": foreground_probability(photo, resolution, predict) > segmentation.THRESHOLD}
            predicted |= {name: baseline(np.asarray(photo)[None])[0] for name, baseline in BASELINES.items()}
            for name, mask in predicted.items():
                confusions[name].append(confusion_matrices(mask[None], truth[None])[0])
    return {name: summarize(np.stack(counts)) for name, counts in confusions.items()}


def _read(file: pathlib.Path, backdrop: str = "white") -> Image.Image:
    try:
        return read_image(file, backdrop=backdrop)
    except UnreadableImage as error:
        raise ValueError(f"{file} cannot be read: {error}") from error


def main() -> None:
    """Prints the figures of the segmenter and the photos that the flags name."""
    given = flags.FLAGS
    print(segmentation.format_table(evaluate(given.model, given.photos, given.masks, given.unlabelled)))


if __name__ == "__main__":
    flags.DEFINE_string("model", None, "A .tflite file or a SavedModel.", required=True)
    flags.DEFINE_string("photos", None, "Directory of the photos.", required=True)
    flags.DEFINE_string("masks", None, "Directory of their masks.", required=True)
    flags.DEFINE_integer("unlabelled", None, "Grey of mask pixels without a label.", lower_bound=0, upper_bound=255)
    run_command(main)
