"""Prints what an exported .tflite file or SavedModel says of itself; needs no TensorFlow.

python -m export.describe runs/mine/export/segmenter_int8.tflite
"""

import argparse
import contextlib
import json
import sys

from .tflite.metadata import read


def main():
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m export.describe", description=__doc__.splitlines()[0])
    parser.add_argument("file", help="a .tflite file or a SavedModel's folder that export.main wrote")
    try:
        facts = read(parser.parse_args().file)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    with contextlib.suppress(BrokenPipeError):  # who reads the first lines alone has what they want
        print("\n".join(lines(facts)), flush=True)
    return 0


def lines(facts, indent=""):
    """Yields a line for each fact, which is also YAML; what belongs together is indented."""
    for name, fact in facts.items():
        if isinstance(fact, dict):
            yield f"{indent}{name}:"
            yield from lines(fact, indent + "  ")
        else:
            yield f"{indent}{name}: {json.dumps(fact)}"


if __name__ == "__main__":
    sys.exit(main())
