"""Fréchet Inception Distance (Heusel et al. 2017): how far two sets of pictures lie apart in Inception's features."""

import contextlib
import dataclasses
import hashlib
import os
import pathlib
import tempfile

import numpy as np
import tensorflow as tf

from tf_layered_gan.evaluation.metrics import inception_weights
from tf_layered_gan.evaluation.metrics.inception import RESOLUTION, inception
from tf_layered_gan.files import cache_folder

RESIZE = f"bilinear to {RESOLUTION} pixels as in TensorFlow 1 (corner on corner, no antialiasing)"
VERSION = 1  # of what makes features of pictures: to be raised with every change to them, as cached statistics last
_BATCH_SIZE = 32


class InceptionFeatures:
    """Computes the features that FID compares, of pictures of any size.

    They are resized as the published graph does it, see `RESIZE`: pixel i of 299 is read at i * width / 299. TF32,
    TensorFlow's default on a GPU, is off meanwhile: it cuts what is multiplied down to 10 bits after the point.

    Args:
        path: the weights, an .npz file that `metrics.inception_weights` converted.

    Attributes:
        sha256: str, the SHA-256 of that file.

    Raises:
        ValueError: see `inception_weights.load`.
    """

    def __init__(self, path):
        network = inception()
        inception_weights.load(path, network)
        self.sha256 = inception_weights.sha256(path)

        @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8)], autograph=False)
        def features(images):
            return network(resize(images) / 128.0 - 1.0, training=False)  # (pixel - 128) / 128

        self._features = features

    def __call__(self, images):
        """Computes the features of one batch.

        Args:
            images: uint8 [image, height, width, rgb].

        Returns:
            float32 [image, 2048].
        """
        with _without_tf32():
            return self._features(images).numpy()


@contextlib.contextmanager
def _without_tf32():
    """Has a GPU multiply in float32, which is a setting of the whole process, and then as before."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


def resize(images):
    """Brings pictures to the network's size, see `RESIZE`.

    Args:
        images: uint8 tensor [image, height, width, rgb].

    Returns:
        float32 tensor [image, 299, 299, rgb] in [0, 255], not rounded.
    """
    return tf.raw_ops.ResizeBilinear(
        images=images, size=[RESOLUTION, RESOLUTION], align_corners=False, half_pixel_centers=False
    )


@dataclasses.dataclass(frozen=True, eq=False)
class Statistics:
    """What FID knows of a set of pictures.

    Attributes:
        mean: float64 [feature].
        covariance: float64 [feature, feature], unbiased.
        count: int, how many pictures.
    """

    mean: np.ndarray
    covariance: np.ndarray
    count: int


def statistics(batches):
    """Computes mean and covariance of features, accumulated in float64.

    Args:
        batches: iterable of float32 [image, feature].

    Returns:
        `Statistics`.

    Raises:
        ValueError: for fewer than 2 pictures, or features that are not finite.
    """
    count, total, products = 0, 0.0, 0.0
    for batch in batches:
        features = np.asarray(batch, np.float64)
        count, total, products = count + len(features), total + features.sum(0), products + features.T @ features
    if count < 2:
        raise ValueError(f"a covariance takes 2 pictures or more, got {count}")
    if not np.isfinite(products).all():
        raise ValueError("features are not finite, so there is no FID: look for pictures or weights that are not")
    mean = total / count
    return Statistics(mean, (products - count * np.outer(mean, mean)) / (count - 1), count)


def frechet_distance(a, b):
    """Computes the squared Fréchet distance of two Gaussians, which is FID for those of Inception's features.

    |m_a - m_b|^2 + trace(C_a + C_b - 2 (C_a C_b)^(1/2)). The root's trace is the sum of the roots of the eigenvalues of
    R C_b R, R being the symmetric root of C_a; both take the eigenvalues of a symmetric matrix, of which those below
    zero are rounding errors. So covariances of fewer pictures than features, which are singular, need no help.

    Args:
        a, b: `Statistics`, of as many features.

    Returns:
        float, 0 or more up to rounding.

    Raises:
        ValueError: if they are of different features.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"both must have the same features, got {a.mean.shape} and {b.mean.shape}")
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    mixed = np.linalg.eigvalsh(root @ b.covariance @ root)
    trace = np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.sqrt(np.maximum(mixed, 0)).sum()
    return float(((a.mean - b.mean) ** 2).sum() + trace)


def image_statistics(features, images):
    """Computes the statistics of an array of pictures.

    Args:
        features: `InceptionFeatures`.
        images: uint8 [image, height, width, rgb].

    Returns:
        `Statistics`.

    Raises:
        ValueError: see `statistics`.
    """
    return statistics(features(images[i : i + _BATCH_SIZE]) for i in range(0, len(images), _BATCH_SIZE))


def cached_statistics(features, images, cache):
    """Returns what `image_statistics` returns, from the cache if it is there.

    Args:
        features: `InceptionFeatures`.
        images: uint8 [image, height, width, rgb].
        cache: folder, made where missing. An entry's name is the SHA-256 of all that defines it: the pictures' pixels
            and shape, the resize, the weights, and `VERSION`.

    Returns:
        `Statistics`.

    Raises:
        ValueError: see `statistics`; or if the entry in the cache is damaged, or the folder no cache; names it.
    """
    entry = pathlib.Path(cache) / f"{_key(features, images)}.npz"
    try:
        with open(entry, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Statistics(arrays["mean"], arrays["covariance"], int(arrays["count"]))
    except FileNotFoundError:
        computed = image_statistics(features, images)
    except Exception as error:  # what is no archive of arrays makes NumPy raise almost anything
        raise ValueError(f"{entry} is damaged: {error}; remove it, and it is computed again") from error
    cache_folder.claim(entry.parent)
    with tempfile.TemporaryDirectory(dir=entry.parent) as temporary:
        np.savez(pathlib.Path(temporary, "new.npz"), **dataclasses.asdict(computed))
        os.replace(pathlib.Path(temporary, "new.npz"), entry)  # a run that is cut off leaves no half of an entry
    return computed


def _key(features, images):
    digest = hashlib.sha256(f"{VERSION} {images.shape} {RESIZE} {features.sha256}".encode())
    digest.update(np.ascontiguousarray(images))
    return digest.hexdigest()
