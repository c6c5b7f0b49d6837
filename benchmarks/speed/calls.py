"""Comparison of several ways to call an exported .tflite file. The result is a Markdown table with their times.

    python -m benchmarks.speed.calls EXPORT/segmenter_int8.tflite EXPORT/segmenter_float32.tflite

There are three ways. A call can take one image at the model's own size. It can take several such images, as
`Segmenter.probabilities` of `edge_segmenter` does if `batch` is more than 1. Or it can use the signature for any size,
whose graph resizes the photo and the mask. Everything runs on one thread. The files and ways take turns, so other work
on the machine slows all of them equally. The table shows medians.
"""

import functools
import pathlib
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from absl import app, flags
from ai_edge_litert.interpreter import Interpreter

from tf_layered_gan.command_line import command_errors

BATCHES = (1, 2, 4, 8)
SIZES = ((640, 480), (4000, 3000))  # width and height of images from a webcam and from a phone
Key = TypeVar("Key", bound=Hashable)


def ways(path: str | pathlib.Path) -> dict[str, tuple[Callable, int]]:
    """Prepares every way to call a .tflite file that `export.main` wrote.

    Returns:
        dict: its keys are the names of the ways. Each value is a pair of a function and a number. The function takes no
            arguments, and segments this number of images.

    Raises:
        ValueError: if the file does not exist, or lacks the signature that takes images of any size.
    """
    batches = {f"{count} in a call": (_batch(path, count), count) for count in BATCHES}
    return batches | {f"any size, {width} x {height}": (_any_size(path, width, height), 1) for width, height in SIZES}


def seconds_per_image(files: Sequence[str], rounds: int) -> dict[str, dict[str, float]]:
    """Times every way to call the files, see `median_seconds`. Returns the seconds per image by path and way."""
    prepared = {(path, name): way for path in files for name, way in ways(path).items()}
    seconds = median_seconds({key: call for key, (call, _) in prepared.items()}, rounds)
    table: dict[str, dict[str, float]] = {path: {} for path in files}
    for (path, name), (_, count) in prepared.items():
        table[path][name] = seconds[path, name] / count
    return table


def median_seconds(calls: Mapping[Key, Callable[[], object]], rounds: int) -> dict[Key, float]:
    """Times functions. They are called in turn, so other work on the machine slows all of them equally.

    Args:
        calls: the functions, with keys of any kind.
        rounds: how often each function is timed, at least 1. Before that, each function is called once and not timed.

    Returns:
        dict with the same keys and the median time of each function in seconds.
    """
    seconds: dict[Key, list[float]] = {key: [] for key in calls}
    for _ in range(rounds + 1):
        for key, call in calls.items():
            start = time.perf_counter()
            call()
            seconds[key].append(time.perf_counter() - start)
    return {key: float(np.median(times[1:])) for key, times in seconds.items()}


def markdown(table: dict[str, dict[str, float]]) -> str:
    """Formats the result of `seconds_per_image` as a Markdown table in milliseconds."""
    names = list(next(iter(table.values())))
    lines = [["ms per image", *names], ["---", *["---:"] * len(names)]]
    lines += [[path, *(f"{1000 * row[name]:.3g}" for name in names)] for path, row in table.items()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _batch(path: str | pathlib.Path, count: int) -> Callable:
    interpreter = _open(path)
    pixels = interpreter.get_input_details()[0]
    shape = (count, *pixels["shape"][1:])
    interpreter.resize_tensor_input(pixels["index"], shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(pixels["index"], _noise(shape))
    return interpreter.invoke


def _any_size(path: str | pathlib.Path, width: int, height: int) -> Callable:
    from export.tflite.signatures import ANY_SIZE  # imported here, so that --help does not load TensorFlow

    interpreter = _open(path)
    if ANY_SIZE not in interpreter.get_signature_list():
        raise ValueError(f"{path} has no signature {ANY_SIZE}: export it again")
    return functools.partial(interpreter.get_signature_runner(ANY_SIZE), picture=_noise((1, height, width, 3)))


def _open(path: str | pathlib.Path) -> Interpreter:
    if not pathlib.Path(path).is_file():
        raise ValueError(f"no such file: {path}")
    return Interpreter(model_path=str(path), num_threads=1)


def _noise(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def main(argv: list[str]) -> None:
    """Times the files that the arguments name."""
    if len(argv) < 2:
        raise app.UsageError("pass one or more .tflite files as arguments")
    with command_errors():
        print(markdown(seconds_per_image(argv[1:], flags.FLAGS.rounds)), end="")


if __name__ == "__main__":
    flags.DEFINE_integer("rounds", 30, "Calls of each way.", lower_bound=1)
    app.run(main)
