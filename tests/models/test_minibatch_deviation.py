import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tf_layered_gan.models.networks.discriminator import discriminator
from tf_layered_gan.models.networks.minibatch_deviation import MinibatchDeviation


def test_channel_by_hand():
    # An image has one pixel and two channels. In the first group, the channels have the standard deviations 1 and 2,
    # whose mean is 1.5. In the second group, all images are equal.
    features = np.float32([[1, 0], [3, 4], [7, 7], [7, 7]]).reshape(4, 1, 1, 2)
    appended = MinibatchDeviation(2)(features).numpy()
    np.testing.assert_array_equal(appended[..., :2], features)
    np.testing.assert_allclose(appended[:, 0, 0, 2], [1.5, 1.5, 0, 0], atol=1e-3)


def test_channel_is_numpys_and_keeps_photos_and_synthetic_images_apart():
    real, fake = np.random.default_rng(0).normal(size=(2, 8, 4, 4, 3)).astype(np.float32)
    appended = MinibatchDeviation(4)(np.concatenate([real, 5 * fake])).numpy()[..., 3]
    groups = np.concatenate([real, 5 * fake]).reshape(4, 4, 4, 4, 3)
    expected = np.repeat(groups.std(axis=1).mean(axis=(1, 2, 3)), 4)
    np.testing.assert_allclose(appended, np.broadcast_to(expected[:, None, None], (16, 4, 4)), rtol=1e-5)
    np.testing.assert_array_equal(appended[:8], MinibatchDeviation(4)(real).numpy()[..., 3])


def test_gradient_of_equal_images_is_finite():
    features = tf.ones([4, 2, 2, 3])
    with tf.GradientTape() as tape:
        tape.watch(features)
        appended = MinibatchDeviation(4)(features)
    assert np.isfinite(tape.gradient(appended, features)).all()


def test_discriminator_gets_one_channel_and_only_its_own_head_compares_images():
    keras.utils.set_random_seed(0)
    plain, comparing = (discriminator(16, tiny.WIDTH, 6, minibatch_groups=groups) for groups in (0, 2))
    more = [b.count_params() - a.count_params() for a, b in zip(_kernels(plain), _kernels(comparing), strict=True)]
    channels = 4  # the map of 4x4 pixels has 2 * tiny.WIDTH channels
    assert more == [0, 0, 9 * channels, 0]
    images = tf.random.stateless_normal([4, 16, 16, 3], (1, 2))
    other = tf.concat([images[:1], tf.zeros([1, 16, 16, 3]), images[2:]], 0)
    (realness, category), (changed, unchanged) = comparing(images), comparing(other)
    assert changed[0] != realness[0]  # image 1 was replaced, and it is in the group of image 0
    np.testing.assert_allclose(changed[2:], realness[2:], atol=1e-6)
    np.testing.assert_allclose(unchanged[0], category[0], atol=1e-6)


def _kernels(network):
    return [layer for layer in network.layers if hasattr(layer, "u")]


def test_group_size_must_divide_the_batch():
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        MinibatchDeviation(4)(tf.ones([6, 2, 2, 3]))
