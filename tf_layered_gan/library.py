"""Functions that train on a folder of photos, segment images and synthesise pairs. See docs/library.md.

This module does not import TensorFlow. Its functions import TensorFlow when they need it.
"""

import dataclasses
import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from edge_segmenter import Segmenter
from tf_layered_gan.files.paths import resolved


@dataclasses.dataclass(frozen=True, eq=False)
class Pair:
    """A synthetic image and its mask.

    Attributes:
        image: uint8 [height, width, rgb].
        mask: uint8 [height, width], 0 background to 255 foreground, soft at the edges.
    """

    image: np.ndarray
    mask: np.ndarray


def train_on_folder(
    photos: str | os.PathLike,
    workdir: str | os.PathLike,
    *,
    masks: str | os.PathLike | None = None,
    config: str = "folder",
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Trains on a folder of photos, from the last checkpoint if there is one.

    Does the same as the command `tf-layered-gan`.

    If this function runs in the main thread, training saves a checkpoint and raises SystemExit after SIGTERM, Ctrl-C or
    SIGHUP. In another thread, the calling program has to handle signals.

    Args:
        photos: the folder of photos. In every path, a leading ~ stands for the home folder.
        workdir: directory for checkpoints, figures and everything else that the run writes.
        masks: None, or a folder of true masks that the segmenter's masks are compared with, see docs/data.md.
        config: the name of a shipped config, or the path of a config file.
        settings: values of config fields by their names, such as {"schedule.rounds": 2}.

    Returns:
        dict, the content of metrics.json, see docs/evaluating.md.

    Raises:
        ValueError: a setting is wrong, the photos cannot be used, or the workdir belongs to another run.
        OSError: the disk is full.
        FloatingPointError: a loss is not finite, even after a second attempt from the last checkpoint.
    """
    from tf_layered_gan import startup  # noqa: F401
    from tf_layered_gan.config import resolve_paths, shipped, validate
    from tf_layered_gan.train import train

    given = {"data.path": os.fspath(photos), "data.masks": masks and os.fspath(masks), **(settings or {})}
    loaded = shipped.load(config, given)
    validate(loaded)
    resolve_paths(loaded)
    return train(loaded, resolved(workdir, "workdir"))


def load_segmenter(source: str | os.PathLike) -> Segmenter:
    """Loads a segmenter from the workdir of a run or from an exported .tflite file.

    TensorFlow is needed for a workdir, but not for a file.

    Args:
        source: the workdir or the file.

    Returns:
        `edge_segmenter.Segmenter`. The methods `probability`, `mask`, `cutout` and `blurred` of this class take an
        image of any size: the path of a file, a PIL.Image in mode RGB, or uint8 [height, width, rgb].

    Raises:
        FileNotFoundError: the directory holds no run, or the run has no checkpoint.
        ValueError: the run is damaged or of another version, or the file is no segmenter.
    """
    source = resolved(source, "source")
    return _RunSegmenter(source) if os.path.isdir(source) else Segmenter(source)


def synthesize_pairs(workdir: str | os.PathLike, count: int) -> Iterator[Pair]:
    """Paints pairs of image and mask with the averaged generators of a run.

    Pair i depends only on the run and on i. `tf-layered-gan --mode=synthesize` writes the same pairs to files.

    Args:
        workdir: the run's directory.
        count: number of pairs, 0 or more.

    Returns:
        Iterator over the pairs. The pairs are painted on demand, in batches.

    Raises:
        FileNotFoundError: the directory holds no run, or the run has no checkpoint.
        ValueError: the run trained no GAN or is damaged, or `count` is below 0.
    """
    from tf_layered_gan import (
        startup,  # noqa: F401
        synthesize,
    )
    from tf_layered_gan.runs.config_record import load_config

    if count < 0:
        raise ValueError(f"count is {count}, allowed: 0 or more")
    workdir = resolved(workdir, "workdir")
    painted, _ = synthesize.paint_pairs(load_config(workdir), workdir, count)
    return (Pair(image, mask) for image, mask in painted)


class _RunSegmenter(Segmenter):
    """The segmenter of a run's newest checkpoint, without an export."""

    def __init__(self, workdir: str | os.PathLike):
        from edge_segmenter.fit import fit_for_whole_photos
        from tf_layered_gan import startup  # noqa: F401
        from tf_layered_gan.evaluation.segmentation import predict_probabilities
        from tf_layered_gan.runs.config_record import load_config
        from tf_layered_gan.runs.restore import restore_network

        config = load_config(workdir)
        network = restore_network(config, pathlib.Path(workdir))
        self.resolution, self.fit, self._sharpened = config.resolution, fit_for_whole_photos(config.data.fit), False
        self.predict = lambda pixels: predict_probabilities(network, pixels)
