"""The two signatures of an exported .tflite file, which share one set of weights."""

import copy
import functools

import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from .convert import function_converter
from .flatbuffer import parse, serialize
from .resampling import to_own_size, to_square

FIXED_SIZE, ANY_SIZE = "serving_default", "any_size"
_IMAGE = tf.TensorSpec((1, None, None, 3), tf.uint8)


def add_signatures(content: bytes, fit: str) -> bytes:
    """Names the signature of a network and adds a signature for images of any size.

    Subgraph 0, "serving_default", is not changed: it maps `pixels` to `probability`. Subgraph 1, "any_size", maps
    `picture`, uint8 [1, height, width, rgb], to `mask`, uint8 [1, height, width, 1], 255 times the foreground
    probability. Subgraph 1 has the operators of `resampling.to_square`, the network's operators with the same weights,
    and the operators of `resampling.to_own_size`. The resampling is float32. TensorFlow's converter can also make two
    signatures, but it would quantise the resampling together with an int8 network.

    Args:
        content: bytes of a .tflite model with one subgraph that maps uint8 [1, R, R, rgb] to the probability [1, R, R,
            1], float32, or uint8 in steps of 1/256.
        fit: how "any_size" fits an image into the network's square, "squeeze" or "pad".

    Returns:
        bytes of a .tflite model.
    """
    model = parse(content)
    network = model.subgraphs[0]
    output = network.tensors[network.outputs[0]]
    is_integer = output.type == schema.TensorType.UINT8
    resolution = int(output.shape[1])
    before, after = map(parse, (_to_square(resolution, fit), _to_own_size(resolution, fit, is_integer)))
    any_size = schema.SubGraphT(tensors=list(map(_unnamed, network.tensors)), operators=list(network.operators))
    entry = _append(model, any_size, before, {_output(before): network.inputs[0]})
    image = entry[before.subgraphs[0].inputs[0]]
    probability, size = after.subgraphs[0].inputs
    end = _append(model, any_size, after, {probability: network.outputs[0], size: image})
    any_size.inputs, any_size.outputs, any_size.name = [image], [end[_output(after)]], ANY_SIZE
    model.subgraphs.append(any_size)
    for subgraph in model.subgraphs:
        subgraph.operators = _in_order(subgraph)
    model.signatureDefs = [
        _signature(FIXED_SIZE, 0, network, "pixels", "probability"),
        _signature(ANY_SIZE, 1, any_size, "picture", "mask"),
    ]
    return serialize(model)


@functools.cache  # all formats use this graph, and converting it takes longer than converting the network
def _to_square(resolution: int, fit: str) -> bytes:
    return function_converter(lambda image: to_square(image, resolution, fit), _IMAGE).convert()


@functools.cache
def _to_own_size(resolution: int, fit: str, is_integer: bool) -> bytes:
    probability = tf.TensorSpec((1, resolution, resolution, 1), tf.uint8 if is_integer else tf.float32)
    return function_converter(functools.partial(to_own_size, fit=fit), probability, _IMAGE).convert()


def _output(model: schema.ModelT) -> int:
    return model.subgraphs[0].outputs[0]


def _append(
    model: schema.ModelT, graph: schema.SubGraphT, part: schema.ModelT, place: dict[int, int]
) -> dict[int, int]:
    """Appends the operators of another model to a graph of this model.

    Args:
        model: the model that will contain the graph. The constants and operator codes of `part` are added to this
            model.
        graph: the graph to extend.
        part: the model to append, with one subgraph. This function changes the tensors and operators of `part`.
        place: dict from tensor indices in `part` to tensor indices in `graph`, for tensors that `graph` already has.

    Returns:
        dict from tensor indices in `part` to tensor indices in `graph`, for all tensors of `part`.
    """
    (added,) = part.subgraphs
    # The index -1 means an omitted input.
    place, buffers, codes = {-1: -1} | place, len(model.buffers), len(model.operatorCodes)
    model.buffers += part.buffers
    model.operatorCodes += part.operatorCodes
    for index, tensor in enumerate(added.tensors):
        if index not in place:
            tensor.buffer += buffers
            place[index] = len(graph.tensors)
            graph.tensors.append(_unnamed(tensor))
    for operator in added.operators:
        operator.opcodeIndex += codes
        operator.inputs = [place[index] for index in operator.inputs]
        operator.outputs = [place[index] for index in operator.outputs]
        graph.operators.append(operator)
    return place


def _unnamed(tensor: schema.TensorT) -> schema.TensorT:
    """Returns a copy of a tensor without its name. The names would be a third of the second signature's bytes."""
    tensor = copy.copy(tensor)
    tensor.name = None
    return tensor


def _in_order(graph: schema.SubGraphT) -> list[schema.OperatorT]:
    """Sorts the operators of a graph, so that each operator comes just before the first one that needs its result.

    In this order, large tensors are in memory only for a short time. Operators that a delegate does not support come at
    the beginning or the end of the graph. There they do not split the part of the graph that runs on the delegate.
    """
    maker = {index: operator for operator in graph.operators for index in operator.outputs}
    ordered = {}

    def add(index: int) -> None:
        operator = maker.get(index)
        if operator is not None and id(operator) not in ordered:
            for needed in operator.inputs:
                add(needed)
            ordered[id(operator)] = operator

    for index in graph.outputs:
        add(index)
    return list(ordered.values())


def _signature(key: str, index: int, graph: schema.SubGraphT, source: str, target: str) -> schema.SignatureDefT:
    return schema.SignatureDefT(
        signatureKey=key,
        subgraphIndex=index,
        inputs=[schema.TensorMapT(name=source, tensorIndex=graph.inputs[0])],
        outputs=[schema.TensorMapT(name=target, tensorIndex=graph.outputs[0])],
    )
