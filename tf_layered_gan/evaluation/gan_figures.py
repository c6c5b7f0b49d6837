"""The GAN's pictures, measured against the real photos."""

import numpy as np
import tensorflow as tf

from tf_layered_gan.evaluation.metrics import fid
from tf_layered_gan.evaluation.metrics.clustering import clustering_metrics
from tf_layered_gan.evaluation.segmentation import to_model_range
from tf_layered_gan.models.layered_gan import FULL


def evaluate_fid(gan, sample, splits, inception, *, samples, cache):
    """Computes FID of the composed pictures and of the backgrounds alone, both by the averaged generators.

    bg-FID far above FID is a sign of health: backgrounds are then not the whole picture (paper, Table 1). The
    composed pictures are perturbed, as D sees them, the backgrounds are as painted; both rounded to whole pixel values.

    Args:
        gan: LayeredGAN.
        sample: function of a step, int64 scalar, to the draws of a batch, see `LayeredGAN`.
        splits: `data.photos.Splits`. The reference is all photos, at the GAN's resolution.
        inception: `fid.InceptionFeatures`.
        samples: how many pictures of each kind, steps 0, 1, ... of `sample`.
        cache: folder for the statistics of the photos, see `fid.cached_statistics`.

    Returns:
        dict: "fid" and "bg_fid", floats; and what they cannot be compared without: "samples", "reference",
        "reference_pictures", "resize" and "inception_sha256", the SHA-256 of the file of weights.
    """
    photos, stored = reference_photos(splits, gan.resolution), splits.train.images.shape[1]
    reference = fid.cached_statistics(inception, photos, cache)

    def distance(layer):
        painted = fid.statistics(map(inception, _paint(gan, sample, layer, samples)))
        return fid.frechet_distance(painted, reference)

    return {
        "fid": distance("composed"),
        "bg_fid": distance("background"),
        "samples": samples,
        "reference": f"all photos at {gan.resolution}x{gan.resolution}: those to train on by way of {stored}x{stored}, "
        "those for validation and for the test at once",
        "reference_pictures": len(photos),
        "resize": fid.RESIZE,
        "inception_sha256": inception.sha256,
    }


def reference_photos(splits, resolution, batch_size=64):
    """Brings all photos to one size: those to train on, which are larger, without a random crop.

    Photos to train on are resampled twice: their file is shrunk to the storage size, which is rounded to whole pixel
    values, and that here to `resolution`. The others were shrunk from their file to `resolution` at once. All three are
    bilinear with antialiasing, so photos to train on come a little softer.

    Args:
        splits: `data.photos.Splits`.
        resolution: pixels.
        batch_size: photos at a time.

    Returns:
        uint8 [photo, resolution, resolution, rgb]: training, validation, test photos.
    """
    batches = []
    for images in (splits.train.images, splits.validation.images, splits.test.images):
        for i in range(0, len(images), batch_size):
            batch = tf.image.resize(images[i : i + batch_size], (resolution, resolution), antialias=True)
            batches.append(np.round(batch).astype(np.uint8))
    return np.concatenate(batches)


def _paint(gan, sample, layer, count):
    """Yields `count` pictures in batches, uint8 [batch, height, width, rgb]."""
    paint = tf.function(lambda step: (gan.synthesize(sample(step))[layer] + 1) * 127.5, autograph=False)
    step = 0
    while count > 0:
        pictures = np.round(paint(tf.constant(step, tf.int64)).numpy()[:count]).astype(np.uint8)
        yield pictures
        step, count = step + 1, count - len(pictures)


def evaluate_synthetic_masks(gan, sample, batches=32):
    """Measures the masks that the averaged generators paint, to tell a collapse where nothing else does.

    Args:
        gan: LayeredGAN.
        sample: function of a step, int64 scalar, to the draws of a batch, see `LayeredGAN`.
        batches: how many to paint, steps 0, 1, ... of `sample`.

    Returns:
        dict: "mask_mean", the share of the picture that masks cover before perturbation, near 0 for "all as
        background", near 1 for "all as foreground"; "mask_spread", its standard deviation over the pictures;
        "masks_full", the share of masks that fill the picture; and "pictures", an int.
    """
    paint = tf.function(lambda step: tf.reduce_mean(gan.synthesize(sample(step))["mask"], (1, 2, 3)), autograph=False)
    means = np.concatenate([paint(tf.constant(step, tf.int64)).numpy() for step in range(batches)])
    return {
        "mask_mean": float(means.mean()),
        "mask_spread": float(means.std()),
        "masks_full": float((means > FULL).mean()),
        "pictures": len(means),
    }


def evaluate_clusters(discriminator, splits, classes):
    """Takes E_x for a clustering of all photos, also those trained on, and measures it against classes (Sec. 4).

    Args:
        discriminator: D with E_x, see `networks.discriminator`.
        splits: `data.photos.Splits`.
        classes: see `photo_classes`.

    Returns:
        dict, see `metrics.clustering.clustering_metrics`.
    """
    photos = (splits.train, splits.validation, splits.test)
    return clustering_metrics(np.concatenate([_cluster(discriminator, split.images) for split in photos]), classes)


def _cluster(discriminator, images, batch_size=64):
    size = discriminator.input_shape[1:3]
    clusters = [np.zeros(0, np.int64)]
    for i in range(0, len(images), batch_size):
        batch = tf.image.resize(to_model_range(images[i : i + batch_size]), size, antialias=True)
        clusters.append(np.argmax(discriminator(batch, training=False)[1], axis=-1))
    return np.concatenate(clusters)


def build_inception(config):
    """Returns the `fid.InceptionFeatures` of the weights that `config.metrics` names, None without these or a GAN.

    Raises:
        ValueError: for a file that does not hold the weights.
    """
    path = config.metrics.inception
    return None if path is None or config.segmenter.supervised else fid.InceptionFeatures(path)
