import numpy as np
import pytest
from PIL import Image

from tf_layered_gan.evaluation.image_grid import (
    cut_out,
    enlargement,
    grid,
    layer_grid,
    save_png,
    segmentation_sheet,
    synthetic_grid,
)

ORANGE = [255, 170, 0]


def solid(colour, height=2, width=2):
    return np.broadcast_to(np.uint8(colour), (height, width, 3))


def test_grid_has_two_pixels_between_neighbours_and_none_around():
    red, blue = solid([255, 0, 0], 2, 3), solid([0, 0, 255], 2, 3)
    image = grid([[red, blue], [blue, red]])
    assert image.shape == (2 + 2 + 2, 3 + 2 + 3, 3) and image.dtype == np.uint8
    assert (image[:2, :3] == [255, 0, 0]).all() and (image[4:, :3] == [0, 0, 255]).all()
    assert (image[2:4] == ORANGE).all() and (image[:, 3:5] == ORANGE).all()


def test_scale_enlarges_tiles_but_not_separators():
    tile = solid([9, 9, 9]).copy()
    tile[0, 1] = [1, 2, 3]
    image = grid([[tile, tile]], scale=3)
    assert image.shape == (6, 6 + 2 + 6, 3)
    assert (image[:3, 3:6] == [1, 2, 3]).all() and (image[3:, :6] == 9).all() and (image[:3, :3] == 9).all()


def test_values_that_are_not_finite_can_be_drawn():
    image = grid([[np.array([[[np.nan, np.inf, -np.inf]]], np.float32)]])
    assert image.tolist() == [[[0, 255, 0]]]


def pixel(tile):
    return grid([[tile]])[0, 0].tolist()


def test_float_images_are_in_minus_one_to_one():
    # The greys are (-1 + 1) 127.5 = 0, (0.2 + 1) 127.5 = 153, and (1.1 + 1) 127.5 = 267.75, which is clipped to 255.
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
    background, foreground, composed = (np.full((samples, 2, 2, 3), value, np.float32) for value in (-1, 1, 0.2))
    mask, real = np.full((samples, 2, 2, 1), 0.6, np.float32), np.full((samples, 2, 2, 3), 102, np.uint8)
    return [background, foreground, mask, composed, real, np.full((samples, 2, 2), 0.2, np.float32)]


STEP = 128 + 2  # pixels from one tile to the next: a tile of 64 * 2 pixels and a gap of 2
HEADING = 16 + 2  # pixels


def test_layer_grid_has_headings_and_one_row_per_sample():
    image = layer_grid(*layers())
    assert image.shape == (HEADING + 2 * 128 + 2, 6 * STEP - 2, 3)
    # The masked foreground is 1 x 0.6 = 0.6, so its grey is 1.6 x 127.5 = 204. The grey of the mask is 0.6 x 255 = 153.
    # The grey of the composed image is 1.2 x 127.5 = 153. In the photo's mask, all values are 0.2. So the photo keeps
    # 0.4 + 0.6 x 0.2 = 0.52 of its brightness, and its grey falls from 102 to 53.
    assert image[HEADING, ::STEP, 0].tolist() == image[-1, ::STEP, 0].tolist() == [0, 204, 153, 153, 102, 53]


def test_every_column_has_a_heading():
    strip = layer_grid(*layers())[:HEADING]
    dark = (strip < 100).all(2).any(0)
    assert [dark[i : i + 128].any() for i in range(0, 6 * STEP, STEP)] == [True] * 6
    assert (strip[:, 128 : 128 + 2] == 255).all()


def test_long_headings_have_several_lines():
    one, two = (grid([[solid(9, 2, 64)]], headings=[text]) for text in ("mask", "a heading of many words"))
    assert one.shape == (16 + 2 + 2, 64, 3) and two.shape == (4 * 16 + 2 + 2, 64, 3)


@pytest.mark.parametrize("width, scale", [(32, 4), (64, 2), (100, 2), (128, 1), (256, 1)])
def test_images_in_sheets_are_at_least_128_pixels_wide(width, scale):
    assert enlargement(np.zeros((0, width, width, 3))) == scale


def test_synthetic_grid_is_the_first_four_columns_of_layer_grid():
    assert (synthetic_grid(*layers()[:4]) == layer_grid(*layers())[:, : 4 * STEP - 2]).all()


@pytest.mark.parametrize("place", [2, 4])
def test_layer_grid_refuses_different_numbers_of_samples(place):
    tensors = layers()
    tensors[place] = tensors[place][:1]
    with pytest.raises(
        ValueError, match=r"one tile for each sample, got \[2, 2, 1, 2, 2, 2\]|got 1 photos and 2 masks"
    ):
        layer_grid(*tensors)


def test_sheet_columns():
    images = np.full((1, 32, 32, 3), 10, np.uint8)
    ours, baseline = np.zeros((2, 1, 32, 32), bool)
    ours[:, :16], baseline[:] = True, True
    truth = np.full((1, 32, 32), 255, np.uint8)
    sheet = segmentation_sheet(images, truth, {"ours": ours, "grabcut": baseline})[HEADING:]
    assert sheet.shape == (128, 5 * STEP - 2, 3)
    # The mask "ours" covers the upper half, where the photo keeps its grey of 10. In the lower half, the darkened photo
    # has the grey 4, and the cut-out shows a checkerboard, whose squares have 2x2 pixels. The square in row 15 and
    # column 1, counted from 0, has the grey 204. Unlabelled pixels keep 0.4 + 0.6 x 0.5 = 0.7 of their brightness.
    assert sheet[32, 12::STEP, 0].tolist() == [10, 7, 10, 10, 10]
    assert sheet[60 + 64, 12::STEP, 0].tolist() == [10, 7, 4, 204, 10]


def test_cut_out_blends_with_the_checkerboard_by_the_mask():
    images, half = np.zeros((1, 16, 16, 3), np.uint8), np.full((1, 16, 16), 0.5, np.float32)
    assert cut_out(images, half)[0, 0, 0].tolist() == [102] * 3  # the mean of black and of the checkerboard's grey 204


@pytest.mark.parametrize(
    "rows, message",
    [
        ([], r"not be empty, got rows of the lengths \[\]"),
        ([[]], r"not be empty, got rows of the lengths \[0\]"),
        ([[solid(1)], [solid(1), solid(2)]], r"the same length, .* got rows of the lengths \[1, 2\]"),
        ([[solid(1), solid(1, 3, 2)]], r"the same size, got \[\(2, 2\), \(3, 2\)\]"),
        ([[np.zeros((2, 2), int)]], r"an image or a mask, got int64 \(2, 2\)"),
        ([[np.zeros((2, 2, 4), np.uint8)]], r"an image or a mask, got uint8 \(2, 2, 4\)"),
        ([[np.zeros((2, 2, 3), bool)]], r"an image or a mask, got bool \(2, 2, 3\)"),
    ],
)
def test_refuses(rows, message):
    with pytest.raises(ValueError, match=message):
        grid(rows)


def test_save_png_writes_the_pixels_in_a_new_folder(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    save_png(image, tmp_path / "new" / "image.png")
    assert (np.asarray(Image.open(tmp_path / "new" / "image.png")) == image).all()
