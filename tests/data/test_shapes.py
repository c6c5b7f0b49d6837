import numpy as np
import pytest
from assertions import assert_same_splits

from tf_layered_gan.data import shapes


@pytest.fixture(scope="module")
def drawn():
    return [shapes.draw(np.random.default_rng([0, i]), 32) for i in range(100)]


def test_an_image_is_its_foreground_inside_the_mask_and_its_background_outside(drawn):
    for layers in drawn[:10]:
        inside = _eroded(layers["mask"] == 1)
        outside = _eroded(layers["mask"] == 0)
        np.testing.assert_array_equal(layers["image"][inside], layers["foreground"][inside])
        np.testing.assert_array_equal(layers["image"][outside], layers["background"][outside])


def test_objects_lie_in_the_image_and_vary_in_size(drawn):
    shares = np.stack([layers["mask"] for layers in drawn]).mean((1, 2))
    assert shares.min() > 0.05
    assert shares.max() < 0.5
    assert shares.max() > 2 * shares.min()


def test_every_shape_covers_its_centre_and_lies_in_the_disc_of_radius_1_16():
    # The corner of the square is furthest from the origin, at a distance of 0.8 * sqrt(2) = 1.13. The tip of the star
    # has the distance 0.52 + 0.6 = 1.12.
    x, y = np.meshgrid(np.linspace(-1.5, 1.5, 301), np.linspace(-1.5, 1.5, 301))
    areas = []
    for shape in shapes.SHAPES:
        inside = shapes._inside(shape, x, y)
        assert inside[150, 150], shape
        assert np.hypot(x, y)[inside].max() < 1.16, shape
        areas.append(inside.mean() * 9)
    assert areas[0] == pytest.approx(np.pi * 0.9**2, rel=0.02)  # disc
    assert areas[1] == pytest.approx(1.6**2, rel=0.02)  # square


def test_the_images_are_always_the_same_and_differ_between_splits():
    splits, again = (shapes.load(train=3, held_out=2, resolution=16, storage_size=20) for _ in range(2))
    np.testing.assert_array_equal(splits.test.images, again.test.images)
    np.testing.assert_array_equal(splits.train.images, again.train.images)
    assert not np.array_equal(splits.test.images, splits.validation.images)
    assert splits.train.images.shape == (3, 20, 20, 3)
    assert splits.test.images.shape == (2, 16, 16, 3)
    assert splits.train.masks is None
    assert splits.test.masks.shape == (2, 16, 16)


def test_painted_images_are_cached_until_something_changes(tmp_path, monkeypatch):
    sizes = {"train": 3, "held_out": 2, "resolution": 16, "storage_size": 20}
    drawn, first = shapes.load(**sizes), shapes.load(**sizes, cache=tmp_path)
    other = shapes.load(**sizes | {"train": 4}, cache=tmp_path)
    monkeypatch.setattr(shapes, "draw", None)  # drawing again would now fail
    again = shapes.load(**sizes, cache=tmp_path)
    assert_same_splits(first, drawn)
    assert_same_splits(again, drawn)
    assert len(other.train) == 4


def test_another_painter_paints_again(tmp_path, monkeypatch):
    sizes = {"train": 1, "held_out": 1, "resolution": 16, "storage_size": 16}
    shapes.load(**sizes, cache=tmp_path / "cache")
    (tmp_path / "shapes.py").write_text("another painter")
    monkeypatch.setattr(shapes, "__file__", str(tmp_path / "shapes.py"))
    (before,) = (tmp_path / "cache").glob("[0-9a-f]*")
    shapes.load(**sizes, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").glob("[0-9a-f]*")) != [before]


def _eroded(mask):
    """Returns a mask of the pixels whose eight neighbours are all in the given mask.

    No outline crosses such a pixel.
    """
    padded = np.pad(mask, 1)
    height, width = mask.shape
    return np.all([padded[i : i + height, j : j + width] for i in range(3) for j in range(3)], axis=0)
