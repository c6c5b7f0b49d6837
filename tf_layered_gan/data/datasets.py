"""The paper's datasets (Sec. 4, appendix C), by way of TensorFlow Datasets."""

import dataclasses
import functools
import io
import os
from collections.abc import Callable
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from tf_layered_gan.data.archives import APC_URL, Apc, Cub
from tf_layered_gan.data.cache import cached_splits
from tf_layered_gan.data.decoding import decode, labelled_square
from tf_layered_gan.data.photos import Photos, Splits

_MASK = "segmentation_mask"
_BATCH = 64  # photos decoded at a time


@dataclasses.dataclass(frozen=True)
class _Dataset:
    """What a dataset is.

    Attributes:
        builder: of TensorFlow Datasets. Has it no split "validation", that is taken from its "train"; has it no
            feature "segmentation_mask", the masks come from a folder.
        source: where the archives can be asked for.
        archives: their names.
        name: function of an example and its split to the photo's name: its path in the archive, and its class.
        features: those that the name is made of.
    """

    builder: type[tfds.core.DatasetBuilder]
    source: str
    archives: tuple[str, ...]
    name: Callable
    features: tuple[str, ...] = ("image/filename",)


def _last_two(example, split):
    return "/".join(example["image/filename"].decode().split("/")[-2:])


DATASETS = {
    "cub": _Dataset(
        Cub,
        "https://www.vision.caltech.edu/datasets/cub_200_2011/",
        ("CUB_200_2011.tgz", "segmentations.tgz"),
        name=_last_two,
    ),
    "dogs": _Dataset(
        tfds.builder_cls("stanford_dogs"),
        "http://vision.stanford.edu/aditya86/ImageNetDogs/",
        ("images.tar", "annotation.tar", "lists.tar"),
        name=_last_two,
    ),
    "cars": _Dataset(
        tfds.builder_cls("cars196"),
        "https://ai.stanford.edu/~jkrause/cars/car_dataset.html (gone; look for a mirror)",
        ("cars_train.tgz", "cars_test.tgz", "car_devkit.tgz", "cars_test_annos_withlabels.mat"),
        name=lambda example, split: f"cars_{split}/{example['id'].decode()}.jpg {example['label'] + 1:03}",
        features=("id", "label"),
    ),
    "apc": _Dataset(Apc, APC_URL, ("training.zip",), name=lambda example, split: example["image/filename"].decode()),
}


def load(
    source,
    *,
    resolution,
    storage_size,
    path=None,
    masks=None,
    holdout=None,
    train_masks=False,
    cache=None,
    prepare=True,
):
    """Reads a dataset, which is downloaded and prepared first if it isn't yet.

    Args:
        source: a name in `DATASETS`.
        resolution: pixels, the width of the validation and test photos.
        storage_size: pixels, the width of the training photos, at least `resolution`.
        path: the folder that tfds keeps its datasets in; None for its default, ~/tensorflow_datasets. Archives that
            lie in its downloads/manual are taken from there.
        masks: dogs and cars: None, or a folder with a PNG for each validation and test photo, of the photo's aspect
            ratio, 128 and more being foreground: cars_test/00001.png for cars_test/00001.jpg.
        holdout: dogs and cars: how many of the training photos are taken for validation.
        train_masks: whether the training photos come with their masks, too; cub and apc, the others have none.
        cache: None, or a folder that keeps what was decoded, see `cache.cached_splits`.
        prepare: whether a dataset that isn't prepared yet may be, which writes to `path`.

    Returns:
        `Splits`, the names being the photos' paths in the archive (cars: and the class). Of true masks, too, grey of
        128 and more is foreground; for CUB that is what 3 of 5 annotators marked, the paper names no threshold.

    Raises:
        ValueError: if the dataset cannot be had, or a mask is missing or has another aspect ratio than its photo.
    """
    builder = prepare_dataset(source, path) if prepare else _prepared(source, path)
    settings = {"resolution": resolution, "storage_size": storage_size}
    settings |= {"masks": None if masks is None else str(masks), "holdout": holdout, "train_masks": train_masks}
    read = functools.partial(_read, source, builder, **settings)
    return cached_splits(
        read, cache, [builder.info.full_name, _stamps(builder.data_dir, "*"), masks and _mask_stamps(masks), settings]
    )


def held_out(source, *, path=None, holdout=None):
    """Reads a dataset's photos for validation and test as they are.

    Args:
        source, path, holdout: see `load`.

    Yields:
        (name of its mask file, see `load`; the photo, a PIL image, RGB), of one photo after the other.

    Raises:
        ValueError: if the dataset cannot be had, or a photo cannot be read.
    """
    builder = prepare_dataset(source, path)
    for split in _tfds_splits(builder, holdout)[1:]:
        for batch in _batches(source, builder, split):
            for name, photo, _ in batch:
                try:
                    photo = decode(photo)
                except Exception as error:  # broken files make Pillow's decoders raise almost anything
                    raise ValueError(f"{name} cannot be read: {type(error).__name__}: {error}") from error
                yield mask_name(name), photo


def mask_name(name):
    """Returns the name of a photo's mask file."""
    return os.path.splitext(name)[0] + ".png"


def _prepared(source, path):
    builder = DATASETS[source].builder(data_dir=path)
    if not builder.is_prepared():
        raise ValueError(f"{source} is not prepared in {builder.data_dir_root}, which training does (--mode=train)")
    return builder


def prepare_dataset(source, path=None):
    """Downloads and prepares a dataset, if it isn't yet.

    Args:
        source, path: see `load`.

    Returns:
        tfds.core.DatasetBuilder.

    Raises:
        ValueError: if the dataset cannot be had.
    """
    dataset = DATASETS[source]
    builder = dataset.builder(data_dir=path)
    if builder.is_prepared():
        return builder
    downloads = Path(builder.data_dir_root) / "downloads"
    by_hand = f"put {', '.join(dataset.archives)} into {downloads / 'manual'} by hand; their home is {dataset.source}"
    logging.info("preparing %s; if what it takes cannot be downloaded, %s", source, by_hand)
    try:
        builder.download_and_prepare(
            download_dir=downloads, download_config=tfds.download.DownloadConfig(try_download_gcs=False)
        )
    except Exception as error:  # of requests, tfds and the archives' formats
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{source} could not be prepared: {reason}\nIf it cannot be downloaded, {by_hand}") from error
    return builder


def _tfds_splits(builder, holdout):
    """The splits in tfds's words. Its order within one is random, but always the same."""
    if "validation" in builder.info.splits:
        return "train", "validation", "test"
    if not 1 <= holdout < builder.info.splits["train"].num_examples:
        allowed = builder.info.splits["train"].num_examples - 1
        raise ValueError(f"holdout must be from 1 to {allowed} photos, got {holdout}")
    return f"train[{holdout}:]", f"train[:{holdout}]", "test"


def _read(source, builder, *, create, resolution, storage_size, masks, holdout, train_masks):
    """Reads the training photos into `create(shape)`, the others into memory; returns `Splits`."""
    train, *held = _tfds_splits(builder, holdout)
    own_masks = _MASK in builder.info.features
    if own_masks and masks is not None:
        raise ValueError(f"{source} has true masks, so masks must be None, got {masks}")
    labelled, in_memory = own_masks or masks is not None, functools.partial(np.empty, dtype=np.uint8)

    def photos(split, size, create, labelled):
        batches = _batches(source, builder, split, masks)
        squares, names = _squares(batches, builder.info.splits[split].num_examples, size, create, labelled)
        return Photos(squares[..., :3], squares[..., 3] if labelled else None, names)

    validation, test = (
        photos(split, resolution, in_memory, labelled) for split in held
    )  # first: a mask may be missing
    train = photos(train, storage_size, create, labelled=train_masks and own_masks)
    return Splits(train=train, validation=validation, test=test)


def _squares(batches, count, size, create, labelled):
    """uint8 [photo, size, size, rgb and perhaps label] in `create(shape)`, and the names."""
    squares = create((count, size, size, 4 if labelled else 3))
    read, names = functools.partial(_square, size=size, labelled=labelled), []
    with ThreadPool() as pool:
        for batch in batches:
            squares[len(names) : len(names) + len(batch)] = pool.map(read, batch)
            names += [name for name, _, _ in batch]
    return squares, tuple(names)


def _square(element, *, size, labelled):
    name, photo, mask = element
    try:
        photo = decode(photo, size=size)
        mask = decode(mask, backdrop="black") if labelled else None
    except FileNotFoundError as error:
        raise ValueError(f"{error.filename}, the mask of {name}, is missing: see export/predict_masks.py") from error
    except Exception as error:  # broken files make Pillow's decoders raise almost anything
        raise ValueError(f"{name} or its mask cannot be read: {type(error).__name__}: {error}") from error
    return labelled_square(photo, mask, size=size, mask_name=f"the mask of {name}")


def _batches(source, builder, split, masks=None):
    """Yields lists of (name, file of the photo, file of its mask or None), always in the same order."""
    dataset = DATASETS[source]
    pictures = [name for name in ("image", _MASK) if name in builder.info.features]
    decoders = tfds.decode.PartialDecoding(
        dict.fromkeys((*pictures, *dataset.features), True), {name: tfds.decode.SkipDecoding() for name in pictures}
    )
    in_order = tfds.ReadConfig(interleave_cycle_length=1)
    examples = builder.as_dataset(split=split, decoders=decoders, read_config=in_order)
    for batch in examples.batch(_BATCH).as_numpy_iterator():
        rows = [dict(zip(batch, row, strict=True)) for row in zip(*batch.values(), strict=True)]
        names = [dataset.name(row, split.split("[")[0]) for row in rows]
        yield [
            (name, io.BytesIO(row["image"]), _mask_file(name, row.get(_MASK), masks))
            for name, row in zip(names, rows, strict=True)
        ]


def _mask_file(name, own, masks):
    if own is not None:
        return io.BytesIO(own)
    return None if masks is None else Path(masks) / mask_name(name)


def _mask_stamps(masks):
    if not Path(masks).is_dir():
        raise ValueError(f"masks must be a folder, got {masks}")
    return _stamps(masks, "*.png")


def _stamps(folder, pattern):
    """What tells files from others of the same names, without reading them."""
    return [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in sorted(Path(folder).rglob(pattern))]
