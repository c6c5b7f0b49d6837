"""Functions that run model files on the CPU: .tflite files with LiteRT, .onnx files with ONNX Runtime."""

import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Model = tuple[list[int], str, Callable[[np.ndarray], np.ndarray]]


def load(path: str | pathlib.Path, threads: int) -> Model:
    """Opens a .tflite or .onnx file whose model has one input.

    Returns:
        (shape, dtype, function). The shape and the dtype are those of the input. A dynamic batch size counts as 1. The
        dtype is "uint8" or "float32". The function takes an array of this shape and dtype, and returns the first output
        of the model without dequantising it.

    Raises:
        ValueError: if the file is of another kind, or the model has several inputs.
    """
    suffix = pathlib.Path(path).suffix
    if suffix not in _RUNTIMES:
        raise ValueError(f"{path} is not a model file, allowed: {' '.join(_RUNTIMES)}")
    return _RUNTIMES[suffix](str(path), threads)


def _load_litert(path: str, threads: int) -> Model:
    from ai_edge_litert.interpreter import Interpreter  # imported here, so that a process loads only one runtime

    interpreter = Interpreter(model_path=path, num_threads=threads)
    interpreter.allocate_tensors()
    (given,) = _only(path, interpreter.get_input_details())
    wanted = interpreter.get_output_details()[0]

    def run(values: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(given["index"], values)
        interpreter.invoke()
        return interpreter.get_tensor(wanted["index"])

    return given["shape"].tolist(), given["dtype"].__name__, run


def _load_onnx(path: str, threads: int) -> Model:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (given,) = _only(path, session.get_inputs())
    wanted = session.get_outputs()[0].name

    def run(values: np.ndarray) -> np.ndarray:
        return session.run([wanted], {given.name: values})[0]

    shape = [side if isinstance(side, int) else 1 for side in given.shape]
    return shape, {"tensor(uint8)": "uint8", "tensor(float)": "float32"}[given.type], run


def _only(path: str, inputs: Sequence[Any]) -> Sequence[Any]:
    if len(inputs) != 1:
        raise ValueError(f"{path} has {len(inputs)} inputs, allowed: one")
    return inputs


_RUNTIMES = {".tflite": _load_litert, ".onnx": _load_onnx}
