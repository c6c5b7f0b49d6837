"""Segmenters in .tflite files: float32, float16, dynamic-range or full int8."""

import os
import pathlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .files.wrong_files import description

MAX_THREADS = 1024  # with many more threads than this, the process crashes

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter


def load_model(path: str | os.PathLike, threads: int = 1) -> tuple[int, Callable[[np.ndarray], np.ndarray]]:
    """Loads a segmenter.

    Args:
        path: path of a .tflite file. If it has several signatures, the first is used.
        threads: the number of threads that the model uses, 1 to `MAX_THREADS`.

    Returns:
        The resolution R in pixels, and a function that takes uint8 [image, R, R, rgb] and returns the foreground
        probability, float32 [image, R, R]. A call of the function takes slightly longer if the number of images is
        different from the number in the last call. If several threads call the function at the same time, the calls run
        one after another.

    Raises:
        ValueError: if the file is missing or is not a segmenter, or `threads` is out of range.
        ImportError: if LiteRT cannot be imported.
    """
    interpreter = open_model(path, threads)
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    resolution = _check_tensors(path, inputs, outputs)

    lock = threading.Lock()

    def predict(pixels: np.ndarray) -> np.ndarray:
        with lock:  # all calls use the same tensors
            if len(pixels) != interpreter.get_input_details()[0]["shape"][0]:
                interpreter.resize_tensor_input(inputs[0]["index"], pixels.shape)
                interpreter.allocate_tensors()
            interpreter.set_tensor(inputs[0]["index"], quantize(pixels, inputs[0]))
            interpreter.invoke()
            return dequantize(interpreter.get_tensor(outputs[0]["index"])[..., 0], outputs[0])

    return resolution, predict


def open_model(path: str | os.PathLike, threads: int = 1) -> "Interpreter":
    """Returns the interpreter of a .tflite file.

    The file is read once, so it may be replaced while the model is used.

    Raises:
        ValueError: if the file is missing or cannot be loaded, or `threads` is out of range.
        ImportError: if LiteRT cannot be imported.
    """
    if not 1 <= threads <= MAX_THREADS:
        raise ValueError(f"threads is {threads}, allowed: 1 to {MAX_THREADS}")
    if not pathlib.Path(path).is_file():
        raise ValueError(f"no such model: {path}")
    interpreter_of = _litert().Interpreter
    content = pathlib.Path(path).read_bytes()
    try:
        if found := description(content):
            raise ValueError(found)
        # LiteRT gets the content of the file, because it accepts only paths in UTF-8. With a path, it would also
        # memory-map the file, and the process would crash if the file became shorter.
        interpreter = interpreter_of(model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"cannot load the model {path}: {error}") from error
    return interpreter


def _litert() -> Any:
    """Imports LiteRT only when a model is loaded, because training uses this package without LiteRT."""
    try:
        from ai_edge_litert import interpreter
    except ImportError as error:
        raise ImportError(f"ai_edge_litert cannot be imported on this system: {error}") from error
    return interpreter


def _check_tensors(path: str | os.PathLike, inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> int:
    """Returns the resolution of a segmenter. Raises ValueError if the model is not a segmenter."""
    if not inputs or not outputs:
        raise ValueError(f"{path} is not a segmenter: it has {len(inputs)} inputs and {len(outputs)} outputs")
    shapes = list(map(_shape, (*inputs, *outputs)))
    resolution = shapes[0][1] if len(shapes[0]) == 4 else 0
    expected = [(1, resolution, resolution, 3), (1, resolution, resolution, 1)]
    if shapes != expected or resolution < 1 or inputs[0]["dtype"] != np.uint8:
        raise ValueError(
            f"{path} is not a segmenter: its tensors are {inputs[0]['dtype'].__name__} "
            f"{' and '.join(map(str, shapes))}, allowed: uint8 (1, R, R, 3) and (1, R, R, 1)"
        )
    return resolution


def _shape(detail: dict[str, Any]) -> tuple[int, ...]:
    """Returns the shape of a tensor, with -1 for axes of any length.

    The batch axis has the length 1 until the input is resized.
    """
    return (*detail["shape"].tolist()[:1], *detail["shape_signature"].tolist()[1:])


def quantize(pixels: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    """Returns the pixels as the uint8 values of the model's input."""
    scale, zero_point = detail["quantization"]
    return np.clip(np.rint(pixels / scale + zero_point), 0, 255).astype("uint8") if scale else pixels


def dequantize(values: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    """Returns the values of the model's output as float32 numbers."""
    scale, zero_point = detail["quantization"]
    return (values.astype("float32") - zero_point) * np.float32(scale) if scale else values
