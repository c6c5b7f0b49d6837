"""Runs a model file on the CPU with a number of threads: .tflite by LiteRT, .onnx by ONNX Runtime."""

import pathlib


def load(path, threads):
    """Opens a model of one input; takes the first of its outputs.

    Args:
        path: a .tflite or .onnx file.
        threads: how many the runtime may use.

    Returns:
        The input's shape, list of int, with 1 for an open batch; its dtype's name, "uint8" or "float32"; and a function
        from such an array to the output, which is an array of numbers as the model gives them, not dequantised.

    Raises:
        ValueError: for another kind of file, or one of several inputs.
    """
    suffix = pathlib.Path(path).suffix
    if suffix not in _RUNTIMES:
        raise ValueError(f"{path} is no model file, allowed: {' '.join(_RUNTIMES)}")
    return _RUNTIMES[suffix](str(path), threads)


def _load_litert(path, threads):
    from ai_edge_litert.interpreter import Interpreter  # here, so that a process measures one runtime's memory alone

    interpreter = Interpreter(model_path=path, num_threads=threads)
    interpreter.allocate_tensors()
    (given,) = _only(path, interpreter.get_input_details())
    wanted = interpreter.get_output_details()[0]

    def run(values):
        interpreter.set_tensor(given["index"], values)
        interpreter.invoke()
        return interpreter.get_tensor(wanted["index"])

    return given["shape"].tolist(), given["dtype"].__name__, run


def _load_onnx(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (given,) = _only(path, session.get_inputs())
    wanted = session.get_outputs()[0].name

    def run(values):
        return session.run([wanted], {given.name: values})[0]

    shape = [side if isinstance(side, int) else 1 for side in given.shape]
    return shape, {"tensor(uint8)": "uint8", "tensor(float)": "float32"}[given.type], run


def _only(path, inputs):
    if len(inputs) != 1:
        raise ValueError(f"{path} has {len(inputs)} inputs, allowed: one")
    return inputs


_RUNTIMES = {".tflite": _load_litert, ".onnx": _load_onnx}
