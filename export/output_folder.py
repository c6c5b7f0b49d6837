"""Replacement of all files of an earlier export at once. Other files are never overwritten."""

import contextlib
import pathlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import NoReturn

from tf_layered_gan.files.file_lock import file_lock

from .formats import FILES

SAVED_MODEL, MODEL_CARD, EXPORT_RECORD = "saved_model", "model_card.md", "export.json"
_UNVERIFIED = ".unverified-"


@contextlib.contextmanager
def replacing_export(output: pathlib.Path) -> Iterator[pathlib.Path]:
    """Replaces an earlier export when the new one is complete. Creates the directory if it is missing.

    Yields:
        An empty directory for the files of the new export. At the end of the block, these files move to `output`. If
        the block fails, the earlier export is kept.

    Raises:
        ValueError: another export writes to `output`, or `output` contains files that have the names of exported files,
            but were not written by an export.
    """
    _check_owner(output)

    def refuse() -> NoReturn:
        raise ValueError(f"another export writes to {output}: wait for it, or choose another directory")

    with file_lock(output, taken=refuse):
        for left_over in output.glob(f"{_UNVERIFIED}*"):  # this folder was left by an export that was killed
            shutil.rmtree(left_over)
        with tempfile.TemporaryDirectory(dir=output, prefix=_UNVERIFIED) as folder:
            yield pathlib.Path(folder)
            _replace(output, pathlib.Path(folder))


def _check_owner(output: pathlib.Path) -> None:
    """Raises an error if `output` holds files that this export would replace and that no earlier export wrote."""
    replaced = [name for name in (SAVED_MODEL, MODEL_CARD, *FILES) if (output / name).exists()]
    if replaced and not any((output / name).exists() for name in (EXPORT_RECORD, "lock")):
        raise ValueError(
            f"{output} holds {', '.join(replaced)} but no {EXPORT_RECORD}, so no export wrote them: choose another "
            "directory"
        )


def _replace(output: pathlib.Path, folder: pathlib.Path) -> None:
    """Moves the new files into place. The old export.json is removed first and the new one is moved last, because
    export.json describes the other files."""
    (output / EXPORT_RECORD).unlink(missing_ok=True)
    if (output / SAVED_MODEL).exists():
        shutil.rmtree(output / SAVED_MODEL)
    for name in FILES:
        if not (folder / name).exists():
            (output / name).unlink(missing_ok=True)
    for path in sorted(folder.iterdir(), key=lambda path: path.name == EXPORT_RECORD):
        path.replace(output / path.name)
