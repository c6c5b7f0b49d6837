import math

import numpy as np

from tf_layered_gan.models import losses


def plane(*pixels):
    """One image of 2x2 pixels and one channel."""
    return np.float32(pixels).reshape(1, 2, 2, 1)


def test_hinge_discriminator_is_per_example():
    real, fake = np.float32([0.5, 2, -1]), np.float32([-0.25, -3, 0.5])
    # For the three examples, max(0, 1 - real) + max(0, 1 + fake) is 0.5 + 0.75, 0 + 0 and 2 + 1.5.
    np.testing.assert_allclose(losses.hinge_discriminator(real, fake), [1.25, 0, 3.5], atol=1e-6)


def test_hinge_generator_is_minus_the_logit():
    np.testing.assert_allclose(losses.hinge_generator(np.float32([1.5, -2])), [-1.5, 2], atol=1e-6)


def test_r1_is_half_the_squared_norm_of_the_gradient():
    # The losses are (1 + 4 + 4) / 2 and 9 / 2.
    np.testing.assert_allclose(losses.r1(np.concatenate([plane(1, 0, -2, 2), plane(0, 3, 0, 0)])), [4.5, 4.5])


def test_mutual_information_is_the_negative_log_likelihood_of_the_code():
    # The softmax of (log 2, 0, 0) is (2, 1, 1) / 4. The loss of the first code is -log(2 / 4) = log 2. The loss of the
    # second code is -log(1 / 4) = log 4.
    logits = np.float32([[math.log(2), 0, 0]] * 2)
    code = np.float32([[1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(losses.mutual_information(logits, code), [math.log(2), math.log(4)], atol=1e-6)


def test_normal_mutual_information_is_half_the_squared_distance():
    # The first loss is (1 + 4 + 4) / 2 = 4.5. The second is 0, because the mean equals the code.
    mean, code = np.float32([[1, 0, 2], [3, -1, 0]]), np.float32([[0, 2, 0], [3, -1, 0]])
    np.testing.assert_allclose(losses.normal_mutual_information(mean, code), [4.5, 0], atol=1e-6)


def test_binarization_is_the_mean_distance_to_0_or_1():
    # In the first mask, min(pi, 1 - pi) is 0, 0, 0.25 and 0.4, so its mean is 0.65 / 4. In the second mask, min(pi, 1 -
    # pi) is 0.5 everywhere.
    masks = np.concatenate([plane(0, 1, 0.75, 0.4), plane(0.5, 0.5, 0.5, 0.5)])
    np.testing.assert_allclose(losses.binarization(masks), [0.1625, 0.5], atol=1e-6)


def test_mask_size_penalises_masks_below_the_least_and_above_the_largest_size():
    # The masks have the means 0.1, 0.3 and 0.75. The first mean is 0.15 below the limit 0.25. The third mean is 0.25
    # above the limit 0.5.
    masks = np.concatenate([plane(0.4, 0, 0, 0), plane(1, 0.2, 0, 0), plane(1, 1, 1, 0)])
    np.testing.assert_allclose(losses.mask_size(masks, 0.25, 0.5), [0.15, 0, 0.25], atol=1e-6)


def test_variety_penalises_pairs_of_masks_that_hardly_differ():
    # In the first pair, the masks differ by 0.5 of 2.5 pixels, so their distance is 0.2. In the second pair, the
    # distance is 1. Two empty masks have the distance 0.
    masks = [plane(1, 0, 0, 0), plane(1, 0.5, 0, 0), plane(1, 0, 0, 0), plane(0, 1, 0, 0), plane(0, 0, 0, 0)]
    loss = losses.variety(np.concatenate([*masks, masks[-1]]), 0.3)
    np.testing.assert_allclose(loss, [0.1, 0.1, 0, 0, 0.3, 0.3], atol=1e-6)


def pixels(*values):
    """Images of one pixel and one channel."""
    return np.float32(values).reshape(-1, 1, 1, 1)


def test_independence_compares_with_the_preceding_image():
    background, foreground, mask = pixels(0.5, -0.5, 1), pixels(1, 0, 0.5), pixels(1, 0.5, 0)
    # x is the hidden part and y is the visible part of an image. x' is the hidden part of the preceding image. Behind
    # the mask, x = (0.5, -0.25, 0), x' = (0, 0.5, -0.25) and y = (1, 0, 0).
    # |x - y| = (0.5, 0.25, 0) and |x' - y| = (1, 0.5, 0.25). The difference is (0.5, 0.25, 0.25).
    # Outside the mask, x = (0, 0, 0.5), x' = (0.5, 0, 0) and y = (0, -0.25, 1).
    # |x - y| = (0, 0.25, 0.5) and |x' - y| = (0.5, 0.25, 1). The difference is (0.5, 0, 0.5).
    np.testing.assert_allclose(losses.independence(background, foreground, mask), [1, 0.25, 0.75], atol=1e-6)


def test_independence_of_independent_layers_is_not_0_because_they_share_masks():
    generator = np.random.default_rng(0)
    background, foreground = generator.uniform(-1, 1, (2, 64, 32, 32, 1)).astype(np.float32)
    mask = (generator.uniform(size=(64, 32, 32, 1)) < 0.25).astype(np.float32)
    # A pixel is in the mask with the probability p = 1/4. So the expected loss is p (1 - p) 2/3 = 1/4 * 3/4 * 2/3 =
    # 1/8. With 65,536 pixels, the standard deviation of the loss is below 0.005.
    np.testing.assert_allclose(np.mean(losses.independence(background, foreground, mask)), 1 / 8, atol=0.01)


def test_background_is_low_if_the_segmenter_finds_no_object():
    # In the first image, F is sigmoid(log 3) = 3/4 or sigmoid(0) = 1/2. So -log(1 - F) is log 4 or log 2, and its mean
    # is 1.5 log 2.
    logits = np.concatenate([plane(math.log(3), 0, 0, math.log(3)), plane(0, 0, 0, 0)])
    np.testing.assert_allclose(losses.background(logits), [1.5 * math.log(2), math.log(2)], atol=1e-6)
    assert losses.background(plane(-9, -9, -9, -9))[0] < 2e-4 < 8 < losses.background(plane(9, 9, 9, 9))[0]


def test_segmentation_is_the_cross_entropy_with_a_soft_mask():
    # F is 3/4 everywhere. The loss of a pixel is log(4/3) for pi = 1, and log 4 for pi = 0. For pi = 1/2, the loss is
    # the mean of these two values, log 4 - log(3) / 2.
    logits, mask = plane(*[math.log(3)] * 4), plane(1, 0, 0.5, 0.5)
    # The sum over the four pixels is 4 log 4 - 2 log 3.
    expected = math.log(4) - math.log(3) / 2
    np.testing.assert_allclose(losses.segmentation(logits, mask), [expected], atol=1e-6)


def test_unlabelled_pixels_have_no_segmentation_loss():
    # F is 3/4 everywhere. The first pixel has no label, half of the second pixel is labelled as object, and the last
    # two pixels are background.
    logits, mask, labelled = plane(*[math.log(3)] * 4), plane(0, 0.5, 0, 0), plane(0, 0.5, 1, 1)
    expected = (0.5 * math.log(4 / 3) + 2 * math.log(4)) / 4
    np.testing.assert_allclose(losses.segmentation(logits, mask, labelled), [expected], atol=1e-6)


def test_segmentation_is_finite_for_confident_wrong_logits():
    # The loss is softplus(200) = 200 in each of the four pixels.
    np.testing.assert_allclose(losses.segmentation(plane(*[200] * 4), plane(0, 0, 0, 0)), [200], rtol=1e-6)
