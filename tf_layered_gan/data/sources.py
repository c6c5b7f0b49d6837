"""Prepares and loads the photos of the source that a config names."""

import os
from collections.abc import Callable
from typing import Any

from absl import logging
from ml_collections import ConfigDict

from tf_layered_gan.data import labels, shapes
from tf_layered_gan.data.folder import reading
from tf_layered_gan.data.photos import Splits

Settings = dict[str, Any]  # the arguments that the `load` functions of all sources have in common


def prepare_photos(config: ConfigDict) -> None:
    """Downloads and prepares `config.data.source`, if it is one of the paper's datasets and is not prepared yet."""
    if config.data.source not in _SOURCES:
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
    settings: Settings = {
        "resolution": config.resolution,
        # The stored photos are so large that no crop of them has to be enlarged.
        "storage_size": round(config.resolution / config.data.crop_scale[0]),
        "cache": cache,
    }
    return _SOURCES.get(config.data.source, _load_paper_dataset)(config, settings)


def _load_shapes(config: ConfigDict, settings: Settings) -> Splits:
    return shapes.load(train=config.data.train_pictures, held_out=config.data.held_out_pictures, **settings)


def _load_folder(config: ConfigDict, settings: Settings) -> Splits:
    data = config.data
    return reading.load(unlabelled=data.unlabelled, most_photos=data.most_photos, **_files(config), **settings)


def _load_paper_dataset(config: ConfigDict, settings: Settings) -> Splits:
    from tf_layered_gan.data.paper_datasets import datasets  # imported here, as in `prepare_photos`

    masks = config.segmenter.supervised
    return datasets.load(config.data.source, train_masks=masks, **_files(config), **settings)


def _files(config: ConfigDict) -> Settings:
    return {name: config.data[name] for name in ("path", "masks", "holdout", "fit")}


# Every other source is a dataset of the paper, see `paper_datasets.catalogue`.
_SOURCES: dict[str, Callable[[ConfigDict, Settings], Splits]] = {"shapes": _load_shapes, "folder": _load_folder}
