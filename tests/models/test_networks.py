import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tf_layered_gan.models.networks import blocks
from tf_layered_gan.models.networks.discriminator import discriminator
from tf_layered_gan.models.networks.generator import background_generator, foreground_generator, window_range
from tf_layered_gan.models.networks.lite0_unet import lite0_unet
from tf_layered_gan.models.networks.mask_encoder import mask_encoder
from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.models.networks.separable_unet import separable_unet
from tf_layered_gan.models.networks.unet import unet


@pytest.fixture(autouse=True)
def seed():
    """Makes the initial weights the same in every run."""
    keras.utils.set_random_seed(0)


@pytest.mark.parametrize("resolution", [16, 32])
def test_background_generator(resolution):
    z = tf.random.stateless_normal([2, tiny.Z_DIM], (0, 1))
    image = background_generator(resolution, tiny.WIDTH, tiny.Z_DIM)([10.0 * z, tf.zeros([2, 2], tf.int32)]).numpy()
    assert image.shape == (2, resolution, resolution, 3) and image.dtype == np.float32
    assert -1 <= image.min() < 0 < image.max() <= 1


@pytest.mark.parametrize("resolution, residual_blocks, half", [(16, 0, False), (32, 2, False), (16, 1, True)])
def test_foreground_generator(resolution, residual_blocks, half):
    generator = foreground_generator(
        resolution,
        tiny.WIDTH,
        tiny.Z_DIM,
        c_dim=6,
        c_sup_dim=3,
        residual_blocks=residual_blocks,
        half_mask_stage=half,
    )
    z = tf.random.stateless_normal([2, tiny.Z_DIM], (0, 1))
    image, mask = (x.numpy() for x in generator([10.0 * z, tf.one_hot([0, 1], 3), tf.one_hot([0, 3], 6)]))
    assert image.shape == (2, resolution, resolution, 3) and image.dtype == np.float32
    assert mask.shape == (2, resolution, resolution, 1) and mask.dtype == np.float32
    assert -1 <= image.min() < 0 < image.max() <= 1
    assert 0 <= mask.min() < 0.5 < mask.max() <= 1


def test_a_mask_stage_at_half_resolution_needs_much_less_arithmetic():
    def cost(half: bool) -> int:
        return multiply_adds(
            foreground_generator(64, 8, 4, c_dim=6, c_sup_dim=3, residual_blocks=2, half_mask_stage=half)
        )

    assert cost(half=True) < 0.6 * cost(half=False)


@pytest.mark.parametrize("resolution", [16, 32])
def test_discriminator_and_mask_encoder(resolution):
    realness, category = discriminator(resolution, tiny.WIDTH, 6)(tf.ones([2, resolution, resolution, 3]))
    code = mask_encoder(resolution, tiny.WIDTH, 3)(tf.ones([2, resolution, resolution, 1]))
    assert (realness.shape, category.shape, code.shape) == ((2,), (2, 6), (2, 3))
    assert {logits.dtype for logits in (realness, category, code)} == {tf.float32}


def test_only_the_category_head_of_the_discriminator_has_no_spectral_norm():
    network = discriminator(16, tiny.WIDTH, 6)
    plain = [layer.name for layer in network.layers if hasattr(layer, "kernel") and not hasattr(layer, "u")]
    # Two layers reduce the map from 16x16 to 8x8 and then to 4x4 pixels. The head of D has two more layers.
    assert len([layer for layer in network.layers if hasattr(layer, "u")]) == 4
    assert len(plain) == 2 and "category" in plain


def test_discriminator_doubles_its_channels_up_to_eight_times_the_width():
    network = discriminator(128, tiny.WIDTH, 6)
    channels = [layer.kernel.shape[-1] for layer in network.layers if hasattr(layer, "u")]
    # The first five numbers are the channels of the maps that are 64, 32, 16, 8 and 4 pixels wide. The last two numbers
    # belong to the head.
    assert channels == [2, 4, 8, 16, 16, 16, 1]


def test_generator_halves_its_channels_from_sixteen_times_the_width():
    network = background_generator(128, tiny.WIDTH, tiny.Z_DIM)
    channels = [layer.filters for layer in network.layers if hasattr(layer, "filters")]
    # As in FineGAN, the dense layer returns a map of 4x4 pixels. Its number of channels is 16 times tiny.WIDTH. In the
    # next layers, this number is 8, 4, 2, 1 and 1 times tiny.WIDTH. The last layer returns RGB.
    assert channels == [16, 8, 4, 2, 2, 3]


@pytest.mark.parametrize(
    "network, depth",
    [(unet, 0), (unet, 3), (separable_unet, 1), (separable_unet, 3), (lite0_unet, 1), (lite0_unet, 3)],
)
def test_logits_of_the_segmenter_have_the_size_of_the_image(network, depth):
    logits = network(24, tiny.WIDTH, depth)(tf.ones([2, 24, 24, 3]))
    assert logits.shape == (2, 24, 24, 1) and logits.dtype == tf.float32


def test_the_pretrained_encoder_pads_on_the_right_and_at_the_bottom_like_tensorflow():
    network = lite0_unet(16, tiny.WIDTH, 1)
    stem = network.get_layer("encoder.conv_stem")
    corner = np.zeros((1, 16, 16, 3), np.float32)
    corner[0, 0, 0, 1] = 1.0
    convolved = keras.Model(network.input, stem.output)(corner).numpy()
    # With PyTorch's own padding, the pixel in the corner would be multiplied by the middle of the kernel.
    np.testing.assert_allclose(convolved[0, 0, 0], stem.kernel[0, 0, 1], rtol=1e-5)


@pytest.mark.parametrize("depth, channels", [(1, 16), (2, 24), (3, 40), (4, 112), (5, 320)])
def test_the_pretrained_encoder_ends_after_its_halvings(depth, channels):
    network = lite0_unet(32, tiny.WIDTH, depth)
    last = [layer for layer in network.layers if layer.name.endswith(".bn2")][-1]
    assert last.output.shape == (None, 32 // 2**depth, 32 // 2**depth, channels)


def test_join_code_adds_a_bias_per_channel():
    features, code = keras.Input((4, 4, 2)), keras.Input((3,))
    network = keras.Model([features, code], blocks.join_code(features, code))
    x = tf.random.stateless_normal([1, 4, 4, 2], (0, 1))
    convolved = network.layers[-3].output
    joined = keras.Model(network.inputs, convolved)
    assert isinstance(network.layers[-3], keras.layers.Add)
    difference = joined([x, tf.one_hot([1], 3)]) - joined([x, tf.zeros([1, 3])])
    kernel = next(layer.kernel for layer in network.layers if isinstance(layer, keras.layers.Dense))
    np.testing.assert_allclose(difference, np.broadcast_to(kernel[1], (1, 4, 4, 2)), atol=1e-6)


@pytest.mark.parametrize(
    "name", ["background_generator", "foreground_generator", "discriminator", "mask_encoder", "segmenter"]
)
def test_initial_kernels_are_orthogonal(networks, name):
    for layer in [layer for layer in networks[name].layers if hasattr(layer, "kernel")]:
        matrix = np.reshape(layer.kernel, [-1, layer.kernel.shape[-1]])
        singular = np.linalg.svd(matrix, compute_uv=False)
        np.testing.assert_allclose(singular, np.ones_like(singular), atol=1e-4, err_msg=layer.name)


def test_initial_mask_sets_the_bias_of_the_mask_logits():
    # The sigmoid of log(0.1 / 0.9) = -2.197 is 0.1. The sigmoid of 0 is 0.5.
    for initial_mask, bias in ((0.1, -2.197225), (0.5, 0.0)):
        generator = foreground_generator(16, 2, 3, c_dim=4, c_sup_dim=2, residual_blocks=0, initial_mask=initial_mask)
        np.testing.assert_allclose(generator.get_layer("mask_logits").bias, [bias], rtol=1e-6)


def test_mask_centring_lowers_logits_by_the_squared_distance_from_the_centre():
    # If half the width is 1, the centres of the 16 pixels are 1/16, 3/16, ..., 15/16 away from the middle. Logits are
    # lowered by 4 (y^2 + x^2).
    even, centred = (
        foreground_generator(16, 2, 3, c_dim=4, c_sup_dim=2, residual_blocks=0, mask_centring=strength)
        for strength in (0.0, 4.0)
    )
    centred.set_weights(even.get_weights())
    draws = [np.ones([1, 3], np.float32), np.float32([[1, 0]]), np.float32([[0, 1, 0, 0]])]
    logits = [np.log(mask / (1 - mask))[0, ..., 0] for mask in (np.asarray(net(draws)[1]) for net in (even, centred))]
    fall = logits[0] - logits[1]
    assert fall[8, 8] == pytest.approx(8 / 16**2, abs=1e-4)
    assert fall[0, 8] == pytest.approx(4 * (15**2 + 1) / 16**2, abs=1e-4)
    assert fall[0, 15] == pytest.approx(4 * (15**2 + 15**2) / 16**2, abs=1e-4)


@pytest.mark.parametrize("canvas", [2, 3])
def test_windows_show_the_same_canvas(canvas):
    generator = background_generator(16, 2, 3, canvas=canvas)
    least, most = window_range(16, canvas)
    for seed in range(2):
        generator([tf.random.stateless_normal([8, 3], (seed, 0)), tf.fill([8, 2], least)], training=True)
    z = tf.repeat(tf.random.stateless_normal([1, 3], (9, 9)), 4, axis=0)
    for corner in (least, most - 5):
        corners = tf.constant([[corner, corner], [corner + 3, corner], [corner, corner + 4], [corner + 5, corner + 5]])
        first, lower, right, both = generator([z, corners]).numpy()
        assert first.std() > 0.001
        np.testing.assert_allclose(lower[:-3], first[3:], atol=1e-5)
        np.testing.assert_allclose(right[:, :-4], first[:, 4:], atol=1e-5)
        np.testing.assert_allclose(both[:-5, :-5], first[5:, 5:], atol=1e-5)


@pytest.mark.parametrize("resolution, canvas, expected", [(16, 1, (0, 0)), (8, 2, (4, 4)), (16, 3, (4, 28))])
def test_windows_keep_four_pixels_from_the_edge_of_the_canvas(resolution, canvas, expected):
    assert window_range(resolution, canvas) == expected


def test_background_depends_on_z_alone(gan):
    first = tiny.draws(seed=(1, 1))
    other = tiny.draws(seed=(2, 2)) | {"window": first["window"]}
    painted = gan(first, training=True)["background"]
    np.testing.assert_array_equal(gan(other | {"z": first["z"]}, training=True)["background"], painted)
    assert not np.allclose(gan(first | {"z": other["z"]}, training=True)["background"], painted, atol=1e-3)


def test_mask_has_no_gradient_to_c(gan):
    draws = tiny.draws()
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([draws["c"], draws["c_sup"]])
        layers = gan(draws, training=True)
    assert tape.gradient(layers["mask"], draws["c"]) is None
    assert tf.norm(tape.gradient(layers["mask"], draws["c_sup"])) > 0
    assert tf.norm(tape.gradient(layers["foreground"], draws["c"])) > 0
