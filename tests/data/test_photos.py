import numpy as np
import pytest

from tf_layered_gan.data.photos import Photos, Splits


def photos(count=2, width=4, masks=None):
    return Photos(np.zeros((count, width, width, 3), np.uint8), masks, tuple(map(str, range(count))))


def test_masks_may_hold_background_foreground_and_unlabelled():
    masks = np.array([[[0, 1], [255, 0]]], np.uint8)
    assert photos(count=1, width=2, masks=masks).masks is masks


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((1, 4, 4, 3), np.float32),
        np.zeros((1, 4, 5, 3), np.uint8),
        np.zeros((1, 4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((1, 0, 0, 3), np.uint8),
        [[[[0, 0, 0]]]],
    ],
    ids=["float", "not square", "four channels", "one image", "no width", "list"],
)
def test_images_of_another_kind_are_refused(images):
    with pytest.raises(ValueError, match="images must be"):
        Photos(images, None, ("a",))


@pytest.mark.parametrize(
    "masks",
    [
        np.zeros((2, 4, 4), bool),
        np.zeros((2, 4, 4, 1), np.uint8),
        np.zeros((2, 5, 5), np.uint8),
        np.full((2, 4, 4), 128, np.uint8),
    ],
    ids=["bool", "with a channel", "another width", "another label"],
)
def test_masks_of_another_kind_are_refused(masks):
    with pytest.raises(ValueError, match="masks must"):
        photos(masks=masks)


@pytest.mark.parametrize(
    "names, message",
    [
        (["a"], "names must be a tuple of str"),
        ((1,), "names must be a tuple of str"),
        (("a", "b"), "got 2 names for 1 photos"),
    ],
)
def test_names_of_another_type_or_number_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        Photos(np.zeros((1, 4, 4, 3), np.uint8), None, names)


@pytest.mark.parametrize("widths", [(3, 4, 4), (6, 4, 5), (6, 5, 4)])
def test_splits_whose_widths_do_not_fit_are_refused(widths):
    train, validation, test = (photos(width=width) for width in widths)
    with pytest.raises(ValueError, match="got train {}, validation {}, test {}".format(*widths)):
        Splits(train=train, validation=validation, test=test)
