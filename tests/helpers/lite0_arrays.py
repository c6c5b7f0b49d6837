"""Random weights for EfficientNet-Lite0. They are the same in every environment that has numpy."""

import zlib

import numpy as np


def array(name, shape):
    """Returns random weights for a published name and shape, scaled so that feature maps stay near 1."""
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    if len(shape) == 4:
        return (generator.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))).astype(np.float32)
    if name.endswith((".weight", ".running_var")):
        return generator.uniform(0.5, 1.5, shape).astype(np.float32)
    return (generator.standard_normal(shape) / 10).astype(np.float32)


def noise():
    """Returns two images, float32 [2, 64, 64, rgb] in [-1, 1]."""
    return np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
