import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from export.quantization.centring import centre_threshold
from export.quantization.folding import fold_batch_norm
from export.quantization.quantization_aware import Round, fine_tune, rounded_kernel, simulate_rounding
from tf_layered_gan.models.networks.unet import unet

RESOLUTION = 8


@pytest.fixture(scope="module")
def photos():
    return np.random.default_rng(0).integers(0, 256, (6, 10, 10, 3)).astype("uint8")


@pytest.fixture(scope="module")
def network():
    """A network with two convolutions. The first has batch normalisation, and the second returns the logits."""
    image = keras.Input((RESOLUTION, RESOLUTION, 3))
    features = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(2, 1)(image)))
    model = keras.Model(image, layers.Conv2D(1, 1, name="logits")(features))
    model.trainable = False  # like the averaged segmenter of a run
    return model


def pixel_network(weights, **options):
    """Returns a network whose logit at a pixel is a weighted sum of the pixel's three channels."""
    image = keras.Input((RESOLUTION, RESOLUTION, 3))
    model = keras.Model(image, layers.Conv2D(1, 1, name="logits", **options)(image))
    model.get_layer("logits").kernel.assign(np.reshape(weights, (1, 1, 3, 1)))
    return model


def test_fine_tuned_copy_depends_on_the_seed_only(network, photos, eagerly):
    before = [weight.copy() for weight in network.get_weights()]
    first, again, other = (fine_tune(network, photos, steps=2, batch_size=2, seed=seed) for seed in (1, 1, 2))
    for value, weight in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(value, weight)
    for one, two in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert any((one != two).any() for one, two in zip(first.get_weights(), other.get_weights(), strict=True))
    assert first.input_shape == network.input_shape and first.output_shape == network.output_shape


def test_fine_tuning_makes_up_for_rounding():
    # An int8 step of the kernel is 254 / 127 = 2, so the weight 0.4 is rounded to 0. The pixels (127, 255, 255) become
    # x = (-1 / 255, 1, 1). In float32, the logit is -254 / 255 + 0.4. Rounding the weights makes the logit 0.4 smaller.
    network = pixel_network([254.0, 0.4, 0.0])
    images = np.full((4, RESOLUTION, RESOLUTION, 3), (127, 255, 255), "uint8")
    kernel, bias = fine_tune(network, images, steps=100, batch_size=1, learning_rate=0.02).get_weights()
    step = kernel.max() / 127
    rounded = np.round(kernel.ravel() / step) * step
    assert abs(rounded @ [-1 / 255, 1, 1] + bias[0] - (-254 / 255 + 0.4)) < 0.05


def test_kernels_are_rounded_by_filter():
    convolution, depthwise = layers.Conv2D(2, 1), layers.DepthwiseConv2D((1, 2))
    convolution.build((None, 1, 1, 2))
    depthwise.build((None, 1, 2, 2))
    # The filters are (1.27, 0.014) and (-127, 0.6), so their int8 steps are 0.01 and 1.
    convolution.kernel.assign(np.reshape([1.27, -127.0, 0.014, 0.6], (1, 1, 2, 2)))
    depthwise.kernel.assign(np.reshape([1.27, -127.0, 0.014, 0.6], (1, 2, 2, 1)))
    for layer in (convolution, depthwise):
        np.testing.assert_allclose(tf.reshape(rounded_kernel(layer), -1), [1.27, -127.0, 0.01, 1.0], rtol=1e-5)


def test_activations_are_rounded_by_hand():
    # The range from -1 to 1.55 has 255 steps of 0.01. One of the rounded values is exactly 0.
    x = tf.constant([-1.0, 0.0, 0.013, 0.017, 1.55])
    np.testing.assert_allclose(Round()(x), [-1.0, 0.0, 0.01, 0.02, 1.55], atol=1e-6)


def test_activations_are_rounded_where_tflite_rounds_them():
    rounding = simulate_rounding(fold_batch_norm(unet(RESOLUTION, 2, 1)))
    # The outputs of seven ReLUs, one upsampling and one concatenation are rounded. The outputs of the pooling and the
    # logits are not rounded.
    assert sum(isinstance(layer, Round) for layer in rounding.layers) == 9


def test_half_a_step_by_hand():
    # Red goes from -1 to 1, so the logits go from -2 to 2. A step is 4 / 255, and half a step is 2 / 255.
    network = pixel_network([2.0, 0.0, 0.0])
    images = np.zeros((2, RESOLUTION, RESOLUTION, 3), "uint8")
    images[1] = 255
    centred = centre_threshold(network, images)
    np.testing.assert_allclose(centred.get_layer("logits").bias, [2 / 255], rtol=1e-5)
    assert network.get_layer("logits").bias.numpy() == 0


def test_logits_without_a_bias_cannot_be_centred(photos):
    with pytest.raises(ValueError, match="the last convolution, logits, must have one filter and a bias"):
        centre_threshold(pixel_network([1.0, 0.0, 0.0], use_bias=False), photos[:, :8, :8])


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda images: images.astype("float32"), "images must be uint8 .* got float32"),
        (lambda images: images[:0], r"at least 1, side, .* got uint8 \[0, 10, 10, 3\]"),
        (lambda images: images[:, :7, :7], r"side at least 8, got uint8 \[6, 7, 7, 3\]"),
        (lambda images: images[:, :8], r"got uint8 \[6, 8, 10, 3\]"),
    ],
)
def test_other_images_are_refused(network, photos, change, message):
    with pytest.raises(ValueError, match=message):
        fine_tune(network, change(photos))


def test_no_step_is_refused(network, photos):
    with pytest.raises(ValueError, match="steps is 0, allowed: 1 or more"):
        fine_tune(network, photos, steps=0)
