"""A check for copies of evaluation photos among the training photos."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from absl import logging

from edge_segmenter.files.printing import printable
from tf_layered_gan.data.folder.photo_files import PhotoFile


def warn_of_copies(train: Sequence[PhotoFile], evaluation: Sequence[PhotoFile]) -> None:
    """Warns if a training photo and an evaluation photo have the same bytes but different names."""
    if not evaluation:
        return
    sizes = {_size(file.photo) for file in evaluation}
    held_out = {_digest(file.photo): file for file in evaluation}
    copies = [(file, held_out.get(_digest(file.photo))) for file in train if _size(file.photo) in sizes]
    pairs = [(copy, original) for copy, original in copies if original]
    if pairs:
        logging.warning(
            "%d of the photos to train on are copies of photos with masks (for example, %s is a copy of %s), so all "
            "figures come out too good: remove the copies",
            len(pairs),
            *(printable(file.name) for file in pairs[0]),
        )


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # a warning follows when the photo is read
        return -1


def _digest(file: Path) -> bytes:
    try:
        with open(file, "rb") as content:
            return hashlib.file_digest(content, "sha256").digest()
    except OSError:
        return os.fsencode(file)
