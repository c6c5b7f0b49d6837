"""The two ways to call an exported .tflite file, in one file that holds the weights once."""

import copy

import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from ..tflite.convert import function_converter
from ..tflite.flatbuffer import parse, serialize
from ..tflite.resampling import letterbox, to_own_size

FIXED_SIZE, ANY_SIZE = "serving_default", "any_size"


def add_signatures(content):
    """Names the network's signature and adds the one for pictures of any size.

    Subgraph 0, "serving_default", is left as it is: `pixels` to `probability`. Subgraph 1, "any_size", has the
    network's operators once more, on the same weights, between those of `resampling.letterbox` and
    `resampling.to_own_size`, in float32: `picture`, uint8 [1, height, width, rgb], to `mask`, uint8 [1, height, width,
    1], the foreground's probability times 255. TensorFlow's converter could make two signatures as well, but would
    quantise the resampling along with an int8 network.

    Args:
        content: bytes of a .tflite model of one subgraph, from uint8 [1, R, R, rgb] to the probability [1, R, R, 1],
            float32, or uint8 in steps of 1/256.

    Returns:
        bytes of a .tflite model.
    """
    model = parse(content)
    network = model.subgraphs[0]
    before, after = (parse(part) for part in _resampling(network))
    any_size = schema.SubGraphT(tensors=list(map(_unnamed, network.tensors)), operators=list(network.operators))
    entry = _append(model, any_size, before, {_output(before): network.inputs[0]})
    picture = entry[before.subgraphs[0].inputs[0]]
    probability, size = after.subgraphs[0].inputs
    end = _append(model, any_size, after, {probability: network.outputs[0], size: picture})
    any_size.inputs, any_size.outputs, any_size.name = [picture], [end[_output(after)]], ANY_SIZE
    model.subgraphs.append(any_size)
    for subgraph in model.subgraphs:
        subgraph.operators = _in_order(subgraph)
    model.signatureDefs = [
        _signature(FIXED_SIZE, 0, network, "pixels", "probability"),
        _signature(ANY_SIZE, 1, any_size, "picture", "mask"),
    ]
    return serialize(model)


def _resampling(network):
    """The bytes of the .tflite models that go before and after the network."""
    output = network.tensors[network.outputs[0]]
    dtype = tf.uint8 if output.type == schema.TensorType.UINT8 else tf.float32
    picture = tf.TensorSpec((1, None, None, 3), tf.uint8)
    yield function_converter(lambda picture: letterbox(picture, int(output.shape[1])), picture).convert()
    yield function_converter(to_own_size, tf.TensorSpec(output.shape, dtype), picture).convert()


def _output(model):
    return model.subgraphs[0].outputs[0]


def _append(model, graph, part, place):
    """Appends another model's operators to a graph of this one; returns where its tensors are now.

    Args:
        model: `schema.ModelT` that the graph will belong to; it gets the part's constants and kinds of operators.
        graph: `schema.SubGraphT`.
        part: `schema.ModelT` of one subgraph.
        place: dict from those tensors of the part that are in the graph already to where.
    """
    (added,) = part.subgraphs
    place, buffers, codes = {-1: -1} | place, len(model.buffers), len(model.operatorCodes)  # -1: an input left out
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


def _unnamed(tensor):
    """A copy without its name, as names are a third of what the second signature would take."""
    tensor = copy.copy(tensor)
    tensor.name = None
    return tensor


def _in_order(graph):
    """The operators of a graph, each just before the first that needs it.

    So a large tensor lives for a short time; and what a delegate cannot take, at either end, does not part the rest.
    """
    maker = {index: operator for operator in graph.operators for index in operator.outputs}
    ordered = {}

    def add(index):
        operator = maker.get(index)
        if operator is not None and id(operator) not in ordered:
            for needed in operator.inputs:
                add(needed)
            ordered[id(operator)] = operator

    for index in graph.outputs:
        add(index)
    return list(ordered.values())


def _signature(key, index, graph, source, target):
    return schema.SignatureDefT(
        signatureKey=key,
        subgraphIndex=index,
        inputs=[schema.TensorMapT(name=source, tensorIndex=graph.inputs[0])],
        outputs=[schema.TensorMapT(name=target, tensorIndex=graph.outputs[0])],
    )
