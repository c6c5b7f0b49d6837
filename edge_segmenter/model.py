"""A segmenter's .tflite file: float32, float16, dynamic-range or full int8."""

import pathlib

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def load_model(path, threads=1):
    """Loads a segmenter.

    Args:
        path: of a .tflite file; of several signatures the first is taken.
        threads: int, 1 or more, how many the model uses on a picture.

    Returns:
        Its resolution R, pixels, and a function from uint8 [picture, R, R, rgb], any number of pictures, to the
        foreground probability, float32 [picture, R, R]. Another number than in the call before takes it a little time.

    Raises:
        ValueError: for what is no model, a model of other tensors, or no number of threads.
    """
    interpreter = open_model(path, threads)
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    resolution = _check_tensors(path, inputs, outputs)

    def predict(pixels):
        if len(pixels) != interpreter.get_input_details()[0]["shape"][0]:
            interpreter.resize_tensor_input(inputs[0]["index"], pixels.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(inputs[0]["index"], quantize(pixels, inputs[0]))
        interpreter.invoke()
        return dequantize(interpreter.get_tensor(outputs[0]["index"])[..., 0], outputs[0])

    return resolution, predict


def open_model(path, threads=1):
    """Returns the interpreter of a .tflite file; ValueError if there is none, or for no number of threads."""
    if threads < 1:
        raise ValueError(f"threads must be 1 or more, got {threads}")
    if not pathlib.Path(path).is_file():
        raise ValueError(f"no such model: {path}")
    try:
        interpreter = Interpreter(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"cannot load the model {path}: {error}") from error
    return interpreter


def _check_tensors(path, inputs, outputs):
    """Returns the resolution of a segmenter; ValueError for any other model."""
    if not inputs or not outputs:
        raise ValueError(f"{path} is no segmenter: it has {len(inputs)} inputs and {len(outputs)} outputs")
    shapes = list(map(_shape, (*inputs, *outputs)))
    resolution = shapes[0][1] if len(shapes[0]) == 4 else 0
    expected = [(1, resolution, resolution, 3), (1, resolution, resolution, 1)]
    if shapes != expected or resolution < 1 or inputs[0]["dtype"] != np.uint8:
        raise ValueError(
            f"{path} is no segmenter: its tensors must be uint8 (1, R, R, 3) and (1, R, R, 1), "
            f"got {inputs[0]['dtype'].__name__} {' and '.join(map(str, shapes))}"
        )
    return resolution


def _shape(detail):
    """Returns a tensor's shape, with -1 for an axis of any length but the batch, which is 1 until it is changed."""
    return (*detail["shape"].tolist()[:1], *detail["shape_signature"].tolist()[1:])


def quantize(pixels, detail):
    """Returns the numbers, uint8, that stand for the pixels in the model's input."""
    scale, zero_point = detail["quantization"]
    return np.clip(np.rint(pixels / scale + zero_point), 0, 255).astype("uint8") if scale else pixels


def dequantize(values, detail):
    """Returns the numbers, float32, that the model's output stands for."""
    scale, zero_point = detail["quantization"]
    return (values.astype("float32") - zero_point) * np.float32(scale) if scale else values
