"""A folder of photos for tiny runs."""

import numpy as np
from PIL import Image


def write_photos(path, count=12, masks=4):
    """Writes photos of noise, and masks for the last photos. Returns the config fields that name both folders."""
    generator = np.random.default_rng(0)
    for name in ("images", "masks"):
        (path / name).mkdir(parents=True)
    for i in range(count):
        photo = generator.integers(0, 256, (20, 24, 3), np.uint8)
        Image.fromarray(photo).save(path / "images" / f"{i:02d}.png")
        if i >= count - masks:
            Image.fromarray((photo[..., 0] > 99) * np.uint8(255)).save(path / "masks" / f"{i:02d}.png")
    return {"data.path": str(path / "images"), "data.masks": str(path / "masks")}
