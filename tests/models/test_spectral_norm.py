import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tf_layered_gan.models.networks.spectral_norm import SpectralConv2D, SpectralDense, update_spectral_norm

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "power_iteration.npz"


def build(layer, input_shape, seed=0):
    """Builds the layer with a random kernel and bias."""
    layer.build(input_shape)
    generator = np.random.default_rng(seed)
    for variable in layer.trainable_variables:
        variable.assign(generator.standard_normal(variable.shape))
    return layer


def matrix(kernel):
    return np.reshape(kernel, [-1, kernel.shape[-1]])


both_layers = pytest.mark.parametrize(
    "make, input_shape",
    [(lambda: SpectralConv2D(5, 3, padding="same"), (2, 6, 6, 4)), (lambda: SpectralDense(5), (2, 7))],
    ids=["conv", "dense"],
)


@both_layers
def test_spectral_norm_converges_to_1(make, input_shape):
    layer = build(make(), input_shape)
    for _ in range(60):
        layer.update_u()
    largest = np.linalg.svd(matrix(layer.kernel), compute_uv=False)[0]
    normalized = layer.normalized_kernel()
    np.testing.assert_allclose(normalized, layer.kernel / largest, atol=1e-5)
    assert np.linalg.svd(matrix(normalized), compute_uv=False)[0] == pytest.approx(1.0, abs=1e-5)


def test_power_iteration_and_normalized_kernel_equal_tensorflow_addons():
    golden, layer = np.load(GOLDEN), SpectralConv2D(4, 3)
    layer.build((1, 3, 3, 2))
    layer.kernel.assign(golden["kernel"])
    layer.u.assign(golden["u_0"])
    for step in range(1, 6):
        layer.update_u()
        np.testing.assert_allclose(layer.u, golden[f"u_{step}"], atol=1e-6)
    np.testing.assert_allclose(layer.normalized_kernel(), golden["normalized_kernel_5"], atol=1e-6)


def test_sigma_is_the_length_of_w_u():
    layer = build(SpectralDense(2), (1, 2))
    layer.kernel.assign([[3.0, 0.0], [0.0, 1.0]])
    layer.u.assign([[0.6, 0.8]])
    # W u is (1.8, 0.8). The length of W u is sqrt(3.24 + 0.64) = sqrt(3.88).
    np.testing.assert_allclose(layer.normalized_kernel(), np.array([[3, 0], [0, 1]]) / np.sqrt(3.88), atol=1e-6)


@both_layers
def test_calling_in_training_changes_no_variable(make, input_shape):
    layer = build(make(), input_shape)
    before = tiny.values(layer.variables)
    layer(tf.ones(input_shape), training=True)
    assert not any(tiny.changed(before, layer.variables))


@both_layers
def test_u_is_a_weight_that_is_not_trained(make, input_shape):
    layer = build(make(), input_shape)
    assert [variable.name for variable in layer.non_trainable_variables] == ["u"]
    assert [variable.name for variable in layer.trainable_variables] == ["kernel", "bias"]


def test_dense_uses_the_normalized_kernel():
    layer = build(SpectralDense(2), (1, 2))
    layer.kernel.assign([[4.0, 0.0], [0.0, 1.0]])
    layer.bias.assign([0.5, -0.5])
    layer.u.assign([[1.0, 0.0]])
    # sigma is 4, so the input (1, 2) becomes (4 / 4 * 1 + 0.5, 1 / 4 * 2 - 0.5).
    np.testing.assert_allclose(layer(tf.constant([[1.0, 2.0]])), [[1.5, 0.0]], atol=1e-6)


def test_conv_equals_a_plain_one_with_the_normalized_kernel():
    layer = build(SpectralConv2D(5, 4, strides=2, padding="same"), (2, 6, 6, 3))
    plain = keras.layers.Conv2D(5, 4, strides=2, padding="same")
    plain.build((2, 6, 6, 3))
    plain.kernel.assign(layer.normalized_kernel())
    plain.bias.assign(layer.bias)
    images = tf.random.stateless_normal([2, 6, 6, 3], (1, 2))
    np.testing.assert_allclose(layer(images), plain(images), atol=1e-5)


def test_gradient_passes_through_sigma():
    # Because u is constant here, sigma is |W u|, and the vector v adds nothing to the gradient. So finite differences
    # give the whole gradient.
    layer = build(SpectralDense(3, dtype="float64"), (1, 4))
    kernel = layer.kernel.numpy()
    weights = np.random.default_rng(1).standard_normal(kernel.shape)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weights * layer.normalized_kernel())
    gradient = tape.gradient(loss, layer.kernel.value)

    def loss_at(shifted):
        layer.kernel.assign(shifted)
        return np.sum(weights * layer.normalized_kernel().numpy())

    for index in np.ndindex(kernel.shape):
        step = np.zeros_like(kernel)
        step[index] = 1e-6
        difference = (loss_at(kernel + step) - loss_at(kernel - step)) / 2e-6
        assert gradient[index].numpy() == pytest.approx(difference, abs=1e-7)


def test_update_spectral_norm_steps_every_layer_once():
    image = keras.Input((4, 4, 2))
    features = keras.layers.Flatten()(SpectralConv2D(3, 3)(image))
    network = keras.Model(image, SpectralDense(2)(keras.layers.ReLU()(features)))
    twins = [SpectralConv2D(3, 3), SpectralDense(2)]
    layers = [layer for layer in network.layers if hasattr(layer, "u")]
    for twin, layer in zip(twins, layers, strict=True):
        twin.build(layer.input.shape)
        twin.set_weights(layer.get_weights())
        twin.update_u()
    update_spectral_norm(network)
    for twin, layer in zip(twins, layers, strict=True):
        np.testing.assert_array_equal(layer.u, twin.u)


def test_an_orthogonal_kernel_has_spectral_norm_one_before_any_update():
    layer = SpectralDense(3, kernel_initializer=keras.initializers.Orthogonal(seed=0))
    layer.build((1, 8))
    assert np.linalg.svd(layer.normalized_kernel(), compute_uv=False)[0] == pytest.approx(1.0, abs=1e-5)
