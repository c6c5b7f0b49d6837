"""A folder of photos and a folder of masks, and the warnings that reading them gives."""

import pytest
from absl import logging
from folder_photos import save, save_mask


@pytest.fixture
def photos(tmp_path):
    """A folder of three red photos. A folder of fewer photos is refused. The photo b.png is used for training."""
    for name in "abc":
        save(tmp_path / "photos" / f"{name}.png")
    return tmp_path / "photos"


@pytest.fixture
def masks(photos):
    """A folder of masks for three of six photos: d, e and f. The left half of each mask is foreground."""
    for name in "def":
        save(photos / f"{name}.png", (ord(name), 0, 0), size=(4, 4))
        save_mask(photos.parent / "masks" / f"{name}.png", [[255, 255, 0, 0]] * 4)
    return photos.parent / "masks"


@pytest.fixture
def warnings(monkeypatch):
    """The warnings that were logged, as a list of lines."""
    lines = []
    monkeypatch.setattr(logging, "warning", lambda line, *values: lines.append(line % values))
    return lines
