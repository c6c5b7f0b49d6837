"""Files that are written as a whole or not at all."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator

from PIL import Image


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Yields the path of a temporary file, which replaces `path` at the end of the block if there was no error.

    The folder is created if it is missing. If `path` is a link, the link itself is replaced.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The temporary file is in the same folder as `path`, so it is in the same file system. Its name is short, because
    # the name in `path` may already have the greatest length that is allowed.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        written = pathlib.Path(folder, f"written{path.suffix}")
        yield written
        written.replace(path)


def save_png(image: Image.Image, path: str | os.PathLike, dpi: tuple[float, float] | None = None) -> None:
    """Writes an image as PNG. `dpi` is the print resolution (x, y) in pixels per inch, or None if it is not known."""
    with replacing(path) as written:
        image.save(written, "PNG", dpi=dpi)
