"""Weights of no meaning for the Inception-v3 of FID, the same in every environment that has numpy."""

import zlib

import numpy as np


def array(name, shape):
    """The array of a name of the frozen graph; such that features keep a size of about 1 through 48 layers."""
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("conv2d_params"):
        return (generator.standard_normal(shape) * np.sqrt(2 / np.prod(shape[:3]))).astype(np.float32)
    if name.endswith("moving_variance"):
        return generator.uniform(0.5, 1.5, shape).astype(np.float32)
    return (generator.standard_normal(shape) / 10).astype(np.float32)


def pictures():
    """Two pictures, uint8 [2, 96, 128, rgb]: noise of 8-pixel squares, and noise."""
    coarse, fine = np.random.default_rng(0).integers(0, 256, (2, 96, 128, 3), np.uint8)
    return np.stack([coarse[::8, ::8].repeat(8, 0).repeat(8, 1), fine])
