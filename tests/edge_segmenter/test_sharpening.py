"""Tests of the sharpening of masks by colours and edges."""

import numpy as np
import pytest

from edge_segmenter import sharpening

# The values are CIELAB colours for the white point D65, from Lindbloom's tables of the sRGB primaries.
KNOWN = {(255, 0, 0): (53.24, 80.09, 67.20), (0, 255, 0): (87.73, -86.18, 83.18), (0, 0, 255): (32.30, 79.19, -107.86)}


def test_cielab_of_known_colours():
    for colour, expected in {**KNOWN, (255, 255, 255): (100, 0, 0), (0, 0, 0): (0, 0, 0)}.items():
        assert sharpening._cielab(np.array([[colour]], np.uint8))[0, 0] == pytest.approx(expected, abs=0.05)


def test_colours_of_a_palette_get_a_bin_each():
    palette = np.array([*KNOWN, (255, 255, 255), (0, 0, 0)], np.uint8)
    places = np.random.default_rng(0).integers(len(palette), size=(90, 110))
    bins = sharpening._bins(sharpening._cielab(palette[places]).reshape(-1, 3))
    assert len(set(zip(bins, places.ravel(), strict=True))) == len(palette)


def test_the_filter_keeps_edges_of_the_guide_and_smooths_the_rest():
    guide = np.zeros((40, 40))
    guide[:, 20:] = 1
    noisy = guide + np.random.default_rng(0).normal(0, 0.1, guide.shape)
    slope, offset = sharpening._guided_filter(guide, noisy, 3)
    filtered = slope * guide + offset
    assert np.abs(filtered - guide).max() < 0.12 < np.abs(noisy - guide).max()


def test_the_mean_leaves_out_missing_rows():
    rows = np.arange(5.0)[:, None]
    assert sharpening._box_mean(rows, 1)[:, 0].tolist() == [0.5, 1, 2, 3, 3.5]


def test_a_large_image_gets_a_boundary_as_fine_as_its_own():
    y, x = np.ogrid[:600, :900]
    inside = (y - 300) ** 2 + (x - 450) ** 2 < 200**2
    image = np.where(inside[..., None], (200, 60, 50), (60, 140, 70)).astype(np.uint8)
    rough = np.where((y - 320) ** 2 + (x - 470) ** 2 < 200**2, 0.9, 0.1).astype(np.float32)
    sharpened = sharpening.sharpen(image, rough)
    assert sharpened.shape == inside.shape and sharpened.dtype == np.float32
    assert ((sharpened > 0.5) != inside).mean() < 0.002 < ((rough > 0.5) != inside).mean() / 10
