"""Labels of photos: classes that are read from the photos' names, and masks for supervised training."""

import re

import numpy as np

from tf_layered_gan.data.photos import UNLABELLED, Photos, Splits
from tf_layered_gan.files.time_limit import time_limit

_MATCHING_SECONDS = 30
# Objects rarely cover a larger share of all pixels than the first number, or a larger share of the border pixels than
# the second number.
_NEARLY_ALL, _MOST_OF_THE_BORDER = 0.7, 0.6


def photo_classes(splits: Splits, pattern: str) -> list[str]:
    """Reads the classes of photos from their names.

    Args:
        splits: `Splits`.
        pattern: regular expression. The class of a photo is the first text in the photo's name that matches.

    Returns:
        The classes of the training photos, then of the validation photos, then of the test photos.

    Raises:
        ValueError: if the pattern matches nothing in a name, or takes too long.
    """
    names = splits.train.names + splits.validation.names + splits.test.names
    try:
        with time_limit(_MATCHING_SECONDS):
            found = [re.search(pattern, name) for name in names]
    except TimeoutError as error:
        limit = f"a pattern that needs at most {_MATCHING_SECONDS} seconds for the names of all {len(names)} photos"
        raise ValueError(
            f"data.classes is {pattern!r}, allowed: {limit}; nested repeats such as (a+)+ take long"
        ) from error
    if None in found:
        raise ValueError(f"data.classes is {pattern!r}, which finds no class in the name {names[found.index(None)]!r}")
    return [match[0] for match in found if match]


def odd_masks(true_fraction: float, border_fraction: float = 0.0) -> str | None:
    """Describes why true masks are probably wrong.

    Args:
        true_fraction: the object's share of all labelled pixels in the masks.
        border_fraction: the object's share of the labelled pixels at the borders of the photos.

    Returns:
        the description, or None if the masks look right.
    """
    if true_fraction in (0, 1):
        share = "no pixel" if true_fraction == 0 else "every pixel"
        return (
            f"{share} is object in the true masks, so figures on these masks mean nothing: docs/data.md says which "
            "values mark the object"
        )
    if true_fraction > _NEARLY_ALL or border_fraction > max(true_fraction, _MOST_OF_THE_BORDER):
        return (
            f"the true masks cover {true_fraction:.0%} of the photos: if the masks are inverted, all figures are "
            "wrong; the object must be white (or 1)"
        )
    return None


def odd_masks_of(splits: Splits) -> str | None:
    """Applies `odd_masks` to the validation and test masks."""
    masks = [split.masks for split in (splits.validation, splits.test) if split.masks is not None]
    border = [part for mask in masks for part in (mask[:, [0, -1]], mask[:, :, [0, -1]])]
    whole, at_border = (np.concatenate([part.ravel() for part in parts or [np.empty(0)]]) for parts in (masks, border))
    whole, at_border = (values[values != UNLABELLED] for values in (whole, at_border))
    if not len(whole):
        return None
    return odd_masks(float(np.mean(whole)), float(np.mean(at_border)) if len(at_border) else 0.0)


def labelled_photos(splits: Splits) -> Photos:
    """Returns the photos for supervised training: the training photos if they have masks, else the validation photos.

    Returns:
        `Photos` with masks.

    Raises:
        ValueError: if neither the training nor the validation photos have masks, or no pixel has a label.
    """
    photos = splits.validation if splits.train.masks is None else splits.train
    if photos.masks is None:
        raise ValueError("no photo has a true mask, so segmenter.supervised must be False")
    if (photos.masks == UNLABELLED).all():
        raise ValueError("no pixel of the true masks has a label, so segmenter.supervised must be False")
    return photos
