import numpy as np
import pytest
from PIL import Image, ImageOps

from edge_segmenter.fit import FITS, fit_for_whole_photos, to_square
from tf_layered_gan.data.squares import labelled_square


def noise(width, height):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def columns(*greys):
    """An image of 2 rows with these greys."""
    return Image.fromarray(np.tile(np.array(greys, np.uint8)[None, :, None], (2, 1, 3)))


@pytest.mark.parametrize("fit, seen", [("crop", [30, 50]), ("squeeze", [24, 56])])
def test_crop_cuts_out_the_centre_and_squeeze_takes_all(fit, seen):
    # The image is 2 pixels high and 4 wide. When it is squeezed with antialiasing, the first new pixel gets 3/7 of the
    # value 10, 3/7 of 30 and 1/7 of 50. The sum is (30 + 90 + 50) / 7 = 24.3.
    square = labelled_square(columns(10, 30, 50, 70), None, size=2, fit=fit)
    assert square[..., 0].tolist() == [seen] * 2


def test_pad_repeats_the_edge_and_leaves_it_unlabelled():
    # The image is 2 pixels high and 4 wide. So it fills rows 1 and 2 of the square's 4 rows.
    square = labelled_square(columns(10, 30, 50, 70), columns(0, 255, 255, 0), size=4, fit="pad")
    assert square[..., 0].tolist() == [[10, 30, 50, 70]] * 4
    assert square[..., 3].tolist() == [[255] * 4, [0, 1, 1, 0], [0, 1, 1, 0], [255] * 4]


@pytest.mark.parametrize("fit, labels", [("crop", [1, 1]), ("squeeze", [0, 1])])
def test_masks_are_fitted_like_their_photos(fit, labels):
    # The image is 2 pixels high and 6 wide. Cropping keeps columns 2 and 3. When the image is squeezed instead, the
    # centres of the two new columns are in the old columns 1 and 4.
    square = labelled_square(columns(*[0] * 6), columns(0, 0, 255, 255, 255, 0), size=2, fit=fit)
    assert square[..., 3].tolist() == [labels] * 2


def test_a_pixel_of_a_mask_takes_one_label():
    mask = Image.fromarray(np.kron(np.array([[0, 128], [255, 0]], np.uint8), np.ones((4, 4), np.uint8)))
    for fit in FITS:
        square = labelled_square(noise(8, 8), mask, size=2, fit=fit, unlabelled=128)
        assert square[..., 3].tolist() == [[0, 255], [1, 0]]


def test_resizing_antialiases():
    # The values of the columns are 0 and 200 in turn, and 8 pixels become 2. Without antialiasing, each new pixel would
    # be 0 or 200.
    image = Image.fromarray(np.tile(np.array([0, 200], np.uint8)[None, :, None], (8, 4, 3)))
    for fit in FITS:
        assert abs(labelled_square(image, None, size=2, fit=fit).astype(int) - 100).max() < 20


@pytest.mark.parametrize("size", [(33, 47), (500, 3), (1, 9), (8, 8), (640, 427)])
def test_crop_is_pillows(size):
    photo = noise(*size)
    expected = ImageOps.fit(photo, (16, 16), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(labelled_square(photo, None, size=16, fit="crop"), np.asarray(expected))


@pytest.mark.parametrize("fit", ["squeeze", "pad"])
def test_a_device_sees_the_squares_of_training(fit):
    photo = noise(40, 30)
    square, _ = to_square(photo, 16, fit_for_whole_photos(fit))
    np.testing.assert_array_equal(labelled_square(photo, None, size=16, fit=fit), square)


def test_whole_photos_are_padded_unless_training_squeezed_them():
    found = {fit: fit_for_whole_photos(fit) for fit in (None, *FITS)}
    assert found == {None: "pad", "crop": "pad", "squeeze": "squeeze", "pad": "pad"}
    with pytest.raises(ValueError, match="the fit is 'stretch', allowed: crop, squeeze, pad"):
        fit_for_whole_photos("stretch")
