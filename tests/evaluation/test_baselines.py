import sys

import numpy as np
import pytest

from tf_layered_gan.evaluation.baselines import (
    BASELINES,
    all_foreground,
    centred_disc,
    grabcut,
    otsu,
    pooled_hues,
    two_colours,
)


def disc(size, radius):
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.hypot(x, y) < radius


def picture(mask, foreground, background):
    """One picture, uint8 [1, height, width, 3], of two colours or greys."""
    colours = (np.broadcast_to(np.uint8(colour), 3) for colour in (foreground, background))
    return np.where(mask[..., None], *colours)[None]


def iou(predicted, truth):
    return (predicted & truth).sum() / (predicted | truth).sum()


def noisy(images, seed=0):
    noise = np.random.default_rng(seed).normal(0, 12, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def test_all_foreground():
    masks = all_foreground(np.zeros((2, 4, 3, 3), np.uint8))
    assert masks.shape == (2, 4, 3) and masks.dtype == bool and masks.all()


def test_centred_disc_is_two_thirds_of_the_picture_wide_and_the_same_in_each():
    masks = centred_disc(np.zeros((2, 12, 12, 3), np.uint8))
    assert masks.dtype == bool
    assert (masks == disc(12, 4)).all()


def test_centred_disc_stretches_with_the_picture():
    mask = centred_disc(np.zeros((1, 6, 12, 3), np.uint8))[0]
    assert mask.any(axis=0).sum() == 8 and mask.any(axis=1).sum() == 4  # two thirds of 12 and of 6


@pytest.mark.parametrize("object_grey, surround_grey", [(200, 40), (40, 200)])
def test_otsu_is_exact_on_two_greys_whichever_is_the_brighter(object_grey, surround_grey):
    mask = disc(16, 5)
    assert (otsu(picture(mask, object_grey, surround_grey)) == mask).all()


def test_otsu_takes_the_part_with_less_of_the_border():
    mask = np.zeros((8, 8), bool)
    mask[1:-1, 1:] = True  # 42 of all 64 pixels, but 6 of the 28 at the border
    assert (otsu(picture(mask, 40, 200)) == mask).all()
    assert (otsu(picture(mask, 200, 40)) == mask).all()


def test_two_colours_finds_the_larger_thing_of_the_inner_colour_at_any_brightness():
    thing = np.zeros((32, 32), bool)
    thing[8:20, 6:24] = True  # survives an opening of 5 pixels; so does the square of 6, which is smaller
    speck, square = np.zeros_like(thing), np.zeros_like(thing)
    speck[28:31, 4:7], square[23:29, 22:28] = True, True
    image = picture(thing | speck | square, (200, 40, 40), (40, 60, 160))
    image[0, :, :16] //= 2  # a shadow
    assert (two_colours(image) == thing).all()


def test_two_colours_finds_nothing_in_a_picture_of_one_colour():
    assert not two_colours(np.full((1, 16, 16, 3), 90, np.uint8)).any()


def test_pooled_hues_knows_an_object_by_the_other_pictures():
    inside, cut_off = np.zeros((32, 32), bool), np.zeros((32, 32), bool)
    inside[6:24, 4:28], cut_off[:, :6] = True, True  # the latter, 192 of 1,024 pixels, has 44 of the 124 at the border
    images = np.concatenate([picture(thing, (200, 40, 40), (40, 60, 160)) for thing in (inside, cut_off)])
    assert (pooled_hues(images) == [inside, cut_off]).all()
    assert (pooled_hues(images[1:]) == ~cut_off).all()  # by itself: what has less of the border


def test_pooled_hues_clusters_more_pixels_than_it_looks_at():
    thing = np.kron(disc(16, 5), np.ones((32, 32))) > 0  # 262,144 pixels
    assert iou(pooled_hues(picture(thing, (200, 40, 40), (40, 160, 160)))[0], thing) > 0.98


def test_pooled_hues_finds_nothing_in_pictures_of_one_colour():
    assert not pooled_hues(np.full((2, 16, 16, 3), (90, 40, 20), np.uint8)).any()


def test_otsu_takes_the_brighter_part_where_the_border_is_shared():
    left = np.arange(4)[None].repeat(4, 0) < 2  # 6 of the 12 border pixels
    assert (otsu(picture(left, 200, 40)) == left).all()
    assert (otsu(picture(left, 40, 200)) == ~left).all()


@pytest.mark.parametrize("grey", [0, 127])
def test_otsu_finds_no_foreground_in_a_single_grey(grey):
    assert not otsu(np.full((1, 8, 8, 3), grey, np.uint8)).any()


def test_otsu_weighs_the_colours_as_red_green_blue():
    # Grey is 0.299 R + 0.587 G + 0.114 B: red 255 gives 76; read as blue 29, the surround's grey.
    square = np.zeros((9, 9), bool)
    square[3:6, 3:6] = True
    assert (otsu(picture(square, (255, 0, 0), 29)) == square).all()


@pytest.mark.parametrize("size, least", [(32, 0.9), (64, 0.95), (160, 0.97)])
def test_grabcut_finds_a_clear_disc(size, least):
    mask = disc(size, size / 4)
    masks = grabcut(noisy(picture(mask, (220, 60, 40), (40, 90, 160))))
    assert masks.shape == (1, size, size) and masks.dtype == bool
    assert iou(masks[0], mask) > least


def test_grabcut_leaves_the_margin_background():
    bar = np.zeros((32, 32), bool)
    bar[12:20, :20] = True
    masks = grabcut(noisy(picture(bar, (220, 60, 40), (40, 90, 160))), margin=0.1)
    bar[:, :3] = False  # at 128 pixels int(12.8) = 12 are left free, 3 of these 32
    assert (masks[0] == bar).all()


def test_grabcut_of_what_reaches_the_border_may_be_empty():
    # Everything inside the rectangle looks like what lies outside it, in stripes that run to the border.
    stripes = np.arange(32)[None].repeat(32, 0) % 8 < 4
    assert not grabcut(noisy(picture(stripes, (220, 60, 40), (40, 90, 160)))).any()


def test_grabcut_takes_a_single_colour_and_noise():
    noise = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    masks = grabcut(np.concatenate([np.full_like(noise, 90), noise]), margin=0.3)
    assert masks.shape == (2, 32, 32) and not masks[:, 0].any()


def test_grabcut_of_an_image_is_independent_of_the_others():
    images = np.random.default_rng(1).integers(0, 256, (3, 4, 4, 3), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
    assert (grabcut(images)[1:] == grabcut(images[1:])).all()


@pytest.mark.parametrize("margin", [0, 0.5, -0.1])
def test_grabcut_refuses_a_margin_that_leaves_nothing_on_either_side(margin):
    with pytest.raises(ValueError, match=f"margin .* got {margin}"):
        grabcut(np.zeros((1, 8, 8, 3), np.uint8), margin=margin)


def test_grabcut_refuses_no_iterations():
    with pytest.raises(ValueError, match="iterations .* got 0"):
        grabcut(np.zeros((1, 8, 8, 3), np.uint8), iterations=0)


@pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)
@pytest.mark.parametrize("images", [np.zeros((1, 8, 8, 3), "float32"), np.zeros((8, 8, 3), np.uint8)])
def test_refuses_other_types_and_shapes(baseline, images):
    with pytest.raises(ValueError, match="images must be uint8"):
        baseline(images)


@pytest.mark.parametrize("baseline", [otsu, grabcut])
def test_says_what_to_install_without_opencv(baseline, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match="pip install opencv-python-headless"):
        baseline(np.zeros((1, 8, 8, 3), np.uint8))
