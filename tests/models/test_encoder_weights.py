"""Tests that the published weights of the encoder are converted, and that a run begins with them."""

import pathlib
import types

import keras
import numpy as np
import pytest
import tiny
from lite0_arrays import array, noise
from pth_files import write_pth

from configs import shapes
from tf_layered_gan.files.weights import sha256, write_weights
from tf_layered_gan.models import build, encoder_weights
from tf_layered_gan.models.encoder_weights import from_torch, load
from tf_layered_gan.models.networks.lite0_unet import lite0_unet
from tf_layered_gan.training.dry_run import dry_run
from tf_layered_gan.training.photo_passes import _initialise
from tf_layered_gan.training.session import open_session

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "lite0.npz"
OTHERS = {"_fc.bias": np.ones(2, np.float32), "_bn0.num_batches_tracked": np.array(1)}


def names(network):
    """Yields (name in the .npz file, weight) for each weight of the encoder."""
    for layer in network.layers:
        if layer.name.startswith("encoder."):
            yield from ((f"{layer.name}/{weight.name}", weight) for weight in layer.weights)


def published(name, shape):
    """Returns the name and the shape that a weight has in the published file."""
    module, part = name.removeprefix("encoder.").split("/")
    words = ".".join(word if word.isdecimal() else f"_{word}" for word in module.split("."))
    part = {"beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}.get(part, "weight")
    if len(shape) == 4:
        row, column, *channels = shape
        shape = (*(channels if "depthwise" in name else reversed(channels)), row, column)
    return f"{words}.{part}", tuple(shape)


@pytest.fixture
def command(monkeypatch):
    """A function that runs the command with values for --input and --output."""

    def run(source, target):
        given = types.SimpleNamespace(FLAGS=types.SimpleNamespace(input=source, output=target))
        monkeypatch.setattr(encoder_weights, "flags", given)
        encoder_weights.main([])

    return run


def test_the_published_file_gives_the_feature_maps_of_pytorch(tmp_path, command, capsys):
    network = lite0_unet(64, 1, 5)
    arrays = {name: array(name, shape) for name, shape in (published(name, w.shape) for name, w in names(network))}
    command(write_pth(tmp_path / "lite0.pth", OTHERS | arrays), tmp_path / "lite0.npz")
    assert capsys.readouterr().out == f"wrote {tmp_path}/lite0.npz, sha256 {sha256(tmp_path / 'lite0.npz')}\n"
    load(tmp_path / "lite0.npz", network)
    first_of_the_decoder = next(layer for layer in network.layers if isinstance(layer, keras.layers.UpSampling2D))
    features = keras.Model(network.input, first_of_the_decoder.input)(noise())
    with np.load(GOLDEN) as golden:
        np.testing.assert_allclose(features, golden["features"], atol=1e-4)


def test_the_command_refuses_another_network(tmp_path, command):
    write_pth(tmp_path / "b0.pth", {"_bn0.bias": np.float32([1])})
    with pytest.raises(SystemExit, match="error: .*b0.pth holds 1 arrays of an encoder, not the 240 of Efficient"):
        command(tmp_path / "b0.pth", tmp_path / "lite0.npz")
    assert not (tmp_path / "lite0.npz").exists()


def test_kernels_get_the_order_of_their_axes_in_keras():
    kernel = np.zeros((8, 4, 3, 5))  # [output channel, input channel, row, column]
    assert from_torch("_conv_stem.weight", kernel)[1].shape == (3, 5, 4, 8)
    name, depthwise = from_torch("_blocks.10._depthwise_conv.weight", np.zeros((8, 1, 3, 5)))
    assert (name, depthwise.shape) == ("encoder.blocks.10.depthwise_conv/kernel", (3, 5, 8, 1))


@pytest.fixture
def config(tmp_path):
    """The config of a tiny run with an encoder. All weights of the encoder are 0.25."""
    arrays = {name: np.full(weight.shape, 0.25) for name, weight in names(lite0_unet(16, 1, 1))}
    write_weights(tmp_path / "lite0.npz", arrays)
    encoder = {"networks.encoder": "efficientnet_lite0", "networks.encoder_weights": str(tmp_path / "lite0.npz")}
    return tiny.run_config(shapes, **encoder)


@pytest.mark.parametrize("begin", [build.load_encoder, lambda config, new: _initialise(config, new, {})])
def have_the_weights(*networks):
    return all((np.asarray(weight) == 0.25).all() for network in networks for _, weight in names(network))


@pytest.mark.parametrize("begin", [build.load_encoder, lambda config, new: _initialise(config, new, {})])
def test_both_networks_of_a_new_segmenter_get_the_weights(config, begin):
    segmenter = build.build_photo_segmenter(config, 0)
    begin(config, segmenter)
    assert have_the_weights(segmenter.network, segmenter.average_network)


def test_a_run_needs_the_file_only_to_begin(config, gan, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "build_gan", lambda *_: gan)  # building another GAN would take seconds
    with open_session(config, tmp_path / "run") as session:
        next(session.attempts()).checkpointer.save()
    (tmp_path / "lite0.npz").unlink()
    with open_session(config, tmp_path / "run") as session:
        assert have_the_weights(next(session.attempts()).segmenter.network)
    with pytest.raises(ValueError, match="there is no file .*lite0.npz, allowed: a file that models.encoder_weights"):
        dry_run(config, tmp_path / "another")
