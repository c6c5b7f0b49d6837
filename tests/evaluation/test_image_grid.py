import numpy as np
import pytest
from PIL import Image

from tf_layered_gan.evaluation.image_grid import grid, layer_grid, save_png, segmentation_sheet, synthetic_grid

ORANGE = [255, 170, 0]


def solid(colour, height=2, width=2):
    return np.broadcast_to(np.uint8(colour), (height, width, 3))


def test_two_pixels_separate_neighbours_and_nothing_surrounds():
    red, blue = solid([255, 0, 0], 2, 3), solid([0, 0, 255], 2, 3)
    picture = grid([[red, blue], [blue, red]])
    assert picture.shape == (2 + 2 + 2, 3 + 2 + 3, 3) and picture.dtype == np.uint8
    assert (picture[:2, :3] == [255, 0, 0]).all() and (picture[4:, :3] == [0, 0, 255]).all()
    assert (picture[2:4] == ORANGE).all() and (picture[:, 3:5] == ORANGE).all()


def test_scale_enlarges_the_tiles_by_nearest_and_not_the_separators():
    tile = solid([9, 9, 9]).copy()
    tile[0, 1] = [1, 2, 3]
    picture = grid([[tile, tile]], scale=3)
    assert picture.shape == (6, 6 + 2 + 6, 3)
    assert (picture[:3, 3:6] == [1, 2, 3]).all() and (picture[3:, :6] == 9).all() and (picture[:3, :3] == 9).all()


def test_numbers_that_are_not_finite_have_a_colour():
    picture = grid([[np.array([[[np.nan, np.inf, -np.inf]]], np.float32)]])
    assert picture.tolist() == [[[0, 255, 0]]]


def pixel(tile):
    return grid([[tile]])[0, 0].tolist()


def test_float_images_span_minus_one_to_one():
    # (-1 + 1) 127.5 = 0; (0.2 + 1) 127.5 = 153; (1.1 + 1) 127.5 = 267.75 is clipped.
    assert pixel(np.float32([[[-1, 0.2, 1.1]]])) == [0, 153, 255]


@pytest.mark.parametrize(
    "mask, grey",
    [
        (np.float32([[0.2]]), 51),  # 0.2 x 255
        (np.float32([[[0.2]]]), 51),
        (np.array([[True]]), 255),
        (np.uint8([[1]]), 255),
        (np.uint8([[0]]), 0),
        (np.uint8([[255]]), 128),  # unlabelled
    ],
)
def test_masks_are_grey(mask, grey):
    assert pixel(mask) == [grey] * 3


def layers(samples=2):
    background, foreground, composed, real = (
        np.full((samples, 2, 2, 3), value, np.float32) for value in (-1, 1, 0.2, -0.2)
    )
    mask, real_mask = (np.full((samples, 2, 2, 1), value, np.float32) for value in (0.6, 1))
    return [background, foreground, mask, composed, real, real_mask]


def test_layers_are_a_row_a_sample_in_order():
    picture = layer_grid(*layers())
    assert picture.shape == (2 + 2 + 2, 6 * 2 + 5 * 2, 3)
    # Foreground 1 x 0.6 = 0.6: 1.6 x 127.5 = 204. Mask 0.6 x 255 = 153. Composed 1.2 x 127.5 = 153, real 102.
    assert picture[0, ::4, 0].tolist() == picture[5, ::4, 0].tolist() == [0, 204, 153, 153, 102, 255]


def test_synthetic_layers_are_the_first_four_columns():
    assert (synthetic_grid(*layers()[:4]) == layer_grid(*layers())[:, : 4 * 2 + 3 * 2]).all()


def test_the_foreground_is_middle_grey_where_it_is_masked_out():
    tensors = layers()
    tensors[2] *= 0
    assert layer_grid(*tensors)[0, 4].tolist() == [128] * 3  # 127.5, rounded to even


def test_real_images_may_be_stored_ones_and_their_masks_without_an_axis():
    tensors = layers()
    tensors[4:] = np.full((2, 2, 2, 3), 7, np.uint8), np.full((2, 2, 2), 0.2, np.float32)
    assert layer_grid(*tensors)[0, 16::4, 0].tolist() == [7, 51]  # 0.2 x 255 = 51


def test_layers_of_different_numbers_of_samples_are_refused():
    with pytest.raises(ValueError, match=r"one tile a sample, got \[2, 2, 2, 2, 1, 2\]"):
        tensors = layers()
        layer_grid(*tensors[:4], tensors[4][:1], tensors[5])


def test_sheet_shows_photo_truth_ours_cut_out_and_baselines():
    images = np.full((1, 32, 32, 3), 10, np.uint8)
    ours, baseline = np.zeros((2, 1, 32, 32), bool)
    ours[:, :16], baseline[:] = True, True
    truth = np.full((1, 32, 32), 255, np.uint8)
    sheet = segmentation_sheet(images, truth, {"ours": ours, "grabcut": baseline})
    assert sheet.shape == (32, 5 * 32 + 4 * 2, 3)
    # Columns begin every 34 pixels. Row 0 is foreground and row 31 is not: there the last of 16 rows of
    # checks, 2 pixels each, begins with an odd one, (15, 0), grey 255, and goes on with an even one, 204.
    assert sheet[0, ::34, 0].tolist() == [10, 128, 255, 10, 255]
    assert sheet[31, ::34, 0].tolist() == [10, 128, 0, 255, 255]
    assert sheet[31, 3 * 34 + 2].tolist() == [204] * 3


def test_a_soft_mask_blends_the_cut_out_with_the_checkerboard():
    images, half = np.zeros((1, 16, 16, 3), np.uint8), np.full((1, 16, 16), 0.5, np.float32)
    sheet = segmentation_sheet(images, np.ones((1, 16, 16), np.uint8), {"ours": half})
    assert sheet[0, 3 * 18].tolist() == [102] * 3  # half of black and half of the even check's 204


def test_a_sheet_without_predictions_is_refused():
    with pytest.raises(ValueError, match="predictions must hold one method or more"):
        segmentation_sheet(np.zeros((1, 2, 2, 3), np.uint8), np.zeros((1, 2, 2), np.uint8), {})


@pytest.mark.parametrize(
    "rows, message",
    [
        ([], r"not empty, got lengths \[\]"),
        ([[]], r"not empty, got lengths \[0\]"),
        ([[solid(1)], [solid(1), solid(2)]], r"equally long and not empty, got lengths \[1, 2\]"),
        ([[solid(1), solid(1, 3, 2)]], r"of one size, got \[\(2, 2\), \(3, 2\)\]"),
        ([[np.zeros((2, 2), int)]], r"an image or a mask, got int64 \(2, 2\)"),
        ([[np.zeros((2, 2, 4), np.uint8)]], r"an image or a mask, got uint8 \(2, 2, 4\)"),
        ([[np.zeros((2, 2, 3), bool)]], r"an image or a mask, got bool \(2, 2, 3\)"),
    ],
)
def test_refuses(rows, message):
    with pytest.raises(ValueError, match=message):
        grid(rows)


def test_save_png_writes_the_pixels_in_a_new_folder(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    save_png(picture, tmp_path / "new" / "picture.png")
    assert (np.asarray(Image.open(tmp_path / "new" / "picture.png")) == picture).all()
