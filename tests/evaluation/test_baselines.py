import numpy as np
import pytest

from tf_layered_gan.evaluation import baselines
from tf_layered_gan.evaluation.baselines import (
    BASELINES,
    all_foreground,
    centred_disc,
    grabcut,
    otsu,
    pooled_hues,
    two_colours,
)
from tf_layered_gan.labelling.grabcut import grabcut_from_rectangle


def disc(size, radius):
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.hypot(x, y) < radius


def two_tone(mask, foreground, background):
    """Returns one image of two colours or greys, uint8 [1, height, width, 3]."""
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


def test_centred_disc_is_two_thirds_of_height_and_width():
    mask = centred_disc(np.zeros((1, 6, 12, 3), np.uint8))[0]
    assert mask.any(axis=0).sum() == 8 and mask.any(axis=1).sum() == 4
    assert (centred_disc(np.zeros((2, 12, 12, 3), np.uint8)) == disc(12, 4)).all()


# Grey is 0.299 R + 0.587 G + 0.114 B, so red 255 becomes grey 76. If red and blue were swapped, red 255 would become
# grey 29, like the area around the object.
@pytest.mark.parametrize("colour, surround", [(200, 40), (40, 200), ((255, 0, 0), 29)])
def test_otsu_finds_a_bright_or_dark_object(colour, surround):
    mask = disc(16, 5)
    assert (otsu(two_tone(mask, colour, surround)) == mask).all()


def test_otsu_takes_the_part_with_the_smaller_share_of_the_border():
    mask = np.zeros((8, 8), bool)
    mask[1:-1, 1:] = True  # the mask has 42 of all 64 pixels, but only 6 of the 28 border pixels
    assert (otsu(two_tone(mask, 40, 200)) == mask).all()
    assert (otsu(two_tone(mask, 200, 40)) == mask).all()


def test_two_colours_finds_the_largest_thing_of_the_inner_colour_despite_a_shadow():
    thing = np.zeros((32, 32), bool)
    thing[8:20, 6:24] = True  # an opening of 5 pixels keeps this rectangle and the smaller square
    speck, square = np.zeros_like(thing), np.zeros_like(thing)
    speck[28:31, 4:7], square[23:29, 22:28] = True, True
    image = two_tone(thing | speck | square, (200, 40, 40), (40, 60, 160))
    image[0, :, :16] //= 2  # a shadow
    assert (two_colours(image) == thing).all()


@pytest.mark.parametrize("baseline", [otsu, two_colours, pooled_hues])
@pytest.mark.parametrize("colour", [0, 127, (90, 40, 20)])
def test_finds_no_foreground_in_one_colour(baseline, colour):
    assert not baseline(np.broadcast_to(np.uint8(colour), (2, 16, 16, 3)).copy()).any()


def test_pooled_hues_uses_the_other_images():
    inside, cut_off = np.zeros((32, 32), bool), np.zeros((32, 32), bool)
    inside[6:24, 4:28], cut_off[:, :6] = True, True  # cut_off has 192 of 1,024 pixels and 44 of the 124 border pixels
    images = np.concatenate([two_tone(thing, (200, 40, 40), (40, 60, 160)) for thing in (inside, cut_off)])
    assert (pooled_hues(images) == [inside, cut_off]).all()
    # Without the other image, the area around `cut_off` counts as the object, because this area has a smaller share of
    # the border pixels than of all pixels.
    assert (pooled_hues(images[1:]) == ~cut_off).all()


def test_pooled_hues_clusters_a_sample_of_many_pixels():
    thing = np.kron(disc(16, 5), np.ones((32, 32))) > 0  # 262,144 pixels
    assert iou(pooled_hues(two_tone(thing, (200, 40, 40), (40, 160, 160)))[0], thing) > 0.98


def test_otsu_takes_the_brighter_part_if_the_border_is_shared_equally():
    left = np.arange(4)[None].repeat(4, 0) < 2  # the left part has 6 of the 12 border pixels
    assert (otsu(two_tone(left, 200, 40)) == left).all()
    assert (otsu(two_tone(left, 40, 200)) == ~left).all()


@pytest.mark.parametrize("size, least", [(32, 0.9), (64, 0.95), (160, 0.97)])
def test_grabcut_finds_a_clear_disc(size, least):
    mask = disc(size, size / 4)
    masks = grabcut(noisy(two_tone(mask, (220, 60, 40), (40, 90, 160))))
    assert masks.shape == (1, size, size) and masks.dtype == bool
    assert iou(masks[0], mask) > least


def test_grabcut_leaves_the_margin_background():
    bar = np.zeros((64, 64), bool)
    bar[24:40, :40] = True
    masks = grabcut(noisy(two_tone(bar, (220, 60, 40), (40, 90, 160))))
    bar[:, :1] = False  # the margin is 2 of 128 pixels, and therefore 1 of the 64 pixels here
    assert (masks[0] == bar).all()


def test_grabcut_may_find_nothing():
    # Stripes that run to the border look the same inside and outside the rectangle.
    stripes = np.arange(32)[None].repeat(32, 0) % 8 < 4
    assert not grabcut(noisy(two_tone(stripes, (220, 60, 40), (40, 90, 160)))).any()


def test_grabcut_does_not_depend_on_the_other_images():
    images = np.random.default_rng(1).integers(0, 256, (3, 4, 4, 3), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
    assert (grabcut(images)[1:] == grabcut(images[1:])).all()


@pytest.mark.parametrize("most_bytes, runs", [(2**16, 2), (1, 3)])
def test_grabcut_keeps_the_masks_of_small_images(most_bytes, runs, monkeypatch):
    seen = []

    def cut(image, iterations):
        seen.append(image)
        return grabcut_from_rectangle(image, iterations)

    monkeypatch.setattr(baselines, "_MOST_BYTES", most_bytes)
    monkeypatch.setattr(baselines, "grabcut_from_rectangle", cut)
    baselines._remembered_grabcut.cache_clear()
    mask = np.zeros((34, 30), bool)
    mask[8:20, 8:20] = True
    first, other = noisy(two_tone(mask, 220, 40)), noisy(two_tone(mask, 40, 220))
    found = [grabcut(images) for images in (first, other, first)]
    assert len(seen) == runs
    assert found[2].dtype == bool and found[2].any() and (found[0] == found[2]).all()
    assert (found[2][0] == grabcut_from_rectangle(first[0], 5)).all()


@pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)
@pytest.mark.parametrize("images", [np.zeros((1, 8, 8, 3), "float32"), np.zeros((8, 8, 3), np.uint8)])
def test_refuses_other_types_and_shapes(baseline, images):
    with pytest.raises(ValueError, match="images must be uint8"):
        baseline(images)
