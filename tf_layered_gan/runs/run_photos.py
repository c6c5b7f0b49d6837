"""The photos of an earlier run. They are read from their current folder, or from the run's own copies."""

import os
import pathlib

from absl import logging
from ml_collections import ConfigDict

from tf_layered_gan.data import cache, sources
from tf_layered_gan.data.photos import Splits
from tf_layered_gan.files.records import read_record
from tf_layered_gan.runs.photo_record import check_photos, photo_facts

_ADVICE = "if the photos were moved, name their new place with --photos=DIR (and --masks=DIR)"


def load_run_photos(config: ConfigDict, workdir: str | os.PathLike) -> Splits:
    """Loads a run's photos. If the photos are gone or have changed, warns and loads the copies in WORKDIR/photos.

    Raises:
        ValueError: the photos cannot be used or have changed, and the copies cannot be used either. The copies cannot
            be used if there are none, or if the config names another folder than the run's record.
    """
    workdir = pathlib.Path(workdir)
    folder = workdir / "photos"
    try:
        splits = sources.load_photos(config, cache=folder)
        check_photos(splits, workdir)
        return splits
    except ValueError as error:
        copies = _copies(workdir, folder) if _is_recorded_place(config, workdir) else None
        if copies is None:
            raise ValueError(f"{error}; {_ADVICE}") from error
        logging.warning("%s; the copies in %s are used instead; %s", error, folder, _ADVICE)
        return copies


def _is_recorded_place(config: ConfigDict, workdir: pathlib.Path) -> bool:
    data = read_record(workdir / "config.json")["data"]
    return all(data[name] == config.data[name] for name in ("path", "masks"))


def _copies(workdir: pathlib.Path, folder: pathlib.Path) -> Splits | None:
    """Returns the newest copies of the run's photos in its cache, or None."""
    record = workdir / "photos.json"
    begun = read_record(record) if record.exists() else None
    return next((splits for splits in cache.stored_splits(folder) if photo_facts(splits) == begun), None)
