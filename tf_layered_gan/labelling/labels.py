"""Masks that no person drew, and the choice of the photos that a segmenter learns from."""

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from edge_segmenter.sharpening import sharpen
from tf_layered_gan.console.progress import progress
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.labelling.grabcut import grabcut_from_rectangle

_ITERATIONS = 2  # of GrabCut
# Least IoU between a mask and the sharpened mask. If the IoU is lower, sharpening has found another object.
_LEAST_AGREEMENT = 0.3
# The weight of a found mask (from GrabCut or a labeller) in a mixture with a sharpened mask, and the least IoU of the
# found mask with the network's mask. Photos with a lower IoU get no mixture. Both values were chosen on validation
# photos of flowers, birds and cars.
_GRABCUT_SHARE, _GRABCUT_AGREES = 0.3, 0.6
# Limits of the threshold that turns sharpened probabilities into masks, on a scale from 0 to 255. The threshold keeps
# the mean size of the masks the same. A threshold outside these limits would give some pixels a label that is almost
# certainly wrong.
_THRESHOLDS = 64, 192
# Standard deviation of the blur of found masks, as a fraction of the width. Found masks are blurred, because their
# edges are often wrong by a pixel.
_BLUR = 1 / 64


def find_masks(images: np.ndarray) -> np.ndarray:
    """Finds masks with GrabCut alone, on all cores. See `grabcut_from_rectangle`.

    Args:
        images: uint8 [photo, height, width, rgb].

    Returns:
        bool [photo, height, width].
    """
    return on_all_cores(lambda image: grabcut_from_rectangle(image, _ITERATIONS), images)


def predict_masks(images: np.ndarray, size: int, predict: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Predicts masks with a segmenter, one photo after the other.

    Args:
        images: uint8 [photo, width, width, rgb].
        size: R, the width and height of the segmenter's input in pixels. Each photo is resized to this size, and its
            mask is resized back to the size of the photo.
        predict: function that takes uint8 [R, R, rgb] and returns the foreground probability, float32 [R, R].

    Returns:
        bool [photo, width, width].
    """
    width = images.shape[1]
    smaller = cv2.INTER_AREA if size < width else cv2.INTER_LINEAR

    def mask(image: np.ndarray) -> np.ndarray:
        probability = predict(cv2.resize(image, (size, size), interpolation=smaller))
        return cv2.resize(probability, (width, width), interpolation=cv2.INTER_LINEAR) > 0.5

    return _stacked(map(mask, images), len(images))


def sharpen_masks(images: np.ndarray, probabilities: np.ndarray, found: np.ndarray | None = None) -> np.ndarray:
    """Sharpens a network's masks. See `edge_segmenter.sharpening`.

    The mean size of the masks stays the same. If masks could grow, a network that makes its masks too large would learn
    to make them even larger.

    Args:
        images: uint8 [photo, height, width, rgb].
        probabilities: foreground probabilities, float32 [photo, height, width] in [0, 1].
        found: masks from `find_masks` or `predict_masks`, bool [photo, height, width], or None. If the found mask of a
            photo agrees with the network's mask, the result is a mixture of the sharpened mask and the found mask,
            because the edges of found masks and of sharpened masks have different errors.

    Returns:
        bool [photo, height, width].
    """
    rough, sharpened = probabilities > 0.5, sharpen_each(images, probabilities)
    if found is not None:
        agree = agreements(rough, found) >= _GRABCUT_AGREES
        sharpened[agree] = [_mixed(*pair) for pair in zip(sharpened[agree], found[agree], strict=True)]
    threshold = np.quantile(sharpened, 1 - rough.mean())
    return sharpened >= np.clip(threshold, *_THRESHOLDS)


def sharpen_each(images: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Sharpens the probabilities of each photo independently of the other photos.

    This uses no threads. They would make it slower, because NumPy's short operations hold Python's global lock.

    Args:
        images: uint8 [photo, height, width, rgb].
        probabilities: foreground probabilities, float32 [photo, height, width] in [0, 1].

    Returns:
        uint8 [photo, height, width]: 255 times the sharpened probability.
    """
    return _stacked(map(_sharpened, images, probabilities), len(images))


def _sharpened(image: np.ndarray, probability: np.ndarray) -> np.ndarray:
    return np.round(255 * sharpen(image, probability)).astype(np.uint8)  # one byte per pixel saves memory


def _mixed(sharpened: np.ndarray, found: np.ndarray) -> np.ndarray:
    blurred = cv2.GaussianBlur(found.astype(np.float32), (0, 0), _BLUR * found.shape[1])
    return np.round((1 - _GRABCUT_SHARE) * sharpened + 255 * _GRABCUT_SHARE * blurred).astype(np.uint8)


def plausible(masks: np.ndarray, rough: np.ndarray | None, mask_size: tuple[float, float]) -> np.ndarray:
    """Decides which masks are good enough to learn from.

    The size of a mask must be within `mask_size`, and sharpening must not have changed the mask too much.

    Args:
        masks: bool [photo, height, width].
        rough: the masks before sharpening, bool [photo, height, width], or None.
        mask_size: (least, most), the least and the greatest fraction of the image that a mask may cover.

    Returns:
        bool [photo].
    """
    size = masks.mean((1, 2))
    fits = (size >= mask_size[0]) & (size <= mask_size[1])
    return fits if rough is None else fits & (agreements(masks, rough) >= _LEAST_AGREEMENT)


def evenly_chosen(photos: Photos, most: int, rejected: Collection[str] = ()) -> Photos:
    """Chooses at most `most` photos, and returns them without masks.

    The chosen photos are evenly spaced among the photos that are not rejected.
    """
    places = np.array([i for i, name in enumerate(photos.names) if name not in rejected], int)
    places = places[np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).astype(int))]
    return Photos(photos.images[places], None, tuple(photos.names[i] for i in places))


def with_masks(photos: Photos, masks: np.ndarray, chosen: np.ndarray) -> Photos:
    """Returns the chosen photos with their masks.

    Args:
        photos: all photos.
        masks: bool [photo, height, width].
        chosen: bool [photo].
    """
    names = tuple(name for name, is_chosen in zip(photos.names, chosen, strict=True) if is_chosen)
    return Photos(photos.images[chosen], masks[chosen].astype(np.uint8), names)


def agreements(masks: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Computes the IoU (intersection over union) of `masks` and `others` for each photo.

    Two empty masks have an IoU of 1.

    Args:
        masks, others: bool [photo, height, width].

    Returns:
        float [photo] in [0, 1].
    """
    common, union = (masks & others).sum((1, 2)), (masks | others).sum((1, 2))
    return np.where(union > 0, common / np.maximum(union, 1), 1.0)


def on_all_cores(function: Callable[..., np.ndarray], *arrays: np.ndarray) -> np.ndarray:
    """Applies a function that makes a mask to the items of arrays, in threads. Stacks the masks, and shows progress."""
    with ThreadPoolExecutor() as pool:  # OpenCV releases Python's global lock, and each thread has its own random seed
        return _stacked(pool.map(function, *arrays), len(arrays[0]))


def _stacked(masks: Iterable[np.ndarray], count: int) -> np.ndarray:
    return np.stack(list(progress(masks, "making masks of photos", count, unit="photos")))
