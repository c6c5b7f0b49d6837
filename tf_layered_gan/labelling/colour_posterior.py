"""A network's mask, sharpened by the colours of its image."""

import cv2
import numpy as np

_BINS, _PIXELS = 24, 4096
_ITERATIONS, _LEAST = 3, 0.02
_PRIOR_PIXELS = 8  # pulls the share of a bin with few pixels to the image's share
_RADIUS, _REGULARISATION = 1 / 24, 1e-3  # of the guided filter: share of the width, and squared lightness


def colour_posterior(image: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Sharpens a network's mask by the colours that lie inside the mask, and by the edges of the image.

    The colours of the image are put into 24 bins (k-means in CIELAB). The share of a bin that the mask marks as
    foreground is a second opinion on each pixel of the bin, and the odds of both are multiplied. This is done three
    times, since a better mask gives better shares. Then a guided filter (He et al. 2010) with the lightness as its
    guide moves the boundary to the edges in the image.

    Args:
        image: uint8 [height, width, rgb].
        probability: of the foreground, float32 [height, width] in [0, 1].

    Returns:
        float32 [height, width] in [0, 1].
    """
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    bins = _bins(lab.reshape(-1, 3)).reshape(image.shape[:2])
    prior = np.clip(probability, _LEAST, 1 - _LEAST)
    posterior = prior
    for _ in range(_ITERATIONS):
        mean = posterior.mean()
        counts, inside = (np.bincount(bins.ravel(), weights, _BINS) for weights in (None, posterior.ravel()))
        by_colour = ((inside + _PRIOR_PIXELS * mean) / (counts + _PRIOR_PIXELS))[bins]
        posterior = 1 / (1 + (1 - prior) / prior * (1 - by_colour) / by_colour * mean / (1 - mean))
    lightness = lab[..., 0] / 100
    return _guided_filter(lightness, posterior.astype(np.float32), round(_RADIUS * image.shape[1]))


def _bins(pixels: np.ndarray) -> np.ndarray:
    """Returns the bin of each pixel; at most 4,096 pixels, evenly spaced, decide the bins."""
    cv2.setRNGSeed(0)
    sample = np.ascontiguousarray(pixels[:: 1 + len(pixels) // _PIXELS])
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0)
    _, _, centres = cv2.kmeans(sample, _BINS, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    distances = (centres**2).sum(1) - 2 * pixels @ centres.T
    return distances.argmin(1)


def _guided_filter(guide: np.ndarray, values: np.ndarray, radius: int) -> np.ndarray:
    """Filters float32 [height, width]; around each pixel the result is a linear function of the guide."""

    def mean(array: np.ndarray) -> np.ndarray:
        return cv2.blur(array, (2 * radius + 1, 2 * radius + 1))

    guide_mean, value_mean = mean(guide), mean(values)
    covariance = mean(guide * values) - guide_mean * value_mean
    slope = covariance / (mean(guide * guide) - guide_mean**2 + _REGULARISATION)
    return np.clip(mean(slope) * guide + mean(value_mean - slope * guide_mean), 0, 1)
