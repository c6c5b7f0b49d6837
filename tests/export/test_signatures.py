"""Tests of the two signatures of a .tflite file.

Both signatures must use the same network with the same weights, and XNNPACK must run the network as the same partition.
"""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from discs import disc_photos, run_tflite
from PIL import Image
from test_resampling import FITS, blotches

from edge_segmenter import fit as edge
from edge_segmenter.model import load_model
from export.tflite.convert import to_tflite_dynamic, to_tflite_float16, to_tflite_float32, to_tflite_int8
from export.tflite.flatbuffer import parse, serialize
from export.tflite.signatures import add_signatures
from tf_layered_gan.config.student import Student
from tf_layered_gan.models.networks.separable_unet import separable_unet

CONVERSIONS = {
    "float32": to_tflite_float32,
    "float16": to_tflite_float16,
    "dynamic": to_tflite_dynamic,
    "int8": lambda network: to_tflite_int8(network, disc_photos(8, seed=2)[0]),
}
SIZES = [(32, 32), (64, 48), (48, 64), (7, 5), (1, 90), (90, 1), (331, 200)]


@pytest.fixture(scope="module", params=CONVERSIONS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def separable_network():
    """A network with the default size of a student.

    The network is this large, because the converter quantises only large kernels.
    """
    return separable_unet(32, Student().width, 4)


@pytest.fixture(scope="module")
def alone(kind, network):
    """The converted network without signatures."""
    return CONVERSIONS[kind](network)


@pytest.fixture(scope="module")
def content(alone):
    return add_signatures(alone, "pad")


def test_fixed_size_is_the_converted_network(alone, content):
    photos = disc_photos(4, seed=3)[0]
    np.testing.assert_array_equal(run_tflite(alone, photos), run_tflite(content, photos))


def test_signatures_name_their_tensors(content):
    assert Interpreter(model_content=content).get_signature_list() == {
        "serving_default": {"inputs": ["pixels"], "outputs": ["probability"]},
        "any_size": {"inputs": ["picture"], "outputs": ["mask"]},
    }


@pytest.mark.parametrize("fit", FITS)
def test_any_size_is_the_edge_command(alone, fit, tmp_path):
    content = add_signatures(alone, fit)
    (tmp_path / "model.tflite").write_bytes(content)
    resolution, predict = load_model(tmp_path / "model.tflite")
    any_size = Interpreter(model_content=content).get_signature_runner("any_size")
    for size in SIZES:
        pixels = blotches(*size)
        image, segment = Image.fromarray(pixels), lambda x: predict(x[None])[0]
        expected = edge.foreground_probability(image, resolution, segment, fit) * 255
        mask = any_size(picture=pixels[None])["mask"]
        assert mask.shape == (1, *size[::-1], 1) and mask.dtype == np.uint8
        difference = np.abs(mask[0, ..., 0] - expected)
        # For the largest image, three pixels of the resized square differ by one grey level from the square that the
        # edge command makes. In the int8 file, the neighbours of these pixels differ too.
        assert difference.max() <= 4 and (difference > 0.51).mean() <= 0.1, size


def test_weights_are_stored_once(alone, content):
    before, after = parse(alone), parse(content)
    assert after.subgraphs[1].name == b"any_size"
    buffers = {tensor.buffer for tensor in before.subgraphs[0].tensors}
    weights = {buffer for buffer in buffers if before.buffers[buffer].data is not None}
    for subgraph in after.subgraphs:
        assert weights <= {tensor.buffer for tensor in subgraph.tensors}
    # The signatures add only the resampling and a second list of the network's operators to the file.
    assert sum_of_buffers(after) - sum_of_buffers(before) < 4000
    assert len(content) - len(alone) < 50_000


def sum_of_buffers(model):
    return sum(len(buffer.data) for buffer in model.buffers if buffer.data is not None)


def test_buffers_are_aligned(content):
    start = np.frombuffer(content, np.uint8).__array_interface__["data"][0]
    model, checked = schema.Model.GetRootAs(content), 0
    for index in range(model.BuffersLength()):
        if model.Buffers(index).DataLength():
            data = model.Buffers(index).DataAsNumpy()
            assert (data.__array_interface__["data"][0] - start) % 16 == 0
            checked += 1
    assert checked > 20


def test_fixed_size_is_one_partition(kind, content):
    """XNNPACK runs the whole network as one node, a partition.

    The interpreter itself runs only the operators that convert the input and the output to another type.

    The interpreter lists the nodes of its graph. At the end of this list, there is a node DELEGATE for each partition
    that a delegate such as XNNPACK runs. The interpreter itself runs only the nodes before and after the partition.
    """
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    operators = interpreter._get_ops_details()
    (partition,) = (operator for operator in operators if operator["op_name"] == "DELEGATE")
    before = [o for o in operators if o is not partition and set(o["outputs"]) & set(partition["inputs"])]
    after = [o for o in operators if o is not partition and set(o["inputs"]) & set(partition["outputs"])]
    assert [o["op_name"] for o in before] == (["QUANTIZE"] if kind == "int8" else ["CAST"])
    assert [o["op_name"] for o in after] == (["QUANTIZE"] if kind == "int8" else [])
    assert before[0]["inputs"] == [source["index"]]
    assert (after[0] if after else partition)["outputs"] == [target["index"]]


def test_any_size_has_the_network_in_the_same_partition_and_two_of_resampling(content):
    """The interpreter's own kernels run only the arithmetic on sizes and coordinates.

    The network's tensors have the same indices in both subgraphs. So the network's partition writes the same tensor in
    both subgraphs. The partition also reads the same number of tensors in both subgraphs. The indices of the tensors
    that it reads are not compared: with float16 weights, another partition has already converted some of them to
    float32.
    """
    (network,) = partitions(content, subgraph=0)
    any_size = partitions(content, subgraph=1)
    assert len(any_size) == 3 and any_size.count(network) == 1


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("quantised", ["dynamic", "int8"])
def test_separable_network_is_one_partition_too(separable_network, quantised, fit):
    content = add_signatures(CONVERSIONS[quantised](separable_network), fit)
    (network,) = partitions(content, subgraph=0)
    any_size = partitions(content, subgraph=1)
    assert len(any_size) == 3 and any_size.count(network) == 1


def partitions(content, subgraph):
    """Returns (number of tensors read, tensors written) for each partition of XNNPACK.

    The subgraph is copied to a file of its own, because the interpreter lists only the operators of the first subgraph.
    """
    model = parse(content)
    model.subgraphs, model.signatureDefs = [model.subgraphs[subgraph]], []
    interpreter = Interpreter(model_content=serialize(model))
    interpreter.allocate_tensors()
    operators = (o for o in interpreter._get_ops_details() if o["op_name"] == "DELEGATE")
    return [(len(o["inputs"]), list(o["outputs"])) for o in operators]
