import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from export.tflite.convert import to_tflite_int8
from export.tflite.signatures import add_signatures
from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.models.networks.separable_unet import separable_unet
from tf_layered_gan.models.networks.unet import unet


@pytest.mark.parametrize("resolution, depth", [(16, 1), (16, 4), (24, 3)])
def test_logits_have_the_pictures_size(resolution, depth):
    logits = separable_unet(resolution, 2, depth)(tf.ones([2, resolution, resolution, 3]))
    assert logits.shape == (2, resolution, resolution, 1) and logits.dtype == tf.float32


def test_channels_double_downwards_and_skips_bring_them_back():
    network = separable_unet(32, 3, 3)
    # Halved, 16 pixels have 3 channels, 8 pixels 6, 4 pixels 12; on the way up the same, then the logits.
    maps = [layer.output.shape[1:] for layer in network.layers if isinstance(layer, keras.layers.ReLU)]
    assert maps[0] == (16, 16, 3) and (4, 4, 12) in maps and maps[-1] == (16, 16, 3)
    added = [layer.output.shape[1:] for layer in network.layers if isinstance(layer, keras.layers.Add)]
    assert added == [(8, 8, 6), (16, 16, 3)]


def test_a_map_keeps_its_variance_through_a_depthwise_convolution():
    keras.utils.set_random_seed(0)
    network = separable_unet(64, 64, 1)
    depthwise = next(layer for layer in network.layers if isinstance(layer, keras.layers.DepthwiseConv2D))
    noise = tf.random.stateless_normal([1, 32, 32, 64], (0, 1))
    assert float(tf.math.reduce_std(depthwise(noise)[:, 1:-1, 1:-1])) == pytest.approx(1.0, abs=0.1)


def test_it_costs_a_tenth_of_the_unet():
    assert multiply_adds(separable_unet(64, 16, 4)) < multiply_adds(unet(64, 8, 4)) / 10


def test_int8_is_below_a_megabyte():
    photos = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    assert len(add_signatures(to_tflite_int8(separable_unet(64, 32, 4), photos))) < 1_000_000


def test_xnnpack_takes_the_whole_of_it():
    photos = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    interpreter = Interpreter(model_content=to_tflite_int8(separable_unet(16, 2, 2), photos))
    interpreter.allocate_tensors()
    ops = interpreter._get_ops_details()
    (delegate,) = [op for op in ops if op["op_name"] == "DELEGATE"]
    (first,) = [op for op in ops if interpreter.get_input_details()[0]["index"] in op["inputs"]]
    (last,) = [op for op in ops if interpreter.get_output_details()[0]["index"] in op["outputs"]]
    assert first["op_name"] == last["op_name"] == "QUANTIZE"  # from and to uint8
    assert first["outputs"][0] in delegate["inputs"] and last["inputs"][0] in delegate["outputs"]
