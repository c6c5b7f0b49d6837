"""Fréchet Inception Distance (Heusel et al. 2017): a distance between the features of two sets of images."""

import contextlib
import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

from edge_segmenter.files.atomic import replacing
from tf_layered_gan.console.progress import progress
from tf_layered_gan.evaluation.metrics import inception_weights
from tf_layered_gan.evaluation.metrics.inception import RESOLUTION, inception
from tf_layered_gan.files import cache_folder
from tf_layered_gan.files.weights import sha256

RESIZE = f"bilinear to {RESOLUTION} pixels as in TensorFlow 1 (corner on corner, no antialiasing)"
VERSION = 1  # Part of the key of cached statistics. Increase VERSION whenever the features of an image change.
_BATCH_SIZE = 32
_BLOCK = 4096  # each block except the last one holds the features of at least this many images


class InceptionFeatures:
    """Computes the features that FID compares, for images of any size.

    Images are resized as in the published graph, see `RESIZE`. Pixel i of the resized image is read at position
    i * width / 299 of the original image. On GPUs, TensorFlow uses TF32 by default. TF32 is switched off here, because
    it keeps only 10 bits of the mantissa.

    Args:
        path: the weights, an .npz file that `metrics.inception_weights` wrote.

    Attributes:
        sha256: SHA-256 of the file of weights, hexadecimal.

    Raises:
        ValueError: see `files.weights.load_weights`.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        network = inception()
        inception_weights.load(path, network)
        self.sha256 = sha256(path)

        @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8)], autograph=False)
        def features(images: tf.Tensor) -> tf.Tensor:
            return network(resize(images) / 128.0 - 1.0, training=False)  # (pixel - 128) / 128

        self._features = features

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Computes the features, float32 [image, 2048], of one batch of images, uint8 [image, height, width, rgb]."""
        with _without_tf32():
            return self._features(images).numpy()


@contextlib.contextmanager
def _without_tf32() -> Iterator[None]:
    """Switches TF32 off in the whole process, and restores the previous setting at the end."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


def resize(images: tf.Tensor) -> tf.Tensor:
    """Resizes images to the network's size, see `RESIZE`.

    Args:
        images: uint8 [image, height, width, rgb].

    Returns:
        float32 [image, 299, 299, rgb] in [0, 255], not rounded.
    """
    return tf.raw_ops.ResizeBilinear(
        images=images, size=[RESOLUTION, RESOLUTION], align_corners=False, half_pixel_centers=False
    )


@dataclasses.dataclass(frozen=True, eq=False)
class Statistics:
    """The statistics of one set of images. FID compares the statistics of two sets.

    Attributes:
        mean: float64 [feature].
        covariance: float64 [feature, feature], unbiased.
        count: number of images.
    """

    mean: np.ndarray
    covariance: np.ndarray
    count: int


def statistics(batches: Iterable[np.ndarray]) -> Statistics:
    """Computes the mean and the covariance of features. All sums are in float64.

    Args:
        batches: arrays float32 [image, feature].

    Raises:
        ValueError: if there are fewer than 2 images, or a feature is not finite.
    """
    count, total, products = 0, np.zeros(()), np.zeros(())
    for features in _blocks(batches):
        count, total, products = count + len(features), total + features.sum(0), products + features.T @ features
    if count < 2:
        raise ValueError(f"a covariance needs 2 or more images, got {count}")
    if not np.isfinite(products).all():
        raise ValueError("FID needs finite features, but some are not finite: check the images and the weights")
    mean = total / count
    return Statistics(mean, (products - count * np.outer(mean, mean)) / (count - 1), count)


def _blocks(batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Joins batches into larger blocks of float64.

    `statistics` computes a product of matrices for each block, and adds the product to a sum. If the blocks were small,
    adding the products would take longer than computing them.
    """
    waiting: list[np.ndarray] = []
    for batch in batches:
        waiting.append(np.asarray(batch, np.float64))
        if sum(map(len, waiting)) >= _BLOCK:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)


def frechet_distance(a: Statistics, b: Statistics) -> float:
    """Computes the squared Fréchet distance of two Gaussians, |m_a - m_b|^2 + trace(C_a + C_b - 2 (C_a C_b)^(1/2)).

    FID is this squared distance for the features of Inception.

    Let R be the symmetric square root of C_a. The trace of (C_a C_b)^(1/2) is the sum of the square roots of the
    eigenvalues of R C_b R. So only eigenvalues of symmetric matrices are needed. Negative eigenvalues are rounding
    errors and count as 0. The covariances may be singular, for example if there are fewer images than features.

    Returns:
        float, 0 or more except for rounding errors.

    Raises:
        ValueError: if the numbers of features differ.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"both statistics must have the same number of features, got {len(a.mean)} and {len(b.mean)}")
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    mixed = np.linalg.eigvalsh(root @ b.covariance @ root)
    trace = np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.sqrt(np.maximum(mixed, 0)).sum()
    return float(((a.mean - b.mean) ** 2).sum() + trace)


def cached_statistics(features: InceptionFeatures, images: np.ndarray, cache: str | os.PathLike) -> Statistics:
    """Computes the statistics of images, or reads them from the cache.

    Args:
        features: the feature extractor.
        images: uint8 [image, height, width, rgb].
        cache: folder of the cache, created if it is missing. The name of an entry is the SHA-256 of all inputs of the
            computation: the pixels and the shape of the images, `RESIZE`, the weights and `VERSION`.

    Raises:
        ValueError: see `statistics`. Also raised if an entry of the cache is damaged, or if the folder is not a cache.
            In these two cases the message names the path.
    """
    entry = pathlib.Path(cache) / f"{_key(features, images)}.npz"
    try:
        with open(entry, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Statistics(arrays["mean"], arrays["covariance"], int(arrays["count"]))
    except FileNotFoundError:
        computed = image_statistics(features, images)
    except Exception as error:  # if a file is not an archive, NumPy raises many kinds of errors
        raise ValueError(f"{entry} is damaged: {error}; remove it to compute the statistics again") from error
    cache_folder.claim(entry.parent)
    with replacing(entry) as written:
        np.savez(written, **dataclasses.asdict(computed))
    return computed


def image_statistics(features: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> Statistics:
    """Computes the statistics of images, uint8 [image, height, width, rgb]."""
    batches = [images[i : i + _BATCH_SIZE] for i in range(0, len(images), _BATCH_SIZE)]
    return statistics(map(features, progress(batches, "FID of the photos", len(images), size=len)))


def _key(features: InceptionFeatures, images: np.ndarray) -> str:
    digest = hashlib.sha256(f"{VERSION} {images.shape} {RESIZE} {features.sha256}".encode())
    digest.update(np.ascontiguousarray(images).data)
    return digest.hexdigest()
