"""The photos that a run was begun with, in WORKDIR/photos.json."""

import hashlib
import pathlib

from tf_layered_gan.files.records import read_record, write_record


def check_photos(splits, workdir):
    """Checks that a run in `workdir` still has the photos that it was begun with; records a new run's in photos.json.

    Args:
        splits: `data.photos.Splits`.
        workdir: the run's directory.

    Raises:
        ValueError: if photos were added, removed or renamed, since others would then be held out; or if photos.json
            is damaged.
    """
    path, given = pathlib.Path(workdir) / "photos.json", photo_facts(splits)
    if not path.exists():
        write_record(path, given)
    begun = read_record(path)
    if begun != given:
        try:
            before, now = (" / ".join(str(split["photos"]) for split in splits.values()) for splits in (begun, given))
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged: it does not hold the number of photos in each split") from error
        counts = f"{before} to train, validate and test on, now {now}"
        raise ValueError(f"{workdir} was begun with other photos ({counts}); put them back, or take another workdir")


def photo_facts(splits):
    """Returns what tells a run's photos from others: a dict of each split's number of photos and its names' SHA-256."""
    names = {name: getattr(splits, name).names for name in ("train", "validation", "test")}
    return {name: {"photos": len(n), "sha256": _sha256("\n".join(n))} for name, n in names.items()}


def _sha256(text):
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
