"""The small JSON files that a run leaves behind."""

import json
import pathlib


def read_json(path):
    """Reads a JSON object.

    Args:
        path: the file.

    Returns:
        dict.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds anything else, as a file that was cut off does; names the file.
    """
    try:
        record = json.loads(pathlib.Path(path).read_text())
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(record, dict):
        raise ValueError(f"{path} is damaged: it holds no JSON object")
    return record
