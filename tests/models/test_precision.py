"""Tests of training in bfloat16."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from ai_edge_litert.interpreter import Interpreter

from configs import shapes
from export.tflite.convert import to_tflite_float32
from tf_layered_gan import evaluate
from tf_layered_gan.config import validate
from tf_layered_gan.config.student import Student
from tf_layered_gan.models import build, precision, sampling
from tf_layered_gan.models.networks.spectral_norm import SpectralConv2D
from tf_layered_gan.models.precision import built_for, pass_precision
from tf_layered_gan.models.segmenter import perturbed_pairs, synthetic_step
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import load_config, record_config
from tf_layered_gan.runs.restore import restore_network
from tf_layered_gan.training.distillation import distill

CHANGES = {"networks.minibatch_groups": 2, "networks.residual_blocks": 1, "gan.gamma_r1": 0.1}


def models(precision):
    config = tiny.run_config(shapes, precision=precision, **CHANGES)
    segmenter = build.build_segmenter(config)
    gan = build.build_gan(config, segmenter)
    gan.segmenter.set_weights(segmenter.average_network.get_weights())
    gan.uses_segmenter = True
    return config, gan, segmenter


def first_steps(config, gan, segmenter):
    """Takes a step of the GAN, with the background loss, and a step of the segmenter. Returns their reports."""
    draws = sampling.build_sampler(config, sampling.GAN_STREAM)(tf.constant(0, tf.int64))
    report = gan.train_step({"image": tf.constant(tiny.batch()["image"]), **draws})
    return report | synthetic_step(gan, segmenter, perturbed_pairs)(draws)


@pytest.fixture(scope="module")
def trained():
    """The config, and the GAN and the segmenter after `first_steps` in bfloat16.

    The last two values are the reports of `first_steps` in bfloat16 and in float32.
    """
    expected = first_steps(*models("float32"))
    config, gan, segmenter = models("bfloat16")
    return config, gan, segmenter, first_steps(config, gan, segmenter), expected


def test_steps_are_those_of_float32_within_rounding(trained):
    *_, report, expected = trained
    assert report.keys() == expected.keys()
    for name, value in report.items():
        tolerance = 0.1 if name.endswith("norm") else 0.03
        assert value.dtype == tf.float32
        assert float(value) == pytest.approx(float(expected[name]), rel=tolerance, abs=1e-3), name
    assert any(float(value) != float(expected[name]) for name, value in report.items())


def test_weights_averages_statistics_and_optimizers_are_float32_and_finite(trained):
    _, gan, segmenter, *_ = trained
    owners = (gan, segmenter, gan.optimizer, gan.discriminator_optimizer, segmenter.optimizer)
    for variable in (variable for owner in owners for variable in owner.variables):
        assert variable.dtype in ("float32", "int32", "int64"), variable.path
        assert np.isfinite(variable.numpy()).all(), variable.path


def test_all_convolutions_and_dense_layers_but_the_last_ones_compute_in_bfloat16(trained):
    _, gan, segmenter, *_ = trained
    last = {  # the number of layers that return an image, a mask, or logits of D, E_x, E_pi or F
        gan.background_generator: 1,
        gan.foreground_generator: 2,
        gan.discriminator: 2,
        gan.mask_encoder: 1,
        gan.segmenter: 1,
        segmenter.network: 1,
    }
    for network, count in last.items():
        assert {output.dtype for output in network.outputs} == {"float32"}
        precisions = [layer.compute_dtype for layer in network.layers if hasattr(layer, "kernel")]
        assert precisions.count("float32") == count
        assert precisions.count("bfloat16") == len(precisions) - count > 1


def test_spectral_norm_is_computed_in_float32(trained):
    layer = next(layer for layer in trained[1].discriminator.layers if isinstance(layer, SpectralConv2D))
    images = tf.cast(tiny.batch()["image"], "bfloat16")
    kernel, bias = (tf.cast(weights, "bfloat16") for weights in (layer.normalized_kernel(), layer.bias.value))
    expected = keras.ops.conv(images, kernel, strides=layer.strides, padding="same") + bias
    np.testing.assert_array_equal(tf.cast(layer(images), "float32"), tf.cast(expected, "float32"))


def test_averaged_networks_compute_in_float32(trained):
    _, gan, segmenter, *_ = trained
    for network in (gan.average_background_generator, gan.average_foreground_generator, segmenter.average_network):
        assert {layer.compute_dtype for layer in network.layers if hasattr(layer, "kernel")} == {"float32"}


def test_layers_after_the_block_compute_in_float32_even_after_an_error():
    with pytest.raises(KeyError), built_for("bfloat16"):
        assert keras.layers.ReLU().compute_dtype == "bfloat16"
        raise KeyError
    assert keras.layers.ReLU().compute_dtype == "float32"


@pytest.fixture
def cpu_with_bfloat16(monkeypatch, tmp_path):
    """A machine without a GPU, whose CPU has the instructions. Returns the file that says so."""
    facts = tmp_path / "cpuinfo"
    facts.write_text("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16 sse\n")
    monkeypatch.setattr(precision, "_CPU_FACTS", facts)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    return facts


def test_auto_is_bfloat16_in_passes_on_a_cpu_with_instructions_for_it(cpu_with_bfloat16):
    assert pass_precision("auto")[0] == "bfloat16"
    assert pass_precision("float32")[0] == "float32"


@pytest.mark.parametrize("facts", ["flags : fpu avx512f\n", "model name : avx512_bf16\n", None])
def test_auto_is_float32_on_other_cpus(cpu_with_bfloat16, facts):
    cpu_with_bfloat16.unlink() if facts is None else cpu_with_bfloat16.write_text(facts)
    assert pass_precision("auto") == ("float32", "the CPU has no AVX512_BF16, or does not say so")


def test_auto_is_float32_on_a_gpu_and_without_onednn(cpu_with_bfloat16, monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert pass_precision("auto") == ("float32", "oneDNN is off")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"])
    assert pass_precision("auto") == ("float32", "bfloat16 was not measured on GPUs")


def test_with_auto_only_the_networks_of_passes_compute_in_bfloat16(cpu_with_bfloat16):
    config, gan, segmenter = models("auto")
    rest = [gan.background_generator, gan.foreground_generator, gan.discriminator, gan.mask_encoder, segmenter.network]
    rest.append(build.build_student(config, Student(width=2, steps=1)).network)
    assert not any(computes_in_bfloat16(network) for network in rest)
    assert computes_in_bfloat16(build.build_photo_segmenter(config, 0).network)
    cpu_with_bfloat16.unlink()
    assert not computes_in_bfloat16(build.build_photo_segmenter(config, 0).network)


def computes_in_bfloat16(network):
    return any(layer.compute_dtype == "bfloat16" for layer in network.layers)


def test_float16_is_refused():
    with pytest.raises(ValueError, match="^precision is 'float16', allowed: float32, bfloat16 or auto$"):
        validate(tiny.run_config(shapes, precision="float16"))


def test_a_checkpoint_in_bfloat16_is_restored_and_exported_in_float32(trained, tmp_path):
    config, gan, segmenter, *_ = trained
    record_config(config, tmp_path)
    Checkpointer(tmp_path, gan, segmenter).save()
    network, images = restore_network(load_config(tmp_path), tmp_path), tiny.batch()["image"]
    np.testing.assert_array_equal(network(images), segmenter.average_network(images))
    details = Interpreter(model_content=to_tflite_float32(network)).get_tensor_details()
    assert {detail["dtype"] for detail in details} == {np.float32, np.int32, np.uint8}  # uint8: the photo


@pytest.mark.slow
@pytest.mark.parametrize("way", [{}, {"segmenter.supervised": True}, {"refine.bootstrap": True, "refine.passes": 1}])
def test_a_run_in_bfloat16_has_the_same_figures_when_it_is_evaluated_again(way, tmp_path, eagerly):
    figures = tiny.train_one_step(shapes, tmp_path, precision="bfloat16", **way)
    assert evaluate.evaluate(load_config(tmp_path), tmp_path)["test"] == figures["test"]
    if not way:
        student = distill(tmp_path, "small", Student(width=2, steps=1, gamma_segmentation=1.0))
        assert np.isfinite(student["test"]["agreement"])
