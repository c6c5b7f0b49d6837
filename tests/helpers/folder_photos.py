"""Tiny photos and masks in folders, for the tests of reading them."""

import numpy as np
from PIL import Image

RED, GREEN = (255, 0, 0), (0, 255, 0)
SIZES = {"resolution": 4, "storage_size": 6}


def save(path, color=RED, *, size=(8, 8), mode="RGB", **options):
    """Saves a photo of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path, **options)


def save_mask(path, grey):
    """Saves a mask. `grey` holds its values, [height, width]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(grey, np.uint8)).save(path)
