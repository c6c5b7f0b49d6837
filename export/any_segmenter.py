"""Loads a segmenter of any origin, a TFLite file or a SavedModel, as a function from a picture to probabilities.

One as export/main.py writes them needs no settings. Those of `load_segmenter` say what another takes and gives; errors
name them as the flags of export/predict_masks.py.

A SavedModel is a program. One with operations on files, or with Python's, is refused, but take none from a source that
you do not trust; a .tflite file is data alone.
"""

import pathlib

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from edge_segmenter.model import dequantize, open_model, quantize

_TOLERANCE = 1e-3  # by which rounding may take a probability out of [0, 1]
_UNSAFE = {"ReadFile", "WriteFile", "PrintV2", "PyFunc", "PyFuncStateless", "EagerPyFunc"}


def load_segmenter(path, *, size=None, input_range=None, logits=False, channel=None):
    """Loads a TFLite or SavedModel segmenter.

    Args:
        path: a .tflite file, or a SavedModel's folder with a signature "serving_default"; one input, one output.
        size: R, pixels, for a model that takes pictures of any height and width; None for one of its own size.
        input_range: None for a model that takes uint8; for one that takes float32 (low, high), the numbers that stand
            for the pixels 0 and 255.
        logits: whether the output is logits, to a sigmoid where there is one channel, otherwise to a softmax.
        channel: which of several output channels is the foreground's, from 0; None where there is one. Of an output of
            integers, [1, R, R] or [1, R, R, 1], which is the foreground's class: the probability is then 0 or 1.

    Returns:
        Its resolution R, pixels, and a function from uint8 [R, R, rgb] to the foreground probability, float32 [R, R].
        The function raises ValueError for a size that the model fails at, an output of another shape, or with values
        that are no probabilities.

    Raises:
        ValueError: if it is no model, one of other tensors or with operations that do more than compute, or for a wrong
            range.
    """
    path = pathlib.Path(path)
    if input_range is not None and not (len(input_range) == 2 and input_range[0] < input_range[1]):
        raise ValueError(f"--input_range is {input_range}, allowed: LOW,HIGH, LOW being less")
    shape, dtype, run = _load_savedmodel(path) if path.is_dir() else _load_tflite(path)
    resolution = _resolution(shape, size)
    if resolution is None or dtype != (np.uint8 if input_range is None else np.float32):
        chosen = "no --size" if size is None else f"--size={size}"
        allowed = "uint8 [batch, R, R, 3], or float32 with --input_range; where R is None, --size from 1 on gives it"
        raise ValueError(f"{path} takes {np.dtype(dtype).name} {shape} with {chosen}, allowed: {allowed}")

    def predict(picture):
        if input_range is not None:
            low, high = input_range
            picture = (low + (high - low) / 255 * picture).astype(np.float32)
        output = _run(path, run, picture[None])
        if channel is not None and not logits and _is_map(output, resolution):
            return (output.reshape(resolution, resolution) == channel).astype(np.float32)
        _check_output(path, output, resolution, channel)
        return _probability(path, output[0].astype(np.float32), channel or 0, logits)

    return resolution, predict


def _resolution(shape, size):
    """Returns R of a model that takes [batch, R, R, 3], whose sides of any length are `size`; None for another."""
    sides = [size if side is None else side for side in shape[1:3]]
    fits = len(shape) == 4 and shape[3] == 3 and sides[0] and sides[0] == sides[1] and size in (None, sides[0])
    return sides[0] if fits and sides[0] > 0 else None


def _run(path, run, picture):
    try:
        return run(picture)
    except (RuntimeError, tf.errors.OpError) as error:
        raise ValueError(f"{path} fails at {list(picture.shape)}: {error}") from error


def _load_savedmodel(path):
    """Returns the input's shape, a list with None for any length, its dtype, and a function from input to output."""
    _check_operations(path)
    try:
        model = tf.saved_model.load(path)
        signature = model.signatures["serving_default"]
    except (OSError, KeyError) as error:
        raise ValueError(f"{path} is no SavedModel with a signature serving_default: {error}") from error
    inputs = signature.structured_input_signature[1]
    _check_one_of_each(path, inputs, signature.structured_outputs)
    ((name, pixels),) = inputs.items()

    def run(picture):  # by way of the model, which must live as long as its signature
        (output,) = model.signatures["serving_default"](**{name: tf.constant(picture)}).values()
        return output.numpy()

    return pixels.shape.as_list() if pixels.shape.rank else [], pixels.dtype.as_numpy_dtype, run


def _check_operations(path):
    """Refuses a SavedModel that could do more than compute; loading it would run some of that already."""
    known = path / "saved_model.pb"
    if list(path.glob("saved_model.*")) != [known]:
        raise ValueError(f"{path} is no SavedModel with a signature serving_default: allowed is one of saved_model.pb")
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
        raise ValueError(f"{path} has the operations {', '.join(sorted(unsafe))}, allowed: those that only compute")


def _load_tflite(path):
    """Likewise; the output is dequantised."""
    interpreter = open_model(path)
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    _check_one_of_each(path, inputs, outputs)

    def run(picture):
        pixels = quantize(picture, inputs[0]) if picture.dtype == np.uint8 else picture
        interpreter.resize_tensor_input(inputs[0]["index"], picture.shape, strict=True)  # only sides of any length
        interpreter.allocate_tensors()
        interpreter.set_tensor(inputs[0]["index"], pixels)
        interpreter.invoke()
        return dequantize(interpreter.get_tensor(outputs[0]["index"]), outputs[0])

    shape = [None if side == -1 else side for side in inputs[0]["shape_signature"].tolist()]
    return shape, inputs[0]["dtype"], run


def _check_one_of_each(path, inputs, outputs):
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(f"{path} has {len(inputs)} inputs and {len(outputs)} outputs, allowed: one of each")


def _is_map(output, resolution):
    """Whether an output is a map of class ids."""
    square = (1, resolution, resolution)
    return np.issubdtype(output.dtype, np.integer) and output.shape in (square, (*square, 1))


def _check_output(path, output, resolution, channel):
    """Refuses an output that is not [1, R, R, channel], or lacks the channel."""
    channels = output.shape[3] if output.ndim == 4 else 0
    known = channels == 1 if channel is None else 0 <= channel < channels
    if output.shape != (1, resolution, resolution, channels) or not known:
        chosen = "no --channel" if channel is None else f"--channel={channel}"
        square = f"[1, {resolution}, {resolution}"
        allowed = f"{square}, 1], or N channels with --channel from 0 to N - 1, or class ids {square}] with --channel"
        raise ValueError(f"{path} gives {list(output.shape)} with {chosen}, allowed: {allowed}")


def _probability(path, values, channel, logits):
    """The foreground's probability [R, R], float32, of an output [R, R, channel]."""
    if logits:
        _check_values(path, values, np.isfinite(values).all(), "finite logits")
        values = _sigmoid(values) if values.shape[-1] == 1 else _softmax(values)
    chosen = values[..., channel]
    are_probabilities = chosen.min() >= -_TOLERANCE and chosen.max() <= 1 + _TOLERANCE
    _check_values(
        path,
        chosen,
        are_probabilities,
        "probabilities from 0 to 1, or logits with --logits, or class ids with --channel",
    )
    return chosen


def _check_values(path, values, are_fine, allowed):
    if not are_fine:
        raise ValueError(f"{path} gives values from {values.min():g} to {values.max():g}, allowed: {allowed}")


def _sigmoid(logits):
    return np.float32(0.5) * (1 + np.tanh(logits / 2))  # which never overflows so


def _softmax(logits):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)
