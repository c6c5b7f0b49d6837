"""Figures of the GAN: FID of its images, statistics of its masks, and NMI of E_x's clusters."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ml_collections import ConfigDict

from tf_layered_gan.console.progress import progress
from tf_layered_gan.data.photos import Splits
from tf_layered_gan.evaluation.metrics import fid, variety
from tf_layered_gan.evaluation.metrics.clustering import clustering_metrics
from tf_layered_gan.evaluation.segmentation import to_model_range
from tf_layered_gan.models.layered_gan import FULL, LayeredGAN

_BATCH_SIZE = 64
_MOST_MASKS = 1_024
_CROSSED, _CROSSED_GROUPS = 8, 4
Sampler = Callable[[tf.Tensor], dict[str, tf.Tensor]]


def evaluate_fid(
    gan: LayeredGAN,
    sample: Sampler,
    splits: Splits,
    inception: fid.InceptionFeatures,
    *,
    samples: int,
    cache: str | os.PathLike,
) -> dict[str, Any]:
    """Computes FID of the composed images, and bg-FID of the backgrounds alone, with the averaged generators.

    A bg-FID far above FID is a good sign, because it means that the backgrounds alone do not look like photos (paper,
    Table 1). The composed images are perturbed, as in the training of D. The backgrounds are not perturbed. All images
    are rounded to whole pixel values. The synthetic images are compared with all photos at the GAN's resolution, see
    `reference_photos`.

    Args:
        gan: the GAN.
        sample: function that takes a step, int64 scalar, and returns the random inputs of a batch, see
            `sampling.build_sampler`.
        splits: the photos.
        inception: the feature extractor.
        samples: number of composed images, and also number of backgrounds. The batches of inputs are `sample(0)`,
            `sample(1)`, ...
        cache: folder for the statistics of the photos, see `fid.cached_statistics`.

    Returns:
        dict with the floats "fid" and "bg_fid". It also has the settings that must be equal when two FIDs are compared:
        "samples", "reference", "reference_pictures" (the number of photos), "resize", and "inception_sha256", the
        SHA-256 of the file of weights.
    """
    photos, stored = reference_photos(splits, gan.resolution), splits.train.images.shape[1]
    reference = fid.cached_statistics(inception, photos, cache)

    def distance(layer: str) -> float:
        images = progress(_synthesize(gan, sample, layer, samples), f"FID of {layer} images", samples, size=len)
        synthetic = fid.statistics(map(inception, images))
        return fid.frechet_distance(synthetic, reference)

    return {
        "fid": distance("composed"),
        "bg_fid": distance("background"),
        "samples": samples,
        # This text identifies the reference photos. FIDs with different texts are not compared, so never reword it.
        "reference": f"all photos at {gan.resolution}x{gan.resolution}: those to train on by way of {stored}x{stored}, "
        "those for validation and for the test at once",
        "reference_pictures": len(photos),
        "resize": fid.RESIZE,
        "inception_sha256": inception.sha256,
    }


def reference_photos(splits: Splits, resolution: int) -> np.ndarray:
    """Resizes all photos to one size, without the random crop of training.

    Training photos are resized twice: first from the file to the storage size (rounded to whole pixel values), then to
    `resolution`. Validation and test photos were resized from the file to `resolution` in one step. So the training
    photos are slightly softer than the other photos. Photos are always resized bilinearly with antialiasing.

    Args:
        splits: the photos.
        resolution: side of the result in pixels.

    Returns:
        uint8 [photo, resolution, resolution, rgb]: the training photos, the validation photos and then the test photos.
    """
    batches = []
    for images in (splits.train.images, splits.validation.images, splits.test.images):
        for i in range(0, len(images), _BATCH_SIZE):
            batch = tf.image.resize(images[i : i + _BATCH_SIZE], (resolution, resolution), antialias=True)
            batches.append(np.round(batch).astype(np.uint8))
    return np.concatenate(batches)


def _synthesize(gan: LayeredGAN, sample: Sampler, layer: str, count: int) -> Iterator[np.ndarray]:
    """Yields `count` images of a layer in batches, uint8 [batch, height, width, rgb]."""
    paint = tf.function(lambda step: (gan.synthesize(sample(step))[layer] + 1) * 127.5, autograph=False)
    step = 0
    while count > 0:
        images = np.round(paint(tf.constant(step, tf.int64)).numpy()[:count]).astype(np.uint8)
        yield images
        step, count = step + 1, count - len(images)


def evaluate_synthetic_masks(gan: LayeredGAN, sample: Sampler, batches: int = 32) -> dict[str, Any]:
    """Measures the masks of the averaged generators before perturbation, to show whether the GAN has collapsed.

    The shares of the variance (see `variety.variance_shares`) are computed from the first 4 batches, with at most
    8 codes and 8 z per batch.

    Args:
        gan: the GAN.
        sample: function that takes a step, int64 scalar, and returns the random inputs of a batch, see
            `sampling.build_sampler`.
        batches: greatest number of batches. The batches are `sample(0)`, `sample(1)`, ... At most 1,024 images are
            used, because the variety is computed from all pairs of masks.

    Returns:
        dict. "mask_mean" is the mean share of the image that a mask covers. It is near 0 if masks are empty, and near 1
        if they fill the image. "mask_spread" is the standard deviation of this share over the images. "masks_full" is
        the share of masks that fill the image. "pictures" is the number of images. The dict also has the figures of
        `variety.mask_variety` and `variety.variance_shares`.
    """

    paint = tf.function(lambda step: gan.synthesize(sample(step))["mask"][..., 0], autograph=False)
    cross = tf.function(lambda step: crossed_masks(gan.average_foreground_generator, sample(step)), autograph=False)
    masks = [paint(tf.constant(0, tf.int64))]
    masks += [paint(tf.constant(step, tf.int64)) for step in range(1, min(batches, -(-_MOST_MASKS // len(masks[0]))))]
    compared = np.concatenate(masks)[:_MOST_MASKS]
    crossed = np.stack([cross(tf.constant(step, tf.int64)) for step in range(min(batches, _CROSSED_GROUPS))])
    means = compared.mean((1, 2))
    return {
        "mask_mean": float(means.mean()),
        "mask_spread": float(means.std()),
        "masks_full": float((means > FULL).mean()),
        "pictures": len(means),
        **variety.mask_variety(compared),
        **variety.variance_shares(crossed),
    }


def crossed_masks(foreground_generator: keras.Model, draws: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Paints a mask for every combination of the first codes (at most 8) and the first z (at most 8).

    Args:
        foreground_generator: G_f, see `networks.generator`.
        draws: the random inputs of a batch, see `sampling.build_sampler`.

    Returns:
        float32 [code, z, height, width] in [0, 1].
    """
    count = min(_CROSSED, draws["c"].shape[0])
    z = tf.tile(draws["foreground_z"][:count], (count, 1))
    c_sup, c = (tf.repeat(draws[name][:count], count, axis=0) for name in ("c_sup", "c"))
    _, mask = foreground_generator([z, c_sup, c], training=False)
    return tf.reshape(mask, (count, count, *mask.shape[1:3]))


def evaluate_clusters(discriminator: keras.Model, splits: Splits, classes: Sequence[str]) -> dict[str, Any]:
    """Compares the classes of all photos with the clusters of the photos.

    The cluster of a photo is its most likely category according to E_x (Sec. 4).

    Args:
        discriminator: D with E_x, see `networks.discriminator`.
        splits: the photos.
        classes: class of each photo, see `labels.photo_classes`.

    Returns:
        dict, see `metrics.clustering.clustering_metrics`.
    """
    photos = [split.images for split in (splits.train, splits.validation, splits.test)]
    return clustering_metrics(photo_clusters(discriminator, photos), classes)


def photo_clusters(discriminator: keras.Model, photos: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the most likely category of each photo according to E_x.

    Args:
        discriminator: D with E_x, see `networks.discriminator`.
        photos: arrays of photos of any width, uint8 [photo, width, width, rgb].

    Returns:
        int [photo], in the order of the arrays.
    """
    # D may need batches of a certain size, but E_x does not.
    encoder = keras.Model(discriminator.input, discriminator.output[1])
    return np.concatenate([_cluster(encoder, images) for images in photos])


def _cluster(encoder: keras.Model, images: np.ndarray) -> np.ndarray:
    size = encoder.input_shape[1:3]
    clusters = [np.zeros(0, np.int64)]
    for i in range(0, len(images), _BATCH_SIZE):
        batch = tf.image.resize(to_model_range(images[i : i + _BATCH_SIZE]), size, antialias=True)
        clusters.append(np.argmax(encoder(batch, training=False), axis=-1))
    return np.concatenate(clusters)


def build_inception(config: ConfigDict) -> fid.InceptionFeatures | None:
    """Loads the weights that `config.metrics.inception` names.

    Returns None if the field names no file, or if the run has no GAN.

    Raises:
        ValueError: if the file does not hold the weights.
    """
    path = config.metrics.inception
    return None if path is None or config.segmenter.supervised else fid.InceptionFeatures(path)
