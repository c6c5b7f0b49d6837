"""The paper's datasets (Sec. 4, appendix C) and their preparation by TensorFlow Datasets."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds
from absl import logging

from tf_layered_gan.data.paper_datasets.builders import APC_URL, Apc, Cub

MASK = "segmentation_mask"


@dataclasses.dataclass(frozen=True)
class Dataset:
    """One dataset.

    Attributes:
        builder: the builder for TensorFlow Datasets. If the dataset has no split "validation", validation photos are
            taken from "train". If the examples have no feature `MASK`, masks come from a folder.
        source: web page from which users can get the archives.
        archives: the names of the archives.
        name: function that takes an example and its split, and returns the photo's name. The name contains the photo's
            class and path in the archive.
        features: the features that `name` reads from an example.
    """

    builder: type[tfds.core.DatasetBuilder]
    source: str
    archives: tuple[str, ...]
    name: Callable[[dict[str, Any], str], str]
    features: tuple[str, ...] = ("image/filename",)


def _last_two(example: dict[str, Any], split: str) -> str:
    return "/".join(example["image/filename"].decode().split("/")[-2:])


DATASETS = {
    "cub": Dataset(
        Cub,
        "https://www.vision.caltech.edu/datasets/cub_200_2011/",
        ("CUB_200_2011.tgz", "segmentations.tgz"),
        name=_last_two,
    ),
    "dogs": Dataset(
        tfds.builder_cls("stanford_dogs"),
        "http://vision.stanford.edu/aditya86/ImageNetDogs/",
        ("images.tar", "annotation.tar", "lists.tar"),
        name=_last_two,
    ),
    "cars": Dataset(
        tfds.builder_cls("cars196"),
        "https://ai.stanford.edu/~jkrause/cars/car_dataset.html (this page is gone; look for a mirror)",
        ("cars_train.tgz", "cars_test.tgz", "car_devkit.tgz", "cars_test_annos_withlabels.mat"),
        name=lambda example, split: f"cars_{split}/{example['id'].decode()}.jpg {example['label'] + 1:03}",
        features=("id", "label"),
    ),
    "apc": Dataset(Apc, APC_URL, ("training.zip",), name=lambda example, split: example["image/filename"].decode()),
}


def _dataset(source: str) -> Dataset:
    if source not in DATASETS:
        raise ValueError(f"data.source is {source}, allowed: folder, shapes, {', '.join(DATASETS)}")
    return DATASETS[source]


def prepare(source: str, path: str | os.PathLike | None = None) -> tfds.core.DatasetBuilder:
    """Downloads and prepares a dataset, unless it is prepared already.

    Args:
        source: a name in `DATASETS`.
        path: the folder where TensorFlow Datasets keeps its datasets; None for its default, ~/tensorflow_datasets. An
            archive that is already in the subfolder downloads/manual is not downloaded.

    Raises:
        ValueError: if there is no such dataset, or it cannot be prepared. The message says which files the user can
            download by hand, and where to put them.
    """
    dataset = _dataset(source)
    builder = dataset.builder(data_dir=path)
    if builder.is_prepared():
        return builder
    downloads = Path(builder.data_dir_root) / "downloads"
    by_hand = f"put {', '.join(dataset.archives)} into {downloads / 'manual'} by hand; "
    by_hand += f"these files come from {dataset.source}"
    logging.info("preparing %s; if an archive cannot be downloaded, %s", source, by_hand)
    try:
        builder.download_and_prepare(
            download_dir=downloads, download_config=tfds.download.DownloadConfig(try_download_gcs=False)
        )
    except Exception as error:  # requests, TensorFlow Datasets and readers of archives raise almost any error
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{source} could not be prepared: {reason}\nIf it cannot be downloaded, {by_hand}") from error
    return builder


def prepared(source: str, path: str | os.PathLike | None = None) -> tfds.core.DatasetBuilder:
    """Returns the builder of a dataset that has been prepared, see `prepare`. Writes nothing.

    Raises:
        ValueError: if there is no such dataset, or it is not prepared.
    """
    builder = _dataset(source).builder(data_dir=path)
    if not builder.is_prepared():
        raise ValueError(f"{source} is not prepared in {builder.data_dir_root}: --mode=train prepares it")
    return builder


def tfds_splits(builder: tfds.core.DatasetBuilder, holdout: int | None) -> tuple[str, str, str]:
    """Returns the splits for training, validation and test in the notation of TensorFlow Datasets.

    Args:
        builder: the builder of a prepared dataset.
        holdout: number of training photos that become validation photos, if the dataset has no split "validation". The
            order of photos in a split is random, but always the same.

    Raises:
        ValueError: if `holdout` is out of range.
    """
    if "validation" in builder.info.splits:
        return "train", "validation", "test"
    most = builder.info.splits["train"].num_examples - 1
    if holdout is None or not 1 <= holdout <= most:
        raise ValueError(f"holdout is {holdout}, allowed: 1 to {most} photos")
    return f"train[{holdout}:]", f"train[:{holdout}]", "test"
