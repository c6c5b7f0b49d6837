"""What is known of photos beside their pixels: classes in their names, and masks to learn from."""

import re

from tf_layered_gan.data.photos import UNLABELLED
from tf_layered_gan.files.time_limit import time_limit

_MATCHING_SECONDS = 30


def photo_classes(splits, pattern):
    """Reads the photos' classes off their names.

    Args:
        splits: `data.photos.Splits`.
        pattern: regular expression; what it finds first in a photo's name is its class.

    Returns:
        list of str: the classes of the training, then the validation, then the test photos.

    Raises:
        ValueError: if the pattern finds nothing in a name, or takes too long.
    """
    names = splits.train.names + splits.validation.names + splits.test.names
    try:
        with time_limit(_MATCHING_SECONDS):
            found = [re.search(pattern, name) for name in names]
    except TimeoutError as error:
        limit = f"one that needs {_MATCHING_SECONDS} seconds at most for the {len(names)} photos' names"
        raise ValueError(f"data.classes is {pattern!r}, allowed: {limit}; repeats within repeats take long") from error
    if None in found:
        raise ValueError(f"data.classes is {pattern!r}, which finds no class in the name {names[found.index(None)]!r}")
    return [match[0] for match in found]


def labelled_photos(splits):
    """Returns the photos that a supervised segmenter learns from: those to train on, or, if these have no masks, those
    for validation.

    Args:
        splits: `data.photos.Splits`.

    Returns:
        `Photos` with masks.

    Raises:
        ValueError: if neither have masks, or a pixel is unlabelled.
    """
    photos = splits.validation if splits.train.masks is None else splits.train
    if photos.masks is None:
        raise ValueError("no photo has a true mask, so segmenter.supervised must be False")
    if (photos.masks == UNLABELLED).any():
        raise ValueError("photos with unlabelled pixels cannot be learnt from, so segmenter.supervised must be False")
    return photos
