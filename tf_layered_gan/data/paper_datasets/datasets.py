"""Photos and masks of the paper's datasets, read through TensorFlow Datasets."""

import functools
import io
import os
from collections.abc import Iterator
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from edge_segmenter.files.images import UnreadableImage, read_image
from tf_layered_gan.data.cache import cached_splits, in_memory, stamp
from tf_layered_gan.data.mask_values import Coding, read_mask, survey
from tf_layered_gan.data.paper_datasets.catalogue import DATASETS, MASK, prepare, prepared, tfds_splits
from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.data.squares import labelled_square

_BATCH = 64  # number of photos that are decoded together

Element = tuple[str, io.BytesIO, io.BytesIO | Path | None]  # a name, the file of the photo, and the file of its mask


def load(
    source: str,
    *,
    resolution: int,
    storage_size: int,
    fit: str = "crop",
    path: str | os.PathLike | None = None,
    masks: str | os.PathLike | None = None,
    holdout: int | None = None,
    train_masks: bool = False,
    cache: str | os.PathLike | None = None,
) -> Splits:
    """Reads a dataset that has been prepared.

    Args:
        source, path: as for `catalogue.prepare`.
        resolution: width of the validation and test photos, pixels.
        storage_size: width of the training photos, pixels, at least `resolution`.
        fit: as for `folder.reading.load`.
        masks: None, or (for dogs and cars) a folder with a PNG for each validation and test photo, for example
            cars_test/00001.png for cars_test/00001.jpg. A mask has the photo's aspect ratio. The module `mask_values`
            finds out which values in the masks mark the object.
        holdout: the number of training photos that become validation photos, for dogs and cars only.
        train_masks: whether to also load the masks of the training photos, which only cub and apc have.
        cache: None, or a folder that keeps the decoded photos, see `cache.cached_splits`.

    Returns:
        `Splits`. A photo's name is its path in the archive (for cars, with the class). In the dataset's own masks, grey
        128 and above is foreground. In CUB, such a pixel was marked by at least 3 of 5 annotators. The paper does not
        state a threshold.

    Raises:
        ValueError: if the dataset is not prepared, a photo or mask cannot be read, or a mask is missing or has another
            aspect ratio than its photo.
    """
    builder = prepared(source, path)
    settings: dict[str, Any] = {"resolution": resolution, "storage_size": storage_size}
    settings |= {"fit": fit, "masks": None if masks is None else str(masks)}
    settings |= {"holdout": holdout, "train_masks": train_masks}
    read = functools.partial(_read, source, builder, **settings)
    return cached_splits(
        read, cache, [builder.info.full_name, _stamps(builder.data_dir, "*"), masks and _mask_stamps(masks), settings]
    )


def held_out(
    source: str, *, path: str | os.PathLike | None = None, holdout: int | None = None
) -> Iterator[tuple[str, Image.Image]]:
    """Reads the validation and test photos of a dataset at their own size. Prepares the dataset if necessary.

    Args:
        source, path: as for `catalogue.prepare`.
        holdout: as for `load`.

    Yields:
        (name of the photo's mask file, see `load`; the photo, a PIL.Image in mode RGB).

    Raises:
        ValueError: if the dataset cannot be prepared, or a photo cannot be read.
    """
    builder = prepare(source, path)
    for split in tfds_splits(builder, holdout)[1:]:
        for batch in _batches(source, builder, split):
            for name, photo, _ in batch:
                try:
                    image = read_image(photo)
                except UnreadableImage as error:
                    raise ValueError(f"{name} cannot be read: {error}") from error
                yield mask_name(name), image


def mask_name(name: str) -> str:
    """Returns the name of a photo's mask file."""
    return os.path.splitext(name)[0] + ".png"


def _read(source, builder, *, create, resolution, storage_size, fit, masks, holdout, train_masks):
    """Reads the training photos into an array from `create`, and the other photos into memory. Returns `Splits`."""
    train, *held = tfds_splits(builder, holdout)
    own_masks = MASK in builder.info.features
    if own_masks and masks is not None:
        raise ValueError(f"masks is {masks}, allowed: None, because {source} has true masks")

    coding = None if masks is None else survey(sorted(Path(masks).rglob("*.png")))

    def photos(split, size, create, labelled):
        batches = _batches(source, builder, split, masks)
        count = builder.info.splits[split].num_examples
        squares, names = _squares(batches, count, size, create, fit=fit, labelled=labelled, coding=coding)
        return Photos(squares[..., :3], squares[..., 3] if labelled else None, names)

    labelled = own_masks or masks is not None
    # The training photos are read last, so that a missing mask for validation or test is reported early.
    validation, test = (photos(split, resolution, in_memory, labelled) for split in held)
    return Splits(photos(train, storage_size, create, train_masks and own_masks), validation, test)


def _squares(batches, count, size, create, *, fit, labelled, coding):
    """Returns the squares, uint8 [photo, size, size, channel], and the names.

    The channels are rgb and, if there are masks, the label.
    """
    squares = create((count, size, size, 4 if labelled else 3))
    read = functools.partial(_square, size=size, fit=fit, labelled=labelled, coding=coding)
    names: list[str] = []
    with ThreadPool() as pool:
        for batch in batches:
            squares[len(names) : len(names) + len(batch)] = pool.map(read, batch)
            names += [name for name, _, _ in batch]
    return squares, tuple(names)


def _square(element: Element, *, size: int, fit: str, labelled: bool, coding: Coding | None) -> np.ndarray:
    name, photo_file, mask_file = element
    if labelled and isinstance(mask_file, Path) and not mask_file.exists():
        raise ValueError(f"{mask_file}, the mask of {name}, is missing: see export/predict_masks.py")
    try:
        photo = read_image(photo_file, size=size)
        mask = _read_mask(mask_file, coding) if labelled and mask_file else None
    except UnreadableImage as error:
        raise ValueError(f"{name} or its mask cannot be read: {error}") from error
    return labelled_square(photo, mask, size=size, fit=fit, mask_name=f"the mask of {name}")


def _read_mask(file: io.BytesIO | Path, coding: Coding | None) -> Image.Image:
    return read_image(file, backdrop="black") if coding is None else read_mask(file, coding)


def _batches(source, builder, split, masks=None):
    """Yields the photos of a split as lists of `Element`, always in the same order."""
    dataset = DATASETS[source]
    images = [name for name in ("image", MASK) if name in builder.info.features]
    decoders = tfds.decode.PartialDecoding(
        dict.fromkeys((*images, *dataset.features), True), {name: tfds.decode.SkipDecoding() for name in images}
    )
    in_order = tfds.ReadConfig(interleave_cycle_length=1)
    examples = builder.as_dataset(split=split, decoders=decoders, read_config=in_order)
    for batch in examples.batch(_BATCH).as_numpy_iterator():
        rows = [dict(zip(batch, row, strict=True)) for row in zip(*batch.values(), strict=True)]
        yield [_element(row, dataset.name(row, split.split("[")[0]), masks) for row in rows]


def _element(row: dict[str, Any], name: str, masks: str | None) -> Element:
    mask_file = None if masks is None else Path(masks) / mask_name(name)
    return name, io.BytesIO(row["image"]), io.BytesIO(row[MASK]) if MASK in row else mask_file


def _mask_stamps(masks: str | os.PathLike) -> list[tuple]:
    if not Path(masks).is_dir():
        raise ValueError(f"masks is {masks}, allowed: a folder")
    return _stamps(masks, "*.png")


def _stamps(folder: str | os.PathLike, pattern: str) -> list[tuple]:
    return [(str(file), *stamp(file)) for file in sorted(Path(folder).rglob(pattern))]
