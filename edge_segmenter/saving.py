"""Files that are there whole or not at all."""

import contextlib
import pathlib
import tempfile


@contextlib.contextmanager
def replacing(path):
    """Yields the path of a file to write, which takes the place of `path` once it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:  # a name of any length may have no room
        written = pathlib.Path(folder, f"written{path.suffix}")
        yield written
        written.replace(path)


def save(image, path):
    """Writes a picture as PNG."""
    with replacing(path) as written:
        image.save(written, "PNG")
