"""Random weights for the Inception-v3 of FID. They are the same in every environment that has numpy."""

import zlib

import numpy as np


def array(name, shape):
    """Returns random weights for an array of the frozen graph, scaled so that features stay near 1 in all 48 layers."""
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("conv2d_params"):
        return (generator.standard_normal(shape) * np.sqrt(2 / np.prod(shape[:3]))).astype(np.float32)
    if name.endswith("moving_variance"):
        return generator.uniform(0.5, 1.5, shape).astype(np.float32)
    return (generator.standard_normal(shape) / 10).astype(np.float32)


def two_images():
    """Returns two images, uint8 [2, 96, 128, rgb]: noise of 8-pixel squares, and noise of single pixels."""
    coarse, fine = np.random.default_rng(0).integers(0, 256, (2, 96, 128, 3), np.uint8)
    return np.stack([coarse[::8, ::8].repeat(8, 0).repeat(8, 1), fine])
