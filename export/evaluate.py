"""Measures an exported segmenter on one's own photos with masks, each at its own size, as a device would segment it.

    python -m export.evaluate --model=MODEL --photos=DIR --masks=MASKS

MODEL is a .tflite file or a SavedModel's folder. A mask has its photo's name; white is foreground. Photos without a
mask do not count. A run's own figures (metrics.json) are of centre crops at the model's resolution; here nothing is cut
off.
"""

import numpy as np
from absl import app, flags

from edge_segmenter.images import UnreadableImage, read_image
from edge_segmenter.letterbox import foreground_probability
from tf_layered_gan.data.photo_files import find_photos
from tf_layered_gan.data.squares import full_labels
from tf_layered_gan.evaluation import segmentation
from tf_layered_gan.evaluation.baselines import BASELINES
from tf_layered_gan.evaluation.metrics.segmentation import confusion_matrices, summarize

from .any_segmenter import load_segmenter


def evaluate(model, photos, masks, unlabelled=None):
    """Measures a model and the baselines on all photos that have a mask.

    Args:
        model: path, see `any_segmenter.load_segmenter`.
        photos, masks: folders, see `data.folder.load`.
        unlabelled: None, or the grey, 0 to 255, of mask pixels that have no label.

    Returns:
        dict from "segmenter", and then the baselines' names, to the dict of `segmentation_metrics`. The baselines see
        one photo at a time, so `pooled_hues` has no others to learn from.

    Raises:
        ValueError: for a model or a folder that cannot be used, or a broken photo or mask, which it names.
    """
    resolution, predict = load_segmenter(model)
    segmenters = {
        "segmenter": lambda photo: foreground_probability(photo, resolution, predict) > segmentation.THRESHOLD
    }
    segmenters |= {name: lambda photo, f=f: f(np.asarray(photo)[None])[0] for name, f in BASELINES.items()}
    confusions = {name: [] for name in segmenters}
    for source in find_photos(photos, masks):
        if source.mask:
            photo, mask = _read(source.photo), _read(source.mask, backdrop="black")
            truth = full_labels(photo, mask, unlabelled=unlabelled, mask_name=source.mask)
            for name, segment in segmenters.items():
                confusions[name].append(confusion_matrices(segment(photo)[None], truth[None])[0])
    return {name: summarize(np.stack(counts)) for name, counts in confusions.items()}


def _read(file, **settings):
    try:
        return read_image(file, **settings)
    except UnreadableImage as error:
        raise ValueError(f"{file} cannot be read: {error}") from error


def main(argv):
    """Runs the command line."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    given = flags.FLAGS
    try:
        results = evaluate(given.model, given.photos, given.masks, given.unlabelled)
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    print(segmentation.format_table(results))


if __name__ == "__main__":
    flags.DEFINE_string("model", None, "A .tflite file or a SavedModel's folder.", required=True)
    flags.DEFINE_string("photos", None, "A folder of photos.", required=True)
    flags.DEFINE_string("masks", None, "A folder of their masks.", required=True)
    flags.DEFINE_integer("unlabelled", None, "Grey of mask pixels without a label.", lower_bound=0, upper_bound=255)
    app.run(main)
