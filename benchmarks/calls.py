"""Tables what a picture takes in each way that an exported .tflite file can be called.

    python -m benchmarks.calls EXPORT/segmenter_int8.tflite EXPORT/segmenter_float32.tflite

By its own size, one picture in a call or several (`edge_segmenter.Segmenter.probabilities` takes a batch), and by the
signature for any size, whose graph resizes a photo to that size and the mask back. One thread; all ways of all files
take turns, so that what else the machine does meets all alike; the median.
"""

import functools
import pathlib
import time

import numpy as np
from absl import app, flags
from ai_edge_litert.interpreter import Interpreter

from export.tflite.signatures import ANY_SIZE

BATCHES = (1, 2, 4, 8)
SIZES = ((640, 480), (4000, 3000))  # a webcam's and a phone's pictures, width and height


def ways(path):
    """Makes ready every way to call a file.

    Args:
        path: of a .tflite file that `export.main` wrote.

    Returns:
        dict from the way's name to (function of nothing, how many pictures it segments).

    Raises:
        ValueError: it is no such file.
    """
    batches = {f"{count} in a call": (_batch(path, count), count) for count in BATCHES}
    return batches | {f"any size, {width} x {height}": (_any_size(path, width, height), 1) for width, height in SIZES}


def seconds_a_picture(files, rounds):
    """Times every way to call files, in turns.

    Args:
        files: list of paths, see `ways`.
        rounds: of one call each, at least 1; one before them is not counted.

    Returns:
        dict from path to dict from the way's name to seconds a picture, the median.
    """
    calls = {(path, name): call for path in files for name, call in ways(path).items()}
    seconds = {key: [] for key in calls}
    for _ in range(rounds + 1):
        for key, (call, count) in calls.items():
            started = time.perf_counter()
            call()
            seconds[key].append((time.perf_counter() - started) / count)
    table = {path: {} for path in files}
    for (path, name), taken in seconds.items():
        table[path][name] = float(np.median(taken[1:]))
    return table


def markdown(table):
    """Writes what `seconds_a_picture` gives as a Markdown table in milliseconds, str."""
    names = list(next(iter(table.values())))
    lines = [["ms a picture", *names], ["---", *["---:"] * len(names)]]
    lines += [[str(path), *(f"{1000 * row[name]:.3g}" for name in names)] for path, row in table.items()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _batch(path, count):
    interpreter = _open(path)
    pixels = interpreter.get_input_details()[0]
    shape = (count, *pixels["shape"][1:])
    interpreter.resize_tensor_input(pixels["index"], shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(pixels["index"], _noise(shape))
    return interpreter.invoke


def _any_size(path, width, height):
    interpreter = _open(path)
    if ANY_SIZE not in interpreter.get_signature_list():
        raise ValueError(f"{path} has no signature {ANY_SIZE}: export it again")
    return functools.partial(interpreter.get_signature_runner(ANY_SIZE), picture=_noise((1, height, width, 3)))


def _open(path):
    if not pathlib.Path(path).is_file():
        raise ValueError(f"no such file: {path}")
    return Interpreter(model_path=str(path), num_threads=1)


def _noise(shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def main(argv):
    """Runs the command line."""
    if len(argv) < 2:
        raise app.UsageError("name one or more .tflite files")
    try:
        print(markdown(seconds_a_picture(argv[1:], flags.FLAGS.rounds)), end="")
    except (ValueError, RuntimeError) as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    flags.DEFINE_integer("rounds", 30, "Calls of each way.", lower_bound=1)
    app.run(main)
