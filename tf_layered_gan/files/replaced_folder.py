"""Folders that are replaced as a whole or not at all."""

import contextlib
import pathlib
import shutil
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def replacing_folder(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a new folder. If the block ends without an error, the new folder replaces `path`.

    A folder must not be replaced by two processes at the same time. The parent folder must exist.
    """
    unfinished = f".{path.name}-"
    for left_over in path.parent.glob(f"{unfinished}*"):  # left by a command that was killed
        shutil.rmtree(left_over)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=unfinished) as folder:
        new = pathlib.Path(folder, "new")
        new.mkdir()
        yield new
        if path.exists():
            path.rename(pathlib.Path(folder, "old"))
        new.rename(path)
