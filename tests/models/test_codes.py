import numpy as np
import pytest
import tensorflow as tf

from tf_layered_gan.models.codes import c_sup_dim, sample_codes


def draw(batch_size=2000, **changes):
    sizes = {"z_dim": 3, "public_z": True, "num_categories": 6, "group_size": 2}
    return sample_codes(batch_size, tf.constant([3, 4]), **(sizes | changes))


def test_shapes_and_types():
    codes = draw(batch_size=4)
    assert {name: code.shape.as_list() for name, code in codes.items()} == {
        "z": [4, 3],
        "foreground_z": [4, 3],
        "c_sup": [4, 3],
        "c": [4, 6],
    }
    assert {code.dtype for code in codes.values()} == {tf.float32}


def test_c_sup_is_the_group_of_c():
    # There are six categories in groups of two: 0, 1 | 2, 3 | 4, 5.
    codes = draw()
    for name in ("c", "c_sup"):
        np.testing.assert_array_equal(np.sort(codes[name], axis=1)[:, -2:], [[0, 1]] * 2000)
    np.testing.assert_array_equal(np.argmax(codes["c_sup"], 1), np.argmax(codes["c"], 1) // 2)


def test_categories_are_equally_likely():
    # Each category is drawn with the probability 1/6. Its frequency in 2000 draws has the standard deviation sqrt(1/6 *
    # 5/6 / 2000) = 0.0083.
    np.testing.assert_allclose(np.mean(draw()["c"], 0), [1 / 6] * 6, atol=0.03)


def test_z_is_standard_normal_and_independent_of_c():
    codes = draw()
    z, c = codes["z"].numpy(), np.argmax(codes["c"], 1)
    # The estimates come from 2000 draws. The mean and the correlation have the standard error 0.022. The standard
    # deviation has the standard error 0.016.
    np.testing.assert_allclose(z.mean(0), [0] * 3, atol=0.1)
    np.testing.assert_allclose(z.std(0), [1] * 3, atol=0.07)
    np.testing.assert_allclose(np.corrcoef([*z.T, c]), np.eye(4), atol=0.1)


def test_a_public_z_is_shared_by_both_generators():
    codes = draw()
    np.testing.assert_array_equal(codes["foreground_z"], codes["z"])


def test_a_normal_code_and_a_private_z_are_standard_normal_and_independent():
    codes = draw(prior="normal", num_categories=2, public_z=False)
    every = np.concatenate([codes[name] for name in ("c", "z", "foreground_z")], axis=1).T
    # The estimates come from 2000 draws. A covariance has the standard error 0.022. A variance has the standard error
    # 0.032.
    np.testing.assert_allclose(every.mean(1), [0] * 8, atol=0.1)
    np.testing.assert_allclose(np.cov(every), np.eye(8), atol=0.15)


def test_a_normal_code_has_no_groups():
    codes = draw(prior="normal", num_categories=5, group_size=2)
    assert codes["c"].shape == (2000, 5) and codes["c"].dtype == tf.float32
    np.testing.assert_array_equal(codes["c_sup"], codes["c"])


@pytest.mark.parametrize("prior", ["categorical", "normal"])
def test_pairs_have_the_same_private_code_but_different_z(prior):
    codes = draw(prior=prior, in_pairs=True)
    for name in ("c", "c_sup"):
        np.testing.assert_array_equal(codes[name][::2], codes[name][1::2])
    assert np.all(np.any(codes["foreground_z"][::2] != codes["foreground_z"][1::2], axis=1))


def test_c_sup_dim_is_the_number_of_components():
    for prior, expected in (("categorical", 3), ("normal", 6)):
        assert c_sup_dim(prior, 6, 2) == expected == draw(prior=prior)["c_sup"].shape[1]
