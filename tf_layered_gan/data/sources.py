"""Prepares and loads the photos of the source that a config names."""

import os

from absl import logging
from ml_collections import ConfigDict

from tf_layered_gan.data import labels, shapes
from tf_layered_gan.data.folder import reading
from tf_layered_gan.data.photos import Splits


def prepare_photos(config: ConfigDict) -> None:
    """Downloads and prepares `config.data.source`, if it is one of the paper's datasets and is not prepared yet."""
    if config.data.source not in ("folder", "shapes"):
        from tf_layered_gan.data.paper_datasets import (
            catalogue,  # imported here, because TensorFlow Datasets takes seconds to import
        )

        catalogue.prepare(config.data.source, config.data.path)


def load_photos(config: ConfigDict, cache: str | os.PathLike | None = None) -> Splits:
    """Loads the dataset `config.data.source`.

    This function never downloads or prepares a dataset of the paper. A download would write to a folder that the config
    names. That would be a risk, because the config may come from somebody else.

    Args:
        config: the run's config.
        cache: folder for decoded photos and drawn shapes, or None.

    Raises:
        ValueError: if the photos cannot be used. `reading.load` and `datasets.load` list the reasons.
    """
    splits = _load(config, cache)
    if (doubt := labels.odd_masks_of(splits)) is not None:
        logging.warning(doubt)
    return splits


def _load(config: ConfigDict, cache: str | os.PathLike | None) -> Splits:
    data = config.data
    sizes = {
        "resolution": config.resolution,
        # The stored photos are so large that no crop of them has to be enlarged.
        "storage_size": round(config.resolution / data.crop_scale[0]),
    }
    if data.source == "shapes":
        return shapes.load(train=data.train_pictures, held_out=data.held_out_pictures, cache=cache, **sizes)
    settings = {"path": data.path, "masks": data.masks, "holdout": data.holdout, "fit": data.fit, "cache": cache}
    settings |= sizes
    if data.source == "folder":
        return reading.load(unlabelled=data.unlabelled, most_photos=data.most_photos, **settings)
    from tf_layered_gan.data.paper_datasets import datasets  # imported here, as in `prepare_photos`

    return datasets.load(data.source, train_masks=config.segmenter.supervised, **settings)
