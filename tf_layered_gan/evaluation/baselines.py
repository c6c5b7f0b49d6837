"""Segmentation baselines that need no training, for comparison with a trained segmenter.

Every baseline is a function from images, uint8 [image, height, width, rgb], to masks, bool [image, height, width]. In
the masks, True is foreground. Every baseline raises ValueError for images of another type or shape.
"""

import functools
from collections.abc import Callable

import cv2
import numpy as np

from tf_layered_gan.labelling.grabcut import grabcut_from_rectangle
from tf_layered_gan.labelling.labels import on_all_cores

_POOLED_PIXELS = 100_000
_GRABCUT_ITERATIONS = 5
# GrabCut takes most of the time of an evaluation, and the report needs some of its masks again. So the masks of the
# last small images are kept.
_REMEMBERED, _MOST_BYTES = 1_024, 2**16


def all_foreground(images: np.ndarray) -> np.ndarray:
    """Marks every pixel as foreground."""
    _check_images(images)
    return np.ones(images.shape[:3], bool)


def centred_disc(images: np.ndarray) -> np.ndarray:
    """Marks a centred disc that is two thirds as wide as the image.

    If the height and the width of the image differ, the disc becomes an ellipse.

    Photographers put their object in the middle, so this baseline is strong, although it ignores the image. A method
    that prefers the middle (see `networks.mask_centring`) must be better than this disc. Otherwise the results of the
    method mean nothing.
    """
    _check_images(images)
    y, x = ((2 * np.arange(length) + 1) / length - 1 for length in images.shape[1:3])
    return np.broadcast_to(np.hypot(y[:, None], x) < 2 / 3, images.shape[:3])


def otsu(images: np.ndarray) -> np.ndarray:
    """Splits each image into a dark and a bright part by Otsu's threshold of the grey values (Otsu 1979).

    The part that covers less of the image's border is the foreground. If both parts cover the same share of the border,
    the brighter part is the foreground. This rule is our choice, and needs no true mask. An image of a single grey
    value has no foreground.
    """
    _check_images(images)

    def segment(image: np.ndarray) -> np.ndarray:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        return _inner_part(cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1].astype(bool))

    return np.stack([segment(image) for image in images])


def two_colours(images: np.ndarray) -> np.ndarray:
    """Splits the colours of each image into two groups, and marks the largest region of the inner group.

    The two groups are clusters (k-means) of a and b in CIELAB, so brightness is ignored. The inner group is the group
    that covers less of the image's border. `largest_thing` finds the largest region of this group. This baseline finds
    an object of one colour on a background of another colour.
    """
    _check_images(images)

    def segment(image: np.ndarray) -> np.ndarray:
        chroma = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[..., 1:].reshape(-1, 2).astype(np.float32)
        cluster = _two_means(chroma)[1].reshape(image.shape[:2])
        return largest_thing(_inner_part(cluster == 1))

    return np.stack([segment(image) for image in images])


def pooled_hues(images: np.ndarray) -> np.ndarray:
    """Splits the hues of all images into two groups, and marks the largest region of the inner group in each image.

    The two groups are clusters (k-means) of the hues as points on a circle. At most 100,000 evenly spaced pixels are
    clustered. The other pixels join the cluster with the nearer centre. The inner group is the group whose hues cover a
    smaller share of the border pixels than of all pixels. This baseline finds objects that have similar colours in all
    images. The mask of an image depends on the other images.
    """
    _check_images(images)
    angles = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)[..., 0] for image in images]) * (2 * np.pi / 256)
    hues = np.stack([np.cos(angles), np.sin(angles)], -1).astype(np.float32)
    pixels = hues.reshape(-1, 2)
    centres = _two_means(np.ascontiguousarray(pixels[:: 1 + len(pixels) // _POOLED_PIXELS]))[0]
    first, second = ((hues - centre) ** 2 for centre in centres)
    cluster = first.sum(-1) < second.sum(-1)
    if cluster[:, _border(images.shape[1:3])].mean() > cluster.mean():
        cluster = ~cluster
    return np.stack([largest_thing(mask) for mask in cluster])


def grabcut(images: np.ndarray) -> np.ndarray:
    """Runs GrabCut from a centred rectangle, see `labelling.grabcut`.

    The paper does not say how it starts GrabCut.

    The mask of an image may be empty, and does not depend on the other images. Equal images always get equal masks, so
    the masks of the last small images are kept, and are not computed again.
    """
    _check_images(images)
    return on_all_cores(_grabcut, images)


BASELINES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    function.__name__: function for function in (all_foreground, centred_disc, otsu, two_colours, pooled_hues, grabcut)
}


def largest_thing(mask: np.ndarray) -> np.ndarray:
    """Returns the largest connected component of a mask, after a morphological opening.

    The opening uses a square whose side is about an eighth of the mask's width.

    Args:
        mask: bool [height, width].

    Returns:
        bool [height, width]. If the opening leaves nothing, all values are False.
    """
    square = np.ones((2 * (mask.shape[1] // 16) + 1,) * 2, np.uint8)
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, square)
    count, component, statistics, _ = cv2.connectedComponentsWithStats(opened)
    areas = statistics[1:, cv2.CC_STAT_AREA]
    return component == 1 + areas.argmax() if count > 1 else np.zeros(mask.shape, bool)


def _grabcut(image: np.ndarray) -> np.ndarray:
    if image.nbytes > _MOST_BYTES:
        return grabcut_from_rectangle(image, _GRABCUT_ITERATIONS)
    return _remembered_grabcut(image.tobytes(), image.shape)


@functools.lru_cache(maxsize=_REMEMBERED)
def _remembered_grabcut(pixels: bytes, shape: tuple[int, ...]) -> np.ndarray:
    return grabcut_from_rectangle(np.frombuffer(pixels, np.uint8).reshape(shape), _GRABCUT_ITERATIONS)


def _two_means(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Splits points, float32 [point, 2], into two clusters.

    Returns the centres [2, 2] and the cluster of each point, 0 or 1.
    """
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 20, 1e-3)
    _, clusters, centres = cv2.kmeans(points, 2, None, stop, 3, cv2.KMEANS_PP_CENTERS)
    return centres, clusters


def _inner_part(mask: np.ndarray) -> np.ndarray:
    return mask if mask[_border(mask.shape)].mean() <= 0.5 else ~mask


def _border(shape: tuple[int, ...]) -> np.ndarray:
    border = np.ones(shape, bool)
    border[1:-1, 1:-1] = False
    return border


def _check_images(images: np.ndarray) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or 0 in images.shape:
        raise ValueError(
            f"images must be uint8 [image, height, width, 3] without empty axes, got {images.dtype} {images.shape}"
        )
