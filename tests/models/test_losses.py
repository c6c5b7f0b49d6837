import math

import numpy as np
import pytest

from tf_layered_gan.models import losses


def plane(*pixels):
    """One 2x2 picture of one channel."""
    return np.float32(pixels).reshape(1, 2, 2, 1)


def test_hinge_discriminator_is_per_example():
    real, fake = np.float32([0.5, 2, -1]), np.float32([-0.25, -3, 0.5])
    # max(0, 1 - real) + max(0, 1 + fake): 0.5 + 0.75; 0 + 0; 2 + 1.5.
    np.testing.assert_allclose(losses.hinge_discriminator(real, fake), [1.25, 0, 3.5], atol=1e-6)


def test_hinge_generator_is_minus_the_logit():
    np.testing.assert_allclose(losses.hinge_generator(np.float32([1.5, -2])), [-1.5, 2], atol=1e-6)


def test_mutual_information_is_the_negative_log_likelihood_of_the_code():
    # Softmax of (log 2, 0, 0) is (2, 1, 1) / 4: -log(2 / 4) = log 2 for the first code, log 4 for the last.
    logits = np.float32([[math.log(2), 0, 0]] * 2)
    code = np.float32([[1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(losses.mutual_information(logits, code), [math.log(2), math.log(4)], atol=1e-6)


def test_mutual_information_of_a_blind_reader_is_the_entropy_of_the_code():
    logits, code = np.zeros((1, 20), np.float32), np.eye(20, dtype=np.float32)[:1]
    np.testing.assert_allclose(losses.mutual_information(logits, code), [math.log(20)], atol=1e-5)


def test_normal_mutual_information_is_half_the_squared_distance():
    # (1 + 4 + 4) / 2 = 4.5; a mean that hits the code: 0.
    mean, code = np.float32([[1, 0, 2], [3, -1, 0]]), np.float32([[0, 2, 0], [3, -1, 0]])
    np.testing.assert_allclose(losses.normal_mutual_information(mean, code), [4.5, 0], atol=1e-6)


def test_normal_mutual_information_is_the_likelihood_but_for_its_constant():
    mean, code = np.float32([[0.5, -1]]), np.float32([[2, 0.25]])
    densities = np.exp(-((code - mean) ** 2) / 2) / math.sqrt(2 * math.pi)
    likelihood = -np.log(np.prod(densities, axis=1)) - 2 / 2 * math.log(2 * math.pi)
    np.testing.assert_allclose(losses.normal_mutual_information(mean, code), likelihood, atol=1e-5)


def test_binarization_is_the_mean_distance_to_black_or_white():
    # min(pi, 1 - pi): 0, 0, 0.25 and 0.4, a mean of 0.65 / 4.
    np.testing.assert_allclose(losses.binarization(plane(0, 1, 0.75, 0.4)), [0.1625], atol=1e-6)


def test_mask_size_is_what_a_mask_lacks_of_the_least():
    # Means of 0.1 and 0.3: 0.15 short of 0.25, and enough.
    masks = np.concatenate([plane(0.4, 0, 0, 0), plane(1, 0.2, 0, 0)])
    np.testing.assert_allclose(losses.mask_size(masks, 0.25), [0.15, 0], atol=1e-6)


def test_mask_size_is_what_a_mask_has_beyond_the_most():
    # Means of 0.1, 0.3 and 0.75: within (0.1, 0.5) the first two, 0.25 beyond it the third.
    masks = np.concatenate([plane(0.4, 0, 0, 0), plane(1, 0.2, 0, 0), plane(1, 1, 1, 0)])
    np.testing.assert_allclose(losses.mask_size(masks, 0.1, 0.5), [0, 0, 0.25], atol=1e-6)


def pixels(*values):
    """Pictures of one pixel of one channel."""
    return np.float32(values).reshape(-1, 1, 1, 1)


def test_independence_compares_with_the_preceding_picture():
    background, foreground, mask = pixels(0.5, -0.5, 1), pixels(1, 0, 0.5), pixels(1, 0.5, 0)
    # Behind: x = (0.5, -0.25, 0), y = (1, 0, 0). |x - y|: 0.5, 0.25, 0; the preceding x (0, 0.5, -0.25): 1, 0.5, 0.25.
    # Beside: x = (0, 0, 0.5), y = (0, -0.25, 1). |x - y|: 0, 0.25, 0.5; the preceding x (0.5, 0, 0): 0.5, 0.25, 1.
    # The differences: 0.5, 0.25, 0.25 and 0.5, 0, 0.5.
    np.testing.assert_allclose(losses.independence(background, foreground, mask), [1, 0.25, 0.75], atol=1e-6)


@pytest.mark.parametrize(
    "foreground, expected",
    [
        # Under a full mask, behind 1 and -1. The same: |x - y| = 0, the other's 2.
        ((1, -1), 2),
        # The opposite: |x - y| = 2, the other's 0.
        ((-1, 1), -2),
        # The same for both pictures: |x - y| = 0.5 or 1.5, the other's 1.5 or 0.5, so 0 on average.
        ((0.5, 0.5), 0),
    ],
)
def test_independence_punishes_resemblance(foreground, expected):
    loss = losses.independence(pixels(1, -1), pixels(*foreground), pixels(1, 1))
    np.testing.assert_allclose(np.mean(loss), expected, atol=1e-6)


def test_independence_of_independent_layers_is_what_their_shared_masks_leave():
    generator = np.random.default_rng(0)
    background, foreground = generator.uniform(-1, 1, (2, 64, 32, 32, 1)).astype(np.float32)
    mask = (generator.uniform(size=(64, 32, 32, 1)) < 0.25).astype(np.float32)
    # p (1 - p) 2/3 = 1/4 * 3/4 * 2/3 = 1/8; 65,536 pixels leave a standard deviation below 0.005.
    np.testing.assert_allclose(np.mean(losses.independence(background, foreground, mask)), 1 / 8, atol=0.01)


def test_background_is_low_where_the_segmenter_finds_nothing():
    # F = sigmoid(log 3) = 3/4 and sigmoid(0) = 1/2: -log(1 - F) = log 4 and log 2, the mean 1.5 log 2.
    logits = plane(math.log(3), 0, 0, math.log(3))
    np.testing.assert_allclose(losses.background(logits), [1.5 * math.log(2)], atol=1e-6)
    assert losses.background(plane(-9, -9, -9, -9))[0] < 2e-4 < 8 < losses.background(plane(9, 9, 9, 9))[0]


def test_segmentation_is_the_cross_entropy_with_a_soft_mask():
    # F = 3/4 everywhere. pi = 1: log(4/3). pi = 0: log 4. pi = 1/2: their mean, log 4 - log(3) / 2.
    logits, mask = plane(*[math.log(3)] * 4), plane(1, 0, 0.5, 0.5)
    # The sum is 4 log 4 - 2 log 3.
    expected = math.log(4) - math.log(3) / 2
    np.testing.assert_allclose(losses.segmentation(logits, mask), [expected], atol=1e-6)


def test_segmentation_of_a_sure_and_right_segmenter_is_zero():
    np.testing.assert_allclose(losses.segmentation(plane(50, -50, 50, -50), plane(1, 0, 1, 0)), [0], atol=1e-6)


def test_segmentation_stays_finite_where_a_sure_segmenter_is_wrong():
    # softplus(200) = 200 in each of the four pixels.
    np.testing.assert_allclose(losses.segmentation(plane(*[200] * 4), plane(0, 0, 0, 0)), [200], rtol=1e-6)


@pytest.mark.parametrize("loss", [losses.binarization, losses.background])
def test_pictures_keep_their_own_losses(loss):
    pictures = np.concatenate([plane(0.1, 0.2, 0.3, 0.4), plane(0.5, 0.5, 0.5, 0.5)])
    both = loss(pictures)
    assert both.shape == (2,)
    np.testing.assert_allclose(both[1], loss(pictures[1:])[0], atol=1e-6)
