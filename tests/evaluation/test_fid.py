import pathlib

import numpy as np
import pytest
import tensorflow as tf
from inception_arrays import two_images
from mean_colour import MeanColour

from tf_layered_gan.evaluation.metrics import fid
from tf_layered_gan.evaluation.metrics.fid import (
    Statistics,
    cached_statistics,
    frechet_distance,
    resize,
    statistics,
)

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "inception.npz"


def noise(count, size=4, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)


def gaussian(mean, covariance):
    return Statistics(np.array(mean, float), np.array(covariance, float), 10)


@pytest.mark.parametrize(
    "a, b, distance",
    [
        (gaussian([0], [[1]]), gaussian([3], [[4]]), 3**2 + 1 + 4 - 2 * 2),
        (gaussian([0, 0], np.diag([1, 4])), gaussian([1, 2], np.diag([9, 1])), 1 + 4 + (1 - 3) ** 2 + (2 - 1) ** 2),
        # The square root of a 2x2 matrix M has the trace (trace(M) + 2 det(M)^(1/2))^(1/2).
        # Here M = C_a C_b is [[2, 4], [1, 8]].
        (gaussian([0, 0], [[2, 1], [1, 2]]), gaussian([0, 0], np.diag([1, 4])), 9 - 2 * (10 + 2 * 12**0.5) ** 0.5),
        # The covariances are singular, which happens if there are fewer images than features. The product C_a C_b is
        # [[0, 0], [1, 1]]. It is its own square root.
        (gaussian([0, 0], np.diag([0, 1])), gaussian([0, 0], [[1, 1], [1, 1]]), 1 + 2 - 2 * 1),
        (gaussian([5, 5], np.zeros((2, 2))), gaussian([5, 6], np.zeros((2, 2))), 1),
    ],
)
def test_distance_of_known_gaussians(a, b, distance):
    assert frechet_distance(a, b) == pytest.approx(distance)
    assert frechet_distance(b, a) == pytest.approx(distance)


def test_refuses_different_numbers_of_features():
    with pytest.raises(ValueError, match="same number of features, got 1 and 2"):
        frechet_distance(gaussian([0], [[1]]), gaussian([0, 0], np.eye(2)))


def test_statistics_are_over_all_batches():
    features = np.random.default_rng(0).normal(100, 1, (10, 4)).astype(np.float32)
    result = statistics([features[:3], features[3:9], features[9:]])
    assert result.count == 10 and result.mean.dtype == result.covariance.dtype == np.float64
    np.testing.assert_allclose(result.mean, features.mean(0, dtype=np.float64), rtol=1e-12)
    np.testing.assert_allclose(result.covariance, np.cov(features.astype(np.float64), rowvar=False), atol=1e-10)


def test_refuses_a_single_image():
    with pytest.raises(ValueError, match="a covariance needs 2 or more images, got 1"):
        statistics([np.zeros((1, 4))])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_refuses_features_that_are_not_finite(value):
    with pytest.raises(ValueError, match="FID needs finite features"):
        statistics([np.ones((2, 3)), np.full((1, 3), value)])


def test_resize_is_that_of_tensorflow_1():
    resized = resize(tf.constant([[[[0, 0, 0], [100, 50, 0]]]], tf.uint8)).numpy()
    assert resized.shape == (1, 299, 299, 3) and resized.dtype == np.float32
    # Column i of the 299 new columns is read at position 2 i / 299 of the old image. Beyond the last old pixel, the
    # last pixel is repeated.
    np.testing.assert_allclose(resized[0, 7, [0, 50, 149, 150, 298], 0], [0, 10000 / 299, 29800 / 299, 100, 100], 1e-5)


def test_features_equal_those_of_the_torchscript(features):
    np.testing.assert_allclose(features(two_images()), np.load(GOLDEN)["features"], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("before", [True, False])
def test_features_are_computed_without_tf32_and_the_setting_is_restored(features, monkeypatch, before):
    seen = []

    def compute(images):
        seen.append(tf.config.experimental.tensor_float_32_execution_enabled())
        if len(images) == 0:
            raise RuntimeError("no images")
        return tf.zeros([len(images), 2048])

    monkeypatch.setattr(features, "_features", compute)
    default = tf.config.experimental.tensor_float_32_execution_enabled()
    try:
        tf.config.experimental.enable_tensor_float_32_execution(before)
        features(noise(1))
        assert tf.config.experimental.tensor_float_32_execution_enabled() == before
        with pytest.raises(RuntimeError, match="no images"):
            features(noise(0))
        assert tf.config.experimental.tensor_float_32_execution_enabled() == before
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(default)
    assert seen == [False, False]


def test_cached_statistics_are_not_computed_again(tmp_path):
    inception, images = MeanColour(), noise(40)
    first = cached_statistics(inception, images, tmp_path / "fid")
    batches = len(inception.seen)
    second = cached_statistics(inception, images.copy(), tmp_path / "fid")
    assert len(inception.seen) == batches > 1
    assert (first.count, second.count) == (40, 40)
    np.testing.assert_array_equal(second.mean, images.mean((1, 2), dtype=np.float32).mean(0, dtype=np.float64))
    np.testing.assert_array_equal(second.mean, first.mean)
    np.testing.assert_array_equal(second.covariance, first.covariance)
    assert len(list((tmp_path / "fid").glob("*.npz"))) == 1


def test_the_key_of_the_cache_depends_on_everything_that_changes_the_statistics(tmp_path, monkeypatch):
    images = noise(4)
    changed = images.copy()
    changed[3, 3, 3, 2] ^= 1
    cached_statistics(MeanColour(), images, tmp_path)
    for inception, others in (
        (MeanColour(), changed),
        (MeanColour(), images[:3]),
        (MeanColour(), images.reshape(4, 2, 8, 3)),
        (MeanColour("4567"), images),
    ):
        cached_statistics(inception, others, tmp_path)
        assert inception.seen
    for name, value in (("RESIZE", "bicubic"), ("VERSION", fid.VERSION + 1)):
        monkeypatch.setattr(fid, name, value)
        inception = MeanColour()
        cached_statistics(inception, images, tmp_path)
        assert inception.seen
    assert len(list(tmp_path.glob("*.npz"))) == 7


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" + bytes(60)])
def test_names_a_damaged_entry(tmp_path, content):
    images = noise(3)
    cached_statistics(MeanColour(), images, tmp_path)
    (entry,) = tmp_path.glob("*.npz")
    entry.write_bytes(content)
    with pytest.raises(ValueError, match=f"{entry} is damaged: .*; remove it to compute the statistics again"):
        cached_statistics(MeanColour(), images, tmp_path)
