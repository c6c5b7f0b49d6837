"""Sharpens a network's mask by the colours and the edges of its image. Not in the paper."""

import numpy as np

_BINS, _PIXELS, _ROUNDS = 24, 4096, 10  # of k-means
_ITERATIONS, _LEAST = 3, 0.02
_PRIOR_PIXELS = 8  # pulls the share of a bin with few pixels to the image's share
_RADIUS, _REGULARISATION = 1 / 24, 1e-3  # of the guided filter: share of the width, and squared lightness

_LINEAR = np.array([v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.arange(256) / 255])
_RGB_TO_XYZ = np.array([[0.412456, 0.357576, 0.180438], [0.212673, 0.715152, 0.072175], [0.019334, 0.119192, 0.950304]])
_RGB_TO_XYZ /= _RGB_TO_XYZ.sum(1, keepdims=True)  # white becomes (1, 1, 1)


def sharpen(image: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Sharpens a mask by the colours that lie inside it, and by the edges of the image.

    The colours of the image are put into 24 bins (k-means in CIELAB). The share of a bin that the mask marks as
    foreground is a second opinion on each pixel of the bin, and the odds of both are multiplied. This is done three
    times, since a better mask gives better shares. Then a guided filter (He et al. 2010) with the lightness as its
    guide moves the boundary to the edges in the image. The same input gives the same result.

    Args:
        image: uint8 [height, width, rgb].
        probability: of the foreground, float32 [height, width] in [0, 1].

    Returns:
        float32 [height, width] in [0, 1].
    """
    lab = _cielab(image)
    bins = _bins(lab.reshape(-1, 3))
    prior = np.clip(probability, _LEAST, 1 - _LEAST)
    posterior, counts = prior, np.bincount(bins, minlength=_BINS)
    for _ in range(_ITERATIONS):
        mean, inside = posterior.mean(), np.bincount(bins, posterior.ravel(), _BINS)
        by_colour = ((inside + _PRIOR_PIXELS * mean) / (counts + _PRIOR_PIXELS))[bins].reshape(prior.shape)
        posterior = 1 / (1 + (1 - prior) / prior * (1 - by_colour) / by_colour * mean / (1 - mean))
    radius = round(_RADIUS * image.shape[1])
    return _guided_filter(lab[..., 0] / 100, posterior, radius).astype(np.float32)


def _cielab(image: np.ndarray) -> np.ndarray:
    """Converts uint8 sRGB [height, width, rgb] to CIELAB (white point D65), float32 [height, width, 3]."""
    xyz = _LINEAR.astype(np.float32)[image] @ _RGB_TO_XYZ.T.astype(np.float32)
    linear_part = xyz * np.float32((29 / 6) ** 2 / 3) + np.float32(4 / 29)
    x, y, z = np.moveaxis(np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), linear_part), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _bins(pixels: np.ndarray) -> np.ndarray:
    """Returns the bin of each pixel of float32 [pixel, 3]; at most 4,096 pixels, evenly spaced, decide the bins."""
    sample = pixels[:: 1 + len(pixels) // _PIXELS]
    centres = _first_centres(sample)
    for _ in range(_ROUNDS):
        nearest = _nearest(sample, centres)
        counts = np.bincount(nearest, minlength=len(centres))[:, None]
        sums = np.stack([np.bincount(nearest, axis, len(centres)) for axis in sample.T], axis=1)
        centres = np.where(counts > 0, sums / np.maximum(counts, 1), centres).astype(np.float32)
    return _nearest(pixels, centres)


def _first_centres(sample: np.ndarray) -> np.ndarray:
    """Draws at most `_BINS` different pixels, most of them far from one another (k-means++)."""
    random = np.random.default_rng(0)
    centres = [sample[random.integers(len(sample))]]
    distances = np.full(len(sample), np.inf)
    while len(centres) < _BINS:
        distances = np.minimum(distances, ((sample - centres[-1]) ** 2).sum(1))
        if distances.sum() == 0:
            break
        centres.append(sample[random.choice(len(sample), p=distances / distances.sum())])
    return np.stack(centres)


def _nearest(pixels: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return ((centres**2).sum(1) - 2 * pixels @ centres.T).argmin(1)


def _guided_filter(guide: np.ndarray, values: np.ndarray, radius: int) -> np.ndarray:
    """Filters float [height, width]; around each pixel the result is a linear function of the guide."""

    def mean(array: np.ndarray) -> np.ndarray:
        return _box_mean(_box_mean(array, radius).T, radius).T

    guide_mean, value_mean = mean(guide), mean(values)
    covariance = mean(guide * values) - guide_mean * value_mean
    slope = covariance / (mean(guide * guide) - guide_mean**2 + _REGULARISATION)
    return np.clip(mean(slope) * guide + mean(value_mean - slope * guide_mean), 0, 1)


def _box_mean(array: np.ndarray, radius: int) -> np.ndarray:
    """Returns the mean over the rows at most `radius` away that exist."""
    total = np.concatenate([np.zeros((1, array.shape[1])), np.cumsum(array, axis=0, dtype=np.float64)])
    rows = np.arange(len(array))
    first, end = np.maximum(rows - radius, 0), np.minimum(rows + radius + 1, len(array))
    return (total[end] - total[first]) / (end - first)[:, None]
