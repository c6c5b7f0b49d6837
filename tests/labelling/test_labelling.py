"""Tests of masks made by GrabCut and by colours."""

import numpy as np
import pytest

from edge_segmenter.sharpening import sharpen
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.labelling import labels
from tf_layered_gan.labelling.grabcut import grabcut_from_rectangle

SIZE = 64


def disc(centre=(32, 32), radius=18):
    y, x = np.ogrid[:SIZE, :SIZE]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2


def photo(mask, seed=0):
    """Returns an image of a red object on a green background, both with noise."""
    colours = np.where(mask[..., None], (200, 60, 50), (60, 140, 70))
    return np.clip(colours + np.random.default_rng(seed).normal(0, 12, (SIZE, SIZE, 3)), 0, 255).astype(np.uint8)


def iou(mask, other):
    return (mask & other).sum() / (mask | other).sum()


def test_grabcut_finds_an_object_in_the_rectangle():
    assert iou(grabcut_from_rectangle(photo(disc()), 2), disc()) > 0.95


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_mask_without_a_boundary_stays(value):
    flat = np.full((SIZE, SIZE), value, np.float32)
    assert ((sharpen(photo(disc()), flat) > 0.5) == (value > 0.5)).all()


def test_colours_move_the_boundary_to_that_of_the_object():
    rough = np.where(disc(centre=(36, 35)), 0.8, 0.2).astype(np.float32)
    sharpened = sharpen(photo(disc()), rough)
    assert sharpened.dtype == np.float32 and sharpened.min() >= 0 and sharpened.max() <= 1
    assert iou(rough > 0.5, disc()) < 0.7 < 0.9 < iou(sharpened > 0.5, disc())


def test_flat_photos_have_masks():
    grey = np.full((SIZE, SIZE, 3), 127, np.uint8)
    assert grabcut_from_rectangle(grey, 2).dtype == bool
    assert np.isfinite(sharpen(grey, disc().astype(np.float32))).all()


def test_grabcut_is_the_same_on_any_number_of_cores():
    images = np.stack([photo(disc(radius=8 + i), seed=i) for i in range(6)])
    found = labels.find_masks(images)
    for i in range(len(images)):
        assert (labels.find_masks(images[i : i + 1])[0] == found[i]).all()


@pytest.mark.parametrize("too_large", [0, 4])
def test_sharpening_keeps_the_mean_size(too_large):
    rough = np.stack([disc(radius=radius + too_large) for radius in (12, 18)])
    images = np.stack([photo(disc(radius=radius), seed=radius) for radius in (12, 18)])
    sharpened = labels.sharpen_masks(images, np.where(rough, 0.8, 0.2).astype(np.float32))
    assert abs(sharpened.mean() / rough.mean() - 1) < 0.1


def test_masks_without_a_boundary_stay():
    images, rough = np.stack([photo(disc())] * 2), np.stack([np.zeros((SIZE, SIZE)), np.ones((SIZE, SIZE))])
    for i in (0, 1):
        assert (labels.sharpen_masks(images[:1], rough[i : i + 1].astype(np.float32)) == rough[i]).all()


def test_grabcut_takes_part_where_it_agrees():
    images, found = np.stack([photo(disc())] * 2), np.stack([disc(radius=20), disc(centre=(10, 10), radius=9)])
    probabilities = np.stack([np.where(disc(), 0.9, 0.1)] * 2).astype(np.float32)
    alone, together = labels.sharpen_masks(images, probabilities), labels.sharpen_masks(images, probabilities, found)
    assert (together[0] != alone[0]).any() and (together[1] & found[1] & ~alone[1]).sum() == 0


def test_only_plausible_masks_are_learned_from():
    masks = np.stack([disc(radius=radius) for radius in (3, 18, 18, 60)])
    rough = np.stack([disc(radius=3), disc(radius=16), disc(centre=(5, 5), radius=10), disc(radius=60)])
    assert labels.plausible(masks, None, (0.03, 0.9)).tolist() == [False, True, True, False]
    assert labels.plausible(masks, rough, (0.03, 0.9)).tolist() == [False, True, False, False]


def test_photos_are_chosen_evenly():
    photos = Photos(np.zeros((10, 4, 4, 3), np.uint8), None, tuple("abcdefghij"))
    assert labels.evenly_chosen(photos, 4).names == ("a", "d", "g", "j")
    assert labels.evenly_chosen(photos, 99).names == photos.names


def test_agreement_of_masks():
    full, empty = np.ones((2, 2), bool), np.zeros((2, 2), bool)
    half = np.array([[True, True], [False, False]])
    assert labels.agreements(np.stack([full, empty, half]), np.stack([half, empty, empty])).tolist() == [0.5, 1, 0]
