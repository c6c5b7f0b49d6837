"""Photos with masks that no person drew, for a segmenter to learn from."""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from edge_segmenter.sharpening import sharpen
from tf_layered_gan.console.progress import progress
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.labelling.grabcut import grabcut_from_rectangle

_ITERATIONS = 2  # iterations of GrabCut
_LEAST_AGREEMENT = 0.3  # least IoU of sharpened and rough mask; below it, sharpening has found something else


def find_masks(images: np.ndarray) -> np.ndarray:
    """Finds masks by GrabCut alone, on all cores, see `grabcut_from_rectangle`.

    Args:
        images: uint8 [photo, height, width, rgb].

    Returns:
        bool [photo, height, width].
    """
    return _on_all_cores(lambda image: grabcut_from_rectangle(image, _ITERATIONS), images)


def sharpen_masks(images: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Sharpens a network's masks, on all cores, see `edge_segmenter.sharpening`.

    Args:
        images: uint8 [photo, height, width, rgb].
        probabilities: probabilities of the foreground, float32 [photo, height, width] in [0, 1].

    Returns:
        bool [photo, height, width].
    """
    return _on_all_cores(lambda image, probability: sharpen(image, probability) > 0.5, images, probabilities)


def plausible(masks: np.ndarray, rough: np.ndarray | None, mask_size: tuple[float, float]) -> np.ndarray:
    """Returns which masks to learn from: those with a plausible size that sharpening did not change too much.

    Args:
        masks: bool [photo, height, width].
        rough: the masks before sharpening, bool [photo, height, width], or None.
        mask_size: (least, most) share of the image.

    Returns:
        bool [photo].
    """
    size = masks.mean((1, 2))
    fits = (size >= mask_size[0]) & (size <= mask_size[1])
    return fits if rough is None else fits & (agreements(masks, rough) >= _LEAST_AGREEMENT)


def evenly_chosen(photos: Photos, most: int, rejected: Collection[str] = ()) -> Photos:
    """Returns at most `most` of the photos that are not rejected, evenly spaced, without their masks."""
    places = np.array([i for i, name in enumerate(photos.names) if name not in rejected], int)
    places = places[np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).astype(int))]
    return Photos(photos.images[places], None, tuple(photos.names[i] for i in places))


def with_masks(photos: Photos, masks: np.ndarray, chosen: np.ndarray) -> Photos:
    """Returns the chosen photos, bool [photo], with their masks, bool [photo, height, width]."""
    names = tuple(name for name, is_chosen in zip(photos.names, chosen, strict=True) if is_chosen)
    return Photos(photos.images[chosen], masks[chosen].astype(np.uint8), names)


def agreements(masks: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Computes the intersection over union of each pair of masks; it is 1 for two empty masks.

    Args:
        masks, others: bool [photo, height, width].

    Returns:
        float [photo] in [0, 1].
    """
    common, union = (masks & others).sum((1, 2)), (masks | others).sum((1, 2))
    return np.where(union > 0, common / np.maximum(union, 1), 1.0)


def _on_all_cores(function: Callable[..., np.ndarray], *arrays: np.ndarray) -> np.ndarray:
    with ThreadPoolExecutor() as pool:  # OpenCV releases Python's lock, and has a seed for each thread
        made = pool.map(function, *arrays)
        return np.stack(list(progress(made, "making masks of photos", len(arrays[0]), unit="photos")))
