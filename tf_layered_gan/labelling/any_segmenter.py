"""Loading of any segmenter as a function that computes foreground probabilities.

A segmenter is a TFLite file or a SavedModel. Models that export.main wrote need no arguments. For other models, the
arguments of `load_segmenter` describe the input and the output. The flags of export.predict_masks and export.evaluate
have the same names as these arguments.

A SavedModel is a program. This module refuses a SavedModel with operations that access files or run Python. Even so, do
not load a SavedModel from a source that you do not trust. A .tflite file holds only data.

TensorFlow is imported only when a SavedModel is loaded. The import takes seconds, and a .tflite file does not need
TensorFlow.
"""

import os
import pathlib
from collections.abc import Callable, Sized
from typing import Any

import numpy as np

from edge_segmenter.model import dequantize, open_model, quantize
from tf_layered_gan.files.paths import for_tensorflow

_TOLERANCE = 1e-3  # rounding may put a probability this far outside [0, 1]
_UNSAFE = {"ReadFile", "WriteFile", "PrintV2", "PyFunc", "PyFuncStateless", "EagerPyFunc"}

_Run = Callable[[np.ndarray], np.ndarray]
_Loaded = tuple[list[int | None], type, _Run]


def load_segmenter(
    path: str | os.PathLike,
    *,
    size: int | None = None,
    input_range: tuple[float, float] | None = None,
    logits: bool = False,
    channel: int | None = None,
) -> tuple[int, _Run]:
    """Loads a TFLite or SavedModel segmenter.

    Args:
        path: path of a .tflite file, or of a SavedModel with a signature "serving_default". The model must have one
            input and one output.
        size: the resolution R in pixels, for a model that takes images of any size. None if the model has a fixed size.
        input_range: (low, high), for a float32 input: the values that stand for the pixel values 0 and 255. None for a
            uint8 input.
        logits: whether the output consists of logits. A sigmoid is applied to a single channel, and a softmax to
            several channels.
        channel: index of the foreground's channel in the output, counted from 0. None if the output has one channel.
            The output may also be a map of class ids, integers [1, R, R] or [1, R, R, 1]. Then `channel` is the
            foreground's class id, and the probability is 0 or 1.

    Returns:
        (R, predict): the resolution in pixels, and a function that takes uint8 [R, R, rgb] and returns the foreground
        probability, float32 [R, R]. The function raises ValueError if the model fails at this size, or if its output
        has another shape or holds no probabilities.

    Raises:
        ValueError: `path` is not a model, the model's input or output does not fit the arguments, the model has unsafe
            operations, or `input_range` is not a range.
    """
    path = pathlib.Path(path)
    if input_range is not None and not (len(input_range) == 2 and input_range[0] < input_range[1]):
        raise ValueError(f"input_range is {input_range}, allowed: LOW,HIGH with LOW less than HIGH")
    shape, dtype, run = _load_savedmodel(path) if path.is_dir() else _load_tflite(path)
    resolution = _resolution(shape, size)
    if resolution is None or dtype != (np.uint8 if input_range is None else np.float32):
        given = "no size" if size is None else f"size {size}"
        allowed = "uint8 [batch, R, R, 3], or float32 if input_range is given; if R is None, size must be 1 or more"
        raise ValueError(f"the input of {path} is {np.dtype(dtype).name} {shape} with {given}, allowed: {allowed}")

    def predict(image: np.ndarray) -> np.ndarray:
        if input_range is not None:
            low, high = input_range
            image = (low + (high - low) / 255 * image).astype(np.float32)
        output = _run(path, run, image[None])
        if channel is not None and not logits and _is_class_map(output, resolution):
            return (output.reshape(resolution, resolution) == channel).astype(np.float32)
        _check_output(path, output, resolution, channel)
        return _probability(path, output[0].astype(np.float32), channel or 0, logits)

    return resolution, predict


def _resolution(shape: list[int | None], size: int | None) -> int | None:
    """Returns R if the shape of the input is [batch, R, R, 3], otherwise None.

    None in `shape` means that the model takes any length. Such a side gets the length `size`.
    """
    sides = {size if side is None else side for side in shape[1:3]}
    side = sides.pop() if len(sides) == 1 else None
    fits = len(shape) == 4 and shape[3] == 3 and size in (None, side)
    return side if fits and side is not None and side > 0 else None


def _run(path: pathlib.Path, run: _Run, image: np.ndarray) -> np.ndarray:
    try:
        return run(image)
    except RuntimeError as error:
        raise ValueError(f"{path} fails at {list(image.shape)}: {error}") from error


def _load_savedmodel(path: pathlib.Path) -> _Loaded:
    """Loads a SavedModel.

    Returns:
        (shape, dtype, run): the shape and the dtype of the input, and a function that computes the output. None in the
        shape means any length.
    """
    import tensorflow as tf

    _check_operations(path)
    try:
        model = load_savedmodel(path)
        signature = model.signatures["serving_default"]
    except (OSError, KeyError) as error:
        raise ValueError(f"{path} is not a SavedModel with a signature serving_default: {error}") from error
    inputs = signature.structured_input_signature[1]
    _check_one_of_each(path, inputs, signature.structured_outputs)
    ((name, pixels),) = inputs.items()

    def run(image: np.ndarray) -> np.ndarray:  # `run` refers to `model`, which keeps the weights in memory
        try:
            (output,) = model.signatures["serving_default"](**{name: tf.constant(image)}).values()
        except tf.errors.OpError as error:
            raise RuntimeError(str(error)) from error
        return output.numpy()

    return pixels.shape.as_list() if pixels.shape.rank else [], pixels.dtype.as_numpy_dtype, run


def load_savedmodel(path: pathlib.Path) -> Any:
    """Loads a SavedModel from any path, even if TensorFlow would interpret the path as a pattern."""
    import tensorflow as tf

    with for_tensorflow(path) as folder:
        return tf.saved_model.load(folder)


def _check_operations(path: pathlib.Path) -> None:
    """Refuses a SavedModel with unsafe operations.

    Must run before the SavedModel is loaded, because loading already runs some of its operations.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    known = path / "saved_model.pb"
    if list(path.glob("saved_model.*")) != [known]:
        raise ValueError(
            f"{path} is not a SavedModel with a signature serving_default: it must hold one saved_model.pb"
        )
    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString(known.read_bytes())
    except DecodeError as error:
        raise ValueError(f"{known} is damaged: {error}") from error
    graphs = [graph.graph_def for graph in model.meta_graphs]
    nodes = [graph.node for graph in graphs]
    nodes += [function.node_def for graph in graphs for function in graph.library.function]
    unsafe = _UNSAFE & {node.op for part in nodes for node in part}
    if unsafe:
        raise ValueError(
            f"{path} has the operations {', '.join(sorted(unsafe))}, allowed: operations that only compute"
        )


def _load_tflite(path: pathlib.Path) -> _Loaded:
    """Loads a TFLite file. Returns the same tuple as `_load_savedmodel`, but `run` also dequantises the output."""
    interpreter = open_model(path)
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    _check_one_of_each(path, inputs, outputs)

    def run(image: np.ndarray) -> np.ndarray:
        pixels = quantize(image, inputs[0]) if image.dtype == np.uint8 else image
        # With strict=True, TFLite refuses to resize an axis that has a fixed length.
        interpreter.resize_tensor_input(inputs[0]["index"], image.shape, strict=True)
        interpreter.allocate_tensors()
        interpreter.set_tensor(inputs[0]["index"], pixels)
        interpreter.invoke()
        return dequantize(interpreter.get_tensor(outputs[0]["index"]), outputs[0])

    shape = [None if side == -1 else side for side in inputs[0]["shape_signature"].tolist()]
    return shape, inputs[0]["dtype"], run


def _check_one_of_each(path: pathlib.Path, inputs: Sized, outputs: Sized) -> None:
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(f"{path} has {len(inputs)} inputs and {len(outputs)} outputs, allowed: one of each")


def _is_class_map(output: np.ndarray, resolution: int) -> bool:
    square = (1, resolution, resolution)
    return np.issubdtype(output.dtype, np.integer) and output.shape in (square, (*square, 1))


def _check_output(path: pathlib.Path, output: np.ndarray, resolution: int, channel: int | None) -> None:
    """Refuses an output if its shape is not [1, R, R, channel], or if it has no channel with the index `channel`."""
    channels = output.shape[3] if output.ndim == 4 else 0
    known = channels == 1 if channel is None else 0 <= channel < channels
    if output.shape != (1, resolution, resolution, channels) or not known:
        given = "no channel" if channel is None else f"channel {channel}"
        square = f"[1, {resolution}, {resolution}"
        allowed = (
            f"{square}, 1], or N channels if channel is from 0 to N - 1, or class ids {square}] if channel is given"
        )
        raise ValueError(f"the output of {path} is {list(output.shape)} with {given}, allowed: {allowed}")


def _probability(path: pathlib.Path, values: np.ndarray, channel: int, logits: bool) -> np.ndarray:
    """Converts an output, float32 [R, R, channel], to the foreground probability, float32 [R, R]."""
    if logits:
        _check_values(path, values, np.isfinite(values).all(), "finite logits")
        # This is the sigmoid, in a form that never overflows.
        values = np.float32(0.5) * (1 + np.tanh(values / 2)) if values.shape[-1] == 1 else _softmax(values)
    chosen = values[..., channel]
    are_probabilities = chosen.min() >= -_TOLERANCE and chosen.max() <= 1 + _TOLERANCE
    allowed = "probabilities from 0 to 1, or logits if logits=True, or class ids if channel is given"
    _check_values(path, chosen, are_probabilities, allowed)
    return chosen


def _check_values(path: pathlib.Path, values: np.ndarray, are_allowed: bool, allowed: str) -> None:
    if not are_allowed:
        raise ValueError(
            f"the output of {path} has values from {values.min():g} to {values.max():g}, allowed: {allowed}"
        )


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)
