"""Small files, mostly JSON. Each file is written as a whole or not at all."""

import json
import os
import pathlib
from typing import Any

from edge_segmenter.files.atomic import replacing


def write_record(path: str | os.PathLike, content: dict[str, Any] | str | bytes) -> None:
    """Writes text or bytes to a file, or a dict as JSON. Creates the file's folder if it is missing."""
    if isinstance(content, dict):
        content = json.dumps(content, indent=1) + "\n"
    with replacing(path) as written:
        written.write_bytes(content.encode() if isinstance(content, str) else content)


def read_record(path: str | os.PathLike) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: the file holds no JSON object, for example because it is damaged. The message names the file.
    """
    try:
        record = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # too many nested brackets exceed the recursion limit
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(record, dict):
        raise ValueError(f"{path} is damaged: it holds no JSON object")
    return record
