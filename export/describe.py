"""A command that prints the metadata of an exported .tflite file or SavedModel. It does not need TensorFlow.

python -m export.describe runs/mine/export/segmenter_int8.tflite
"""

import contextlib
import json
from collections.abc import Iterator

from tf_layered_gan.command_line import run_command

from .documentation.metadata import read_metadata


def main(file: str) -> None:
    """Prints the metadata of a .tflite file or a SavedModel that export.main wrote."""
    text = "\n".join(yaml_lines(read_metadata(file)))
    with contextlib.suppress(BrokenPipeError):  # a program such as head has stopped reading
        print(text, flush=True)


def yaml_lines(facts: dict, indent: str = "") -> Iterator[str]:
    """Yields the lines of a dict as YAML."""
    for name, fact in facts.items():
        if isinstance(fact, dict):
            yield f"{indent}{name}:"
            yield from yaml_lines(fact, indent + "  ")
        else:
            yield f"{indent}{name}: {json.dumps(fact)}"


if __name__ == "__main__":
    run_command(main, "FILE")
