import numpy as np
import pytest

from tf_layered_gan.evaluation.overlay import mask_over_image

BLACK, YELLOW = [0, 0, 0], [255, 225, 0]


def shown(mask, scale=1):
    image = np.full((*mask.shape, 3), 100, np.uint8)
    return mask_over_image(image, mask, scale)


def square():
    mask = np.zeros((9, 9), bool)
    mask[2:7, 2:7] = True
    return mask


def test_the_object_has_a_yellow_line_inside_and_a_black_one_outside():
    row = shown(square())[4].tolist()
    assert row[1:8] == [BLACK, YELLOW, [100] * 3, [100] * 3, [100] * 3, YELLOW, BLACK]


def test_the_background_is_darker():
    assert shown(square())[0, 0].tolist() == [40] * 3


def test_a_soft_mask_darkens_by_its_value():
    assert shown(np.full((3, 3), 0.25, np.float32))[1, 1, 0] == 55  # the brightness is 0.4 + 0.6 x 0.25 = 0.55


def test_lines_stay_thin_when_the_image_is_enlarged():
    large = shown(square(), scale=4)
    assert large.shape == (36, 36, 3)
    assert large[18, 7:12].tolist() == [BLACK, YELLOW, [100] * 3, [100] * 3, [100] * 3]


def test_a_full_mask_has_a_line_along_the_border():
    full = shown(np.ones((4, 4), bool))
    assert full[0, 2].tolist() == YELLOW and full[2, 2].tolist() == [100] * 3


def test_an_empty_mask_has_no_line():
    assert (shown(np.zeros((4, 4), bool)) == 40).all()


def test_refuses_a_mask_of_another_size():
    with pytest.raises(ValueError, match=r"the same size, got \(2, 2\) and \(3, 3\)"):
        mask_over_image(np.zeros((2, 2, 3), np.uint8), np.zeros((3, 3), bool))
