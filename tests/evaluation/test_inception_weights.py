import hashlib
import sys
import types
import zipfile

import numpy as np
import pytest
import tensorflow as tf
import tiny
from inception_arrays import array

from tf_layered_gan.evaluation.metrics.inception_weights import convert, from_torch, load


@pytest.fixture
def small_arrays(network):
    """Small arrays with the names of the 376 arrays in the frozen graph. No two of these arrays are equal."""
    scopes = [layer.name.replace(".", "/") for layer in network.layers if "batchnorm" in layer.name]
    parts = ("beta", "moving_mean", "moving_variance")
    names = [f"{scope}/{part}" for scope in scopes for part in parts]
    names += [scope.replace("batchnorm", "conv2d_params") for scope in scopes]
    kernel = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4) / 100
    return {name: i + (kernel if "params" in name else kernel[0, 0, 0]) for i, name in enumerate(names)}


def write_graph(path, arrays):
    """Writes a frozen graph with the arrays as constants. Like the published graph, it also has other constants."""
    others = {"conv/batchnorm/gamma": np.ones(1), "softmax/weights": np.ones((2, 2))}
    graph = tf.compat.v1.GraphDef()
    for name, value in (others | arrays).items():
        node = graph.node.add(name=name, op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    graph.node.add(name="conv/Conv2D", op="Conv2D")
    path.write_bytes(graph.SerializeToString())
    return path


def test_converts_a_frozen_graph(small_arrays, tmp_path):
    digest = convert(write_graph(tmp_path / "graph.pb", small_arrays), tmp_path / "inception.npz")
    assert digest == hashlib.sha256((tmp_path / "inception.npz").read_bytes()).hexdigest()
    with np.load(tmp_path / "inception.npz") as written:
        assert {k: v.tolist() for k, v in written.items()} == {k: v.tolist() for k, v in small_arrays.items()}


def torch_state(arrays):
    """Returns the arrays as a state_dict of the TorchScript.

    In the TorchScript, the convolutions in the 8x8 blocks have names without dots.
    """
    parts = {"conv2d_params": "weight", "beta": "beta", "moving_mean": "mean", "moving_variance": "var"}
    state = {}
    for name, value in arrays.items():
        *scope, part = name.replace("batchnorm/", "").split("/")
        words = ".".join(scope)
        if scope[0] in ("mixed_9", "mixed_10"):
            words = f"{scope[0]}.{'_'.join(scope[1:])}"
        turned = np.ascontiguousarray(value.transpose(3, 2, 0, 1)) if value.ndim == 4 else value
        state[f"net.layers.{words}.{parts[part]}"] = types.SimpleNamespace(numpy=lambda turned=turned: turned)
    return state


def pretend_torch(monkeypatch, state):
    script = types.SimpleNamespace(state_dict=lambda: state)
    torch = types.SimpleNamespace(jit=types.SimpleNamespace(load=lambda path, map_location: script))
    monkeypatch.setitem(sys.modules, "torch", torch)


def test_both_published_files_give_the_same_weights(small_arrays, torchscript, tmp_path, monkeypatch):
    pretend_torch(monkeypatch, torch_state(small_arrays))
    digest = convert(torchscript, tmp_path / "a.npz")
    backwards = dict(reversed(small_arrays.items()))
    assert convert(write_graph(tmp_path / "graph.pb", backwards), tmp_path / "b.npz") == digest


def test_refuses_another_graph(small_arrays, tmp_path):
    del small_arrays["mixed_3/conv/conv2d_params"]
    graph = write_graph(tmp_path / "graph.pb", small_arrays)
    with pytest.raises(
        ValueError, match="graph.pb holds 375 arrays of convolutions, needed: the 376 that the Inception"
    ):
        convert(graph, tmp_path / "inception.npz")
    assert not (tmp_path / "inception.npz").exists()


def test_refuses_a_file_that_is_neither(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ValueError, match="photo.jpg is neither a frozen TensorFlow graph nor TorchScript"):
        convert(tmp_path / "photo.jpg", tmp_path / "inception.npz")


@pytest.fixture
def torchscript(tmp_path):
    with zipfile.ZipFile(tmp_path / "inception.pt", "w") as file:
        file.writestr("data.pkl", "")
    return tmp_path / "inception.pt"


def test_torchscript_needs_torch(torchscript, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match="inception.pt is TorchScript: install PyTorch to read it"):
        convert(torchscript, tmp_path / "inception.npz")


def test_refuses_another_torchscript(torchscript, tmp_path, monkeypatch):
    pretend_torch(monkeypatch, torch_state({"conv/conv2d_params": np.zeros((1, 1, 1, 1))}))
    with pytest.raises(ValueError, match="inception.pt holds 1 arrays of convolutions"):
        convert(torchscript, tmp_path / "inception.npz")


@pytest.mark.parametrize(
    "name, translated",
    [
        ("conv_2.beta", "conv_2/batchnorm/beta"),
        ("mixed.conv.mean", "mixed/conv/batchnorm/moving_mean"),
        ("mixed.tower_1.conv_2.var", "mixed/tower_1/conv_2/batchnorm/moving_variance"),
        ("mixed_9.tower_conv.mean", "mixed_9/tower/conv/batchnorm/moving_mean"),
        ("mixed_9.tower_1_conv_1.beta", "mixed_9/tower_1/conv_1/batchnorm/beta"),
        ("mixed_10.tower_mixed_conv.beta", "mixed_10/tower/mixed/conv/batchnorm/beta"),
        ("mixed_10.tower_1_mixed_conv_1.var", "mixed_10/tower_1/mixed/conv_1/batchnorm/moving_variance"),
        ("mixed_10.tower_2_conv.mean", "mixed_10/tower_2/conv/batchnorm/moving_mean"),
    ],
)
def test_translates_names_of_the_torchscript(name, translated):
    vector = np.arange(3)
    assert from_torch(f"net.layers.{name}", vector) == (translated, vector)


def test_loads_weights_into_the_right_layers(network, weights):
    load(weights, network)
    kernel, variance = (
        network.get_layer("mixed_9.tower_1.conv_1").kernel,
        network.get_layer("conv.batchnorm").variables[2],
    )
    np.testing.assert_array_equal(kernel, array("mixed_9/tower_1/conv_1/conv2d_params", kernel.shape))
    np.testing.assert_array_equal(variance, array("conv/batchnorm/moving_variance", (32,)))


KERNEL = np.zeros((3, 3, 3, 32), np.float32)


@pytest.mark.parametrize(
    "arrays, message",
    [
        ({"other": KERNEL}, "lacks conv/conv2d_params, which the Inception-v3 of 2015-12-05 has"),
        ({"conv/conv2d_params": KERNEL}, "lacks conv/batchnorm/beta"),
        ({"conv/conv2d_params": KERNEL.T}, r"must be float32 \(3, 3, 3, 32\), all finite, got float32 \(32, 3, 3, 3\)"),
        ({"conv/conv2d_params": KERNEL + np.nan}, "conv/conv2d_params must be float32 .*, all finite"),
        ({"conv/conv2d_params": KERNEL.astype(np.float64)}, "must be float32 .* got float64"),
        ({"conv/conv2d_params": np.array([{}])}, "is not a file that metrics.inception_weights wrote: .*pickle"),
    ],
)
def test_refuses_other_arrays(network, tmp_path, arrays, message):
    np.savez(tmp_path / "inception.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "inception.npz", network)


def test_refuses_a_file_that_is_no_npz_or_missing(network, tmp_path):
    file = tmp_path / "inception.npz"
    with pytest.raises(ValueError, match="there is no file .*/inception.npz, allowed: a file that"):
        load(file, network)
    np.save(tmp_path / "one.npy", KERNEL)
    for content in (b"", b"text", b"PK\x03\x04 cut off", (tmp_path / "one.npy").read_bytes()):
        file.write_bytes(content)
        with pytest.raises(ValueError, match="inception.npz is not a file that metrics.inception_weights wrote"):
            load(file, network)


def test_command_reports_errors_in_one_line(torchscript, tmp_path):
    module = "tf_layered_gan.evaluation.metrics.inception_weights"
    code, output = tiny.finish(tiny.python("-m", module, f"--input={torchscript}", f"--output={tmp_path / 'out'}"))
    assert code == 1 and output.startswith(f"error: {torchscript} is ") and output.count("\n") == 1
