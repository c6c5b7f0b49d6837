"""Metrics and image grids of the averaged networks, computed with the project's own functions."""

from typing import Any

import numpy as np
from engine import Engine

from tf_layered_gan.evaluation.image_grid import layer_grid
from tf_layered_gan.evaluation.metrics.segmentation import segmentation_metrics
from tf_layered_gan.evaluation.metrics.variety import mask_variety, variance_shares

_THRESHOLD = 0.5  # pixels with a higher probability are foreground
_FULL = 0.9  # a mask with a higher mean fills the image
_ROWS = 8  # rows of an image grid
_CROSSED_GROUPS = 4


def segmentation(engine: Engine, split: str) -> dict[str, Any] | None:
    """Returns the metrics of the segmenter on the split "validation" or "test", or None if the split has no masks."""
    photos = engine.photos
    if f"{split}_masks" not in photos:
        return None
    return segmentation_metrics(engine.predict(photos[f"{split}_images"]) > _THRESHOLD, photos[f"{split}_masks"])


def synthetic_masks(engine: Engine, batches: int = 32) -> dict[str, float]:
    """Returns the same metrics as `gan_figures.evaluate_synthetic_masks`."""
    masks = np.concatenate([engine.synthesize(step)["mask"] for step in range(batches)])[..., 0]
    crossed = np.stack([engine.crossed_masks(step) for step in range(_CROSSED_GROUPS)])
    means = masks.mean((1, 2))
    full = float((means > _FULL).mean())
    figures = {"mask_mean": float(means.mean()), "mask_spread": float(means.std()), "masks_full": full}
    return figures | mask_variety(masks) | variance_shares(crossed)


def grid(engine: Engine) -> np.ndarray:
    """Draws synthetic layers, and photos with their predicted masks. Returns uint8 [height, width, rgb].

    See `layer_grid`.
    """
    layers, real = engine.synthesize(0), engine.photos["validation_images"][:_ROWS]
    rows = min(len(layers["mask"]), len(real))
    columns = {name: layers[name][:rows] for name in ("background", "foreground", "mask", "composed")}
    return layer_grid(**columns, real=real[:rows], real_mask=engine.predict(real[:rows]))
