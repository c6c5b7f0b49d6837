"""Tests of the exponents and the plot of `benchmarks.speed.growth`. No training step is run."""

import pytest
from PIL import Image

from benchmarks.speed import growth


def test_exponent_of_a_power():
    assert growth.exponent({2: 12.0, 4: 48.0, 8: 192.0}) == pytest.approx(2)


def test_each_axis_is_drawn(tmp_path):
    found = {name: {value: 0.1 * value for value in values} for name, (_, values) in growth._AXES.items()}
    growth.draw(found, tmp_path / "growth.png")
    with Image.open(tmp_path / "growth.png") as image:
        assert image.size == (1530, 288)  # five plots side by side


def test_photos_are_read_from_a_dataset_of_any_size():
    found = growth.measure({value: growth.photo_reader(value) for value in (1, 1_000)}, turns=1)
    assert list(found) == [1, 1_000] and min(found.values()) > 0
