"""Sharpening of a network's mask by the colours and the edges of its image.

The paper that this program implements has no such step.
"""

import numpy as np
from PIL import Image

# The longest side in pixels. Larger images are reduced to this length, except in the last step.
_LONGEST = 256
_BINS, _PIXELS, _ROUNDS = 24, 4096, 10  # of k-means
_ITERATIONS, _LEAST = 3, 0.02
_ROWS = 64
# Each bin gets this number of extra pixels with the image's mean probability, so that small bins are less extreme.
_PRIOR_PIXELS = 8
# For the guided filter: its radius as a fraction of the width, and the number that is added to the guide's variance.
_RADIUS, _REGULARISATION = 1 / 24, 1e-3

_LINEAR = np.array([v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.arange(256) / 255])
_RGB_TO_XYZ = np.array([[0.412456, 0.357576, 0.180438], [0.212673, 0.715152, 0.072175], [0.019334, 0.119192, 0.950304]])
_RGB_TO_XYZ /= _RGB_TO_XYZ.sum(1, keepdims=True)  # scaled so that white becomes (1, 1, 1)


def sharpen(image: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Sharpens a mask by the colours inside the mask, and by the edges of the image.

    The colours of the image are put into 24 bins (k-means in CIELAB). In each bin, a fraction of the pixels is inside
    the mask. This fraction is a second estimate of the foreground probability of all pixels in the bin. The network's
    mask is the first estimate. The odds of both estimates are multiplied, and the product is divided by the odds of the
    mean probability. This gives a better mask. The fractions are computed three times, because a better mask gives
    better fractions. Then a guided filter (He et al. 2010) moves the boundary to the edges in the image. The guide is
    the lightness. The same input always gives the same result.

    If a side of the image is longer than 256 pixels, the coefficients of the filter are computed on a reduced copy and
    applied to the full image (He and Sun 2015). So the boundary is as fine as the pixels of the image.

    Args:
        image: uint8 [height, width, rgb].
        probability: of the foreground, float32 [height, width] in [0, 1].

    Returns:
        float32 [height, width] in [0, 1].
    """
    size = image.shape[1::-1]
    small_size = tuple(max(1, round(side * min(1, _LONGEST / max(size)))) for side in size)
    lab = _cielab(_resized(image, small_size))
    posterior = _by_colours(lab, _resized(probability, small_size))
    slope, offset = _guided_filter(lab[..., 0] / 100, posterior, round(_RADIUS * small_size[0]))
    filtered = _resized(slope.astype(np.float32), size)
    # The image is processed in parts, because the lightness of all rows together would take much memory.
    for rows in range(0, len(image), _ROWS):
        filtered[rows : rows + _ROWS] *= _lightness(image[rows : rows + _ROWS]) / 100
    filtered += _resized(offset.astype(np.float32), size)
    return filtered.clip(0, 1, out=filtered)


def _resized(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes uint8 [height, width, rgb] or float32 [height, width] to (width, height), bilinear and antialiased."""
    return np.array(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR))


def _by_colours(lab: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Combines the probability [height, width] with the estimate from the colours."""
    bins = _bins(lab.reshape(-1, 3))
    prior = np.clip(probability, _LEAST, 1 - _LEAST)
    posterior, counts = prior, np.bincount(bins, minlength=_BINS)
    for _ in range(_ITERATIONS):
        mean, inside = posterior.mean(), np.bincount(bins, posterior.ravel(), _BINS)
        by_colour = ((inside + _PRIOR_PIXELS * mean) / (counts + _PRIOR_PIXELS))[bins].reshape(prior.shape)
        posterior = 1 / (1 + (1 - prior) / prior * (1 - by_colour) / by_colour * mean / (1 - mean))
    return posterior


def _cielab(image: np.ndarray) -> np.ndarray:
    """Converts uint8 sRGB [height, width, rgb] to CIELAB (white point D65), float32 [height, width, 3]."""
    x, y, z = (_cube_root(image, weights) for weights in _RGB_TO_XYZ)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _lightness(image: np.ndarray) -> np.ndarray:
    """Returns the first channel of `_cielab`, in [0, 100]."""
    return 116 * _cube_root(image, _RGB_TO_XYZ[1]) - 16


def _cube_root(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns the cube root of weighted sums of linear red, green and blue.

    Near 0 the cube root is replaced by a line, as in CIELAB.
    """
    tables = np.outer(weights, _LINEAR).astype(np.float32)
    total = sum(table[channel] for table, channel in zip(tables, np.moveaxis(image, -1, 0), strict=True))
    return np.where(total > (6 / 29) ** 3, np.cbrt(total), total * np.float32((29 / 6) ** 2 / 3) + np.float32(4 / 29))


def _bins(pixels: np.ndarray) -> np.ndarray:
    """Returns the bin of each pixel, for pixels float32 [pixel, 3].

    The bins are computed by k-means from at most 4,096 evenly spaced pixels.
    """
    sample = pixels[:: 1 + len(pixels) // _PIXELS]
    centres, axes = _first_centres(sample), np.ascontiguousarray(sample.T)
    for _ in range(_ROUNDS):
        nearest = _nearest(sample, centres)
        counts = np.bincount(nearest, minlength=len(centres))[:, None]
        sums = np.stack([np.bincount(nearest, axis, len(centres)) for axis in axes], axis=1)
        centres = np.where(counts > 0, sums / np.maximum(counts, 1), centres).astype(np.float32)
    return _nearest(pixels, centres)


def _first_centres(sample: np.ndarray) -> np.ndarray:
    """Chooses at most `_BINS` different pixels at random, preferably far from each other (k-means++)."""
    random, axes = np.random.default_rng(0), np.ascontiguousarray(sample.T)
    chosen = [random.integers(len(sample))]
    distances = np.full(len(sample), np.inf)
    while len(chosen) < _BINS:
        a, b, c = axes - axes[:, chosen[-1], None]
        np.minimum(distances, a * a + b * b + c * c, out=distances)
        total = distances.cumsum()
        if total[-1] == 0:
            break
        # The probability of a pixel is proportional to its squared distance from the nearest centre.
        chosen.append(total.searchsorted(random.random() * total[-1]))
    return sample[chosen]


def _nearest(pixels: np.ndarray, centres: np.ndarray) -> np.ndarray:
    products = pixels @ (-2 * centres.T)
    products += (centres**2).sum(1)
    return products.argmin(1)


def _guided_filter(guide: np.ndarray, values: np.ndarray, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns slope and offset for each pixel. Near each pixel, `values` is approximately slope * guide + offset."""

    def mean(array: np.ndarray) -> np.ndarray:
        return _box_mean(_box_mean(array, radius).T, radius).T

    guide_mean, value_mean = mean(guide), mean(values)
    covariance = mean(guide * values) - guide_mean * value_mean
    slope = covariance / (mean(guide * guide) - guide_mean**2 + _REGULARISATION)
    return mean(slope), mean(value_mean - slope * guide_mean)


def _box_mean(array: np.ndarray, radius: int) -> np.ndarray:
    """Returns for each row the mean of all rows at a distance of at most `radius`."""
    total = np.concatenate([np.zeros((1, array.shape[1])), np.cumsum(array, axis=0, dtype=np.float64)])
    rows = np.arange(len(array))
    first, end = np.maximum(rows - radius, 0), np.minimum(rows + radius + 1, len(array))
    return (total[end] - total[first]) / (end - first)[:, None]
