"""The photos that a run was begun with, in WORKDIR/photos.json."""

import hashlib
import os
import pathlib
import unicodedata
from typing import Literal

from tf_layered_gan.data.photos import Splits
from tf_layered_gan.files.records import read_record, write_record


def check_photos(splits: Splits, workdir: str | os.PathLike) -> None:
    """Checks that a run still has the photos that it began with. For a new run, records the photos.

    Raises:
        ValueError: the run has other photos, because photos were added, removed or renamed; or photos.json is damaged.
    """
    path, given = pathlib.Path(workdir) / "photos.json", photo_facts(splits)
    if not path.exists():
        write_record(path, given)
    begun = read_record(path)
    if begun not in (given, *(photo_facts(splits, form) for form in ("NFC", "NFD"))):
        try:
            before, now = (" / ".join(str(split["photos"]) for split in record.values()) for record in (begun, given))
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged: it does not hold the number of photos in each split") from error
        counts = f"{before} for training, validation and test, now {now}"
        raise ValueError(f"{workdir} was begun with other photos ({counts}); put them back, or take another workdir")


def photo_facts(splits: Splits, form: Literal["NFC", "NFD"] | None = None) -> dict:
    """Returns the number of photos in each split and the SHA-256 of their names. These facts identify a run's photos.

    Args:
        splits: the photos.
        form: the Unicode form in which names are compared, or None to compare them as they are. macOS may write an
            accented letter as two characters (NFD).
    """
    names = {name: getattr(splits, name).names for name in ("train", "validation", "test")}
    return {name: {"photos": len(n), "sha256": _sha256("\n".join(n), form)} for name, n in names.items()}


def _sha256(text: str, form: Literal["NFC", "NFD"] | None) -> str:
    text = unicodedata.normalize(form, text) if form else text
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
