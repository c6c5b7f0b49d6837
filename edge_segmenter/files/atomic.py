"""Files that are written whole or not at all."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator

from PIL import Image


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Yields the path of a temporary file. The file replaces `path` at the end, unless there is an error.

    The folder is made if it is missing. A link at `path` is replaced, not followed.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The file is in the same folder, so it is in the same file system. The file's name is short, because the name in
    # `path` may already have the greatest length allowed.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        written = pathlib.Path(folder, f"written{path.suffix}")
        yield written
        written.replace(path)


def save_png(image: Image.Image, path: str | os.PathLike, dpi: tuple[float, float] | None = None) -> None:
    """Writes an image as PNG. `dpi` is the resolution for printing (x, y), pixels per inch, or None if unknown."""
    with replacing(path) as written:
        image.save(written, "PNG", dpi=dpi)
