"""The small files that a run leaves behind, mostly JSON; a run that is cut off leaves no half of one."""

import json
import os
import pathlib
import tempfile


def write_record(path, content):
    """Writes a file as a whole or not at all.

    Args:
        path: the file, in a folder that exists.
        content: str or bytes; or a dict, which is written as JSON.
    """
    path = pathlib.Path(path)
    if isinstance(content, dict):
        content = json.dumps(content, indent=1) + "\n"
    content = content.encode() if isinstance(content, str) else content
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as temporary:  # in the same file system
        pathlib.Path(temporary, path.name).write_bytes(content)
        os.replace(pathlib.Path(temporary, path.name), path)


def read_record(path):
    """Reads a JSON object.

    Args:
        path: the file.

    Returns:
        dict.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds anything else, as a file that was damaged does; names the file.
    """
    try:
        record = json.loads(pathlib.Path(path).read_text())
    except (ValueError, RecursionError) as error:  # the latter is what too many brackets give
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(record, dict):
        raise ValueError(f"{path} is damaged: it holds no JSON object")
    return record
