"""A process that runs this program's part of each comparison when `compare.py` asks for it.

`benchmarks.speed.turns` starts this process and passes the requests to it.

    python -m benchmarks.speed.after_training.ours FOLDER THREADS MODEL EDGE_COUNT

First it writes the inputs of both sides to FOLDER. FOLDER/photos must already contain the photos.
"""

import functools
import itertools
import pathlib
import sys
from typing import Any

from tf_layered_gan import startup  # noqa: F401  # isort: skip

import numpy as np
import tensorflow as tf
from PIL import Image

from benchmarks.speed.after_training.rows import LARGER, PIXELS, Inputs, write_arrays
from benchmarks.speed.turns import serve
from edge_segmenter.command.run import run
from edge_segmenter.files.images import read_image
from edge_segmenter.fit import to_square
from tf_layered_gan.data.folder import reading
from tf_layered_gan.evaluation.metrics import fid, segmentation
from tf_layered_gan.evaluation.metrics.inception import inception

_BATCH = 32  # images in a batch, as in `fid`


class Ours:
    """The functions that run this program's part of each comparison."""

    def __init__(self, inputs: Inputs, model: str):
        self._inputs, self._model = inputs, model
        self._array = functools.cache(inputs.array)
        self._network = functools.cache(lambda: fid.InceptionFeatures(inputs.weights))
        self._turns = itertools.count()

    def features(self) -> list:
        """Returns the features of all images."""
        return self._network()(self._array("images")).tolist()

    def statistics(self) -> list:
        """Returns the mean and the variance of each feature."""
        features = self._array("features0")
        found = fid.statistics(features[i : i + _BATCH] for i in range(0, len(features), _BATCH))
        return [found.mean.tolist(), np.diag(found.covariance).tolist()]

    def distance(self) -> float:
        """Returns the FID between two sets of features."""
        pair = [fid.Statistics(self._array(f"mean{i}"), self._array(f"covariance{i}"), 0) for i in "01"]
        return fid.frechet_distance(*pair)

    def ari(self) -> list:
        """Returns the adjusted Rand index of each mask."""
        return segmentation.adjusted_rand_index(self._confusion()).tolist()

    def covering(self) -> list:
        """Returns the segmentation covering of each mask."""
        return segmentation.segment_covering(self._confusion()).tolist()

    def decode(self) -> list:
        """Decodes the photos at the training size. Returns the mean colour of each photo."""
        return _mean_colours([_square(path) for path in self._inputs.photos])

    def medium(self) -> list:
        """Does what `decode` does, with photos of 500 x 375 pixels."""
        return _mean_colours([_square(path) for path in self._inputs.enlarged("medium")])

    def camera(self) -> list:
        """Does what `decode` does, with photos of 4000 x 3000 pixels."""
        return _mean_colours([_square(path) for path in self._inputs.enlarged("camera")])

    def folder(self) -> list:
        """Reads the folder of photos as training does, but without a cache. Returns the mean colour of each photo."""
        path = pathlib.Path(self._inputs.photos[0]).parent
        found = reading.load(path, resolution=PIXELS, storage_size=PIXELS, fit="squeeze", holdout=2)
        photos = [
            (name, image)
            for split in (found.train, found.validation, found.test)
            for name, image in zip(split.names, split.images, strict=True)
        ]
        return _mean_colours([image for _, image in sorted(photos, key=lambda photo: photo[0])])

    def edge(self) -> int:
        """Segments the next photos with `edge-segmenter`. Returns 0 if the command succeeded."""
        photos = self._inputs.edge_photos(next(self._turns))
        flags = ["--model", self._model, "--output", str(self._inputs.output("ours")), "--kind", "mask"]
        return run(["segment", *flags, "--input", *photos])

    def _confusion(self) -> np.ndarray:
        return segmentation.confusion_matrices(self._array("predicted"), self._array("truth"))


def _square(path: str) -> np.ndarray:
    return to_square(read_image(path, size=PIXELS), PIXELS, "squeeze")[0]


def _mean_colours(images: list[np.ndarray]) -> list:
    return np.stack(images).mean((1, 2)).tolist()


def write_inception(path: pathlib.Path) -> None:
    """Writes random weights for Inception, under the names that `metrics.inception_weights` uses."""
    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for layer in inception().layers:
        for weight in layer.weights:
            name, shape = weight.name, tuple(weight.shape)
            values = random.normal(0, 0.1, shape) if name != "moving_variance" else random.uniform(0.5, 1.5, shape)
            if name == "kernel":
                name, values = "conv2d_params", values * 10 * np.sqrt(2 / np.prod(shape[:-1]))
            arrays[f"{layer.name.replace('.', '/')}/{name}"] = values.astype(np.float32)
    np.savez(path, **arrays)


def write_larger_photos(photos: list[str], folder: pathlib.Path) -> None:
    """Enlarges photos to the sizes in `LARGER` and writes them as JPEG."""
    for name, (size, count) in LARGER.items():
        (folder / name).mkdir()
        for i, path in enumerate(photos[:count]):
            read_image(path).resize(size, Image.Resampling.BICUBIC).save(folder / name / f"{i:03}.jpg", quality=90)


def main(folder: str, threads: str, model: str, edge_count: str) -> None:
    """Writes the inputs and serves requests."""
    tf.config.threading.set_intra_op_parallelism_threads(int(threads))
    tf.config.threading.set_inter_op_parallelism_threads(int(threads))
    write_arrays(folder, int(edge_count))
    write_inception(Inputs(folder).weights)
    write_larger_photos(Inputs(folder).photos, pathlib.Path(folder))
    ours = Ours(Inputs(folder), model)
    names = [name for name in vars(Ours) if not name.startswith("_")]
    serve({name: getattr(ours, name) for name in names})


if __name__ == "__main__":
    main(*sys.argv[1:])
