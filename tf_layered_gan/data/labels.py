"""The labels of photos: the classes in their names, and masks to learn from."""

import re

from tf_layered_gan.data.photos import UNLABELLED, Photos, Splits
from tf_layered_gan.files.time_limit import time_limit

_MATCHING_SECONDS = 30


def photo_classes(splits: Splits, pattern: str) -> list[str]:
    """Reads the classes of photos from their names.

    Args:
        splits: `Splits`.
        pattern: regular expression. The first match in a photo's name is the class.

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
        limit = f"one that needs {_MATCHING_SECONDS} seconds at most for the {len(names)} photos' names"
        raise ValueError(f"data.classes is {pattern!r}, allowed: {limit}; repeats within repeats take long") from error
    if None in found:
        raise ValueError(f"data.classes is {pattern!r}, which finds no class in the name {names[found.index(None)]!r}")
    return [match[0] for match in found if match]


def labelled_photos(splits: Splits) -> Photos:
    """Returns the photos to learn masks from: training photos if they have masks, else validation photos.

    Returns:
        `Photos` with masks.

    Raises:
        ValueError: if neither the training nor the validation photos have masks, or a pixel is unlabelled.
    """
    photos = splits.validation if splits.train.masks is None else splits.train
    if photos.masks is None:
        raise ValueError("no photo has a true mask, so segmenter.supervised must be False")
    if (photos.masks == UNLABELLED).any():
        raise ValueError(
            "photos with unlabelled pixels (data.unlabelled, or the padding of data.fit=pad) cannot be learnt from, so "
            "segmenter.supervised must be False"
        )
    return photos
