import numpy as np

from tf_layered_gan.models.composition import compose


def test_mask_chooses_between_the_layers():
    background = np.float32([-0.5, 0.25, 1]).reshape(1, 1, 1, 3).repeat(3, axis=2)
    foreground = np.float32([1, -0.75, -1]).reshape(1, 1, 1, 3).repeat(3, axis=2)
    mask = np.float32([0, 1, 0.25]).reshape(1, 1, 3, 1)
    # The pixels are the background, the foreground, and a mixture: 0.75 * (-0.5, 0.25, 1) + 0.25 * (1, -0.75, -1) =
    # (-0.125, 0, 0.5).
    expected = [[[[-0.5, 0.25, 1], [1, -0.75, -1], [-0.125, 0, 0.5]]]]
    np.testing.assert_allclose(compose(background, foreground, mask), expected, atol=1e-6)
