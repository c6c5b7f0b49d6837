import numpy as np
from PIL import Image

from tf_layered_gan.data.squares import mask_to_square, to_square


def test_to_square_cuts_out_the_centre():
    # The image is 3 high and 5 wide. Columns 1 to 3 are the centre, and nothing is rescaled.
    image = np.zeros((3, 5, 3), np.uint8)
    image[:, :, 0] = [10, 20, 30, 40, 50]
    square = np.asarray(to_square(Image.fromarray(image), 3))
    assert square[..., 0].tolist() == [[20, 30, 40]] * 3


def test_to_square_antialiases():
    # Columns of 0 and 200 alternate, and 8 pixels become 2. Without antialiasing each pixel would be 0 or 200.
    image = np.tile(np.array([0, 200], np.uint8), (8, 4))
    square = np.asarray(to_square(Image.fromarray(image), 2)).astype(int)
    assert abs(square - 100).max() < 20


def test_mask_to_square_keeps_the_labels():
    mask = np.kron(np.array([[0, 128], [255, 0]], np.uint8), np.ones((4, 4), np.uint8))
    assert np.asarray(mask_to_square(Image.fromarray(mask), 2)).tolist() == [[0, 128], [255, 0]]
