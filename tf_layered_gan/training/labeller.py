"""The source of the masks that the bootstrap learns: GrabCut or a labeller.

A labeller is a segmenter that was trained elsewhere, for example a large segmenter that learned from true masks. With a
labeller, one command trains a small segmenter for your own photos.
"""

from collections.abc import Callable

import numpy as np
from ml_collections import ConfigDict

from tf_layered_gan.labelling import labels
from tf_layered_gan.labelling.any_segmenter import load_segmenter

MaskFinder = Callable[[np.ndarray], np.ndarray]


def mask_finder(config: ConfigDict) -> MaskFinder:
    """Returns the function that finds the masks of photos.

    Args:
        config: the run's config. `refine.labeller` is the path of a .tflite file or of a SavedModel. If it is None,
            GrabCut finds the masks.

    Returns:
        a function that takes photos, uint8 [photo, height, width, rgb], and returns their masks, bool [photo, height,
        width].

    Raises:
        ValueError: the labeller cannot be loaded, or its output has the wrong shape or holds no probabilities. See
            `any_segmenter.load_segmenter`.
    """
    refine = config.refine
    if refine.labeller is None:
        return labels.find_masks
    size, predict = load_segmenter(
        refine.labeller,
        size=refine.labeller_size or None,
        input_range=tuple(refine.labeller_range) if any(refine.labeller_range) else None,
        logits=refine.labeller_logits,
        channel=refine.labeller_channel if refine.labeller_channel >= 0 else None,
    )
    # This raises an error if the output has the wrong shape or holds no probabilities.
    predict(np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8))
    return lambda images: labels.predict_masks(images, size, predict)


def name_of(config: ConfigDict) -> str:
    """Returns the name of the method that finds the masks, for log messages."""
    return "GrabCut" if config.refine.labeller is None else "the labeller"
