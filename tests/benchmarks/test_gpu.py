"""Tests of the tool in benchmarks/gpu, which trains on a machine without TensorFlow.

TensorFlow exports a run. JAX trains this run on the CPU, in another environment. Then TensorFlow imports the result.
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from benchmarks.gpu import export, import_run, lowering
from benchmarks.gpu.configs import tiny as tiny_bundle
from benchmarks.gpu.device import initial_state, weights
from benchmarks.gpu.device.plan import PhotoOrder, Plan
from benchmarks.gpu.programs import Models
from configs import shapes
from tf_layered_gan.data import sources
from tf_layered_gan.evaluation import segmentation
from tf_layered_gan.files.records import write_record
from tf_layered_gan.models import build
from tf_layered_gan.runs import passes
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import config_facts, load_config, record_config
from tf_layered_gan.runs.learning_curve import LearningCurve
from tf_layered_gan.runs.photo_record import check_photos
from tf_layered_gan.runs.restore import restore_run
from tf_layered_gan.training.phases import learning_rate_share

GPU = tiny.ROOT / "benchmarks" / "gpu"
# Without the last flag, XLA compiles for minutes.
CHEAP = {"TF_CPP_MIN_LOG_LEVEL": "2", "XLA_FLAGS": "--xla_backend_optimization_level=0"}


def run(*command, **environment):
    """Runs a command in the root of the repository. Returns its output."""
    result = subprocess.run(
        list(map(str, command)), cwd=tiny.ROOT, env=os.environ | CHEAP | environment, capture_output=True, text=True
    )
    assert result.returncode == 0, f"{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
    return result.stdout


def works(python):
    return shutil.which(python) and subprocess.run([python, "--version"], capture_output=True).returncode == 0


@pytest.fixture
def jax_python(request):
    """The Python of the JAX environment. The environment is made once and kept in pytest's cache."""
    pythons = ["python3.12", *pathlib.Path.home().glob(".pyenv/versions/3.12.*/bin/python3.12")]
    python = next(filter(works, pythons), None)
    if python is None:
        pytest.skip("needs python3.12, which the pinned JAX runs on")
    requirements = GPU / "requirements.txt"
    version = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = pathlib.Path(request.config.cache.mkdir(f"jax_{version}"))
    if not (folder / "installed").exists():
        run(python, "-m", "venv", "--clear", folder / "venv")
        run(folder / "venv/bin/python", "-m", "pip", "install", "--quiet", "-r", requirements)
        (folder / "installed").touch()
    return folder / "venv/bin/python"


def write_bootstrap(config, workdir):
    """Writes a run with a finished bootstrap, whose segmenter is not trained. Returns the segmenter."""
    segmenter = build.build_photo_segmenter(config, 0)
    record_config(config, workdir)
    Checkpointer(passes.folder(workdir, 0), None, segmenter).save()
    write_record(passes.folder(workdir, 0) / "pass.json", {"pass": 0, "photos": 8})
    return segmenter


@pytest.mark.slow
def test_jax_trains_what_tensorflow_exported_and_imports(jax_python, tmp_path):
    raw, bundle, out, workdir = (tmp_path / name for name in ("raw", "bundle", "out", "workdir"))
    config = GPU / "configs" / "tiny.py"
    exported = [f"--config={config}", f"--output={raw}", "--reference_steps=2", f"--bootstrap={tmp_path / 'other'}"]
    write_bootstrap(tiny_bundle.get_config(), tmp_path / "other")
    run(sys.executable, "-m", "benchmarks.gpu.export", *exported)
    run(jax_python, "-m", "benchmarks.gpu.pack", "--precision=f32", raw, bundle)
    alone = pathlib.Path(shutil.move(bundle, tmp_path / "device"))  # the bundle must work in any folder
    flags = [f"--check={alone}", f"--out={out}", "--precision=f32", "--chunk=2", f"--cache={tmp_path / 'cache'}"]
    environment = {"JAX_PLATFORMS": "cpu", "JAX_LOG_COMPILES": "1", "PYTHONPATH": ""}
    log = run(jax_python, f"{alone}/run.py", *flags, "--budget=36000", **environment)

    # Four programs are compiled twice: once for the check and once for the run.
    assert log.count("Compiling jit(_scan)") == 8
    apart = {name: float(value) for name, value in re.findall(r"(\w+) differs .*'first_report': ([^,}]+)", log)}
    assert apart.keys() == {"gan_first", "gan_later", "segmenter", "final"}
    assert max(apart.values()) < 1e-5, apart
    assert max(map(float, re.findall(r"'(?:layers|probability)': ([^,}]+)", log))) < 1e-5
    files = {path.name: path.stat().st_size for path in out.iterdir()}
    assert files.keys() == {"log.txt", "curve.csv", "grids.png", "record.json", "weights_0.bin"}
    assert max(files.values()) < 2**24

    imported = import_run.import_run(out, workdir)
    assert imported["made_up"] == {}
    gan, segmenter, checkpointer = restore_run(load_config(workdir), workdir)
    assert checkpointer.position | {"skipped": 0} == {
        "gan_step": 8, "segmenter_step": 8, "final_step": 4, "final_round": 2, "skipped": 0
    }  # fmt: skip
    splits = sources.load_photos(load_config(workdir))
    check_photos(splits, workdir)
    found = segmentation.evaluate(segmenter.average_network, splits.test, baselines=False)["segmenter"]
    assert found["iou"] == pytest.approx(imported["test_on_the_device"]["iou"], abs=1e-3)
    assert [point["after"] for point in LearningCurve(workdir).points()] == ["round 1", "round 2", "round 2, final"]
    _, values = weights.read_weights(out)
    np.testing.assert_array_equal(gan.background_generator.variables[0].numpy(), values["background_generator/000"])

    background_in_round_1 = re.compile(r"gan_first \d+ .* background \d")
    assert re.search(r"gan_later \d+ .* background \d", log) and not background_in_round_1.search(log)
    # A segmenter without weights predicts 0.5 everywhere, so the background loss is log 2.
    with np.load(alone / "bootstrap.npz") as bootstrap:
        zeros = {name: np.zeros_like(value) for name, value in bootstrap.items()}
    np.savez(alone / "bootstrap.npz", **zeros)
    log = run(jax_python, f"{alone}/run.py", *flags[1:], "--bootstrap", "--budget=36000", **environment)
    losses = re.findall(r"gan_(?:first|later) \d+ .* background (\d\.\d+)", log)
    assert len(losses) == 2 and set(losses) == {"0.693"}


def test_a_bundle_gets_the_weights_of_a_bootstrap(tmp_path):
    config = tiny_bundle.get_config()
    segmenter = write_bootstrap(config, tmp_path)
    found = export._bootstrap_weights(Models(config), str(tmp_path))
    assert list(found)[0] == "average_segmenter/000"
    for ours, theirs in zip(found.values(), segmenter.average_network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_without_a_bootstrap_and_another_segmenter_are_refused(tmp_path):
    config = tiny_bundle.get_config()
    models = Models(config)
    record_config(config, tmp_path / "none")
    with pytest.raises(ValueError, match=r"none has no finished bootstrap, allowed: a run with refine.bootstrap=True"):
        export._bootstrap_weights(models, str(tmp_path / "none"))
    config.networks.unet_width = 4
    write_bootstrap(config, tmp_path / "wide")
    with pytest.raises(ValueError, match=r"the bootstrap in .*wide has weights .*, allowed: .*, as in this config"):
        export._bootstrap_weights(models, str(tmp_path / "wide"))


@pytest.fixture
def models():
    """Models with one variable."""
    models = Models.__new__(Models)
    models.variables = {"segmenter/000": keras.Variable(2.0, name="scale")}
    return models


def test_a_signature_names_the_variables_that_a_program_reads_and_writes(models):
    scale = models.variables["segmenter/000"].value

    def program(step):
        scale.assign(scale * 3.0)
        return {"b": scale, "a": tf.cast(step, tf.float32)}

    text, signature = lowering.lower(program, {"step": tf.constant(0, tf.int64)}, models)
    assert "stablehlo.multiply" in text
    assert signature == {
        "arguments": {"step": ["int64", []]},
        "reads": ["segmenter/000"],
        "results": ["a", "b"],
        "writes": ["segmenter/000"],
    }


def test_a_program_that_reads_anything_else_is_refused(models):
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant([0], tf.int64), tf.constant([1.0])), 0.0
    )
    with pytest.raises(ValueError, match="which is not a variable of the models"):
        models.name_of(table.resource_handle)


def test_variables_are_compared_without_the_numbers_of_layers(models):
    path = models.variables["segmenter/000"].path  # "scale"
    models.variables = {"optimizer/000": keras.Variable(0.0, name="conv2d_27_kernel_momentum"), **models.variables}
    paths = {"optimizer/000": "conv2d_11_kernel_momentum", "segmenter/000": path}
    import_run._check_variables(models, {"paths": paths})
    with pytest.raises(ValueError, match="optimizer/000 is dense_kernel_momentum in record.json, but conv2d_kernel"):
        import_run._check_variables(models, {"paths": paths | {"optimizer/000": "dense_27_kernel_momentum"}})


def test_upsampling_by_slices_is_that_of_keras():
    layer = keras.layers.UpSampling2D(interpolation="bilinear")
    image = np.random.default_rng(0).normal(size=(2, 3, 4, 2)).astype(np.float32)
    np.testing.assert_allclose(lowering._upsample(layer, tf.constant(image)), layer(image), atol=1e-6)


def test_recipes_make_variables_of_the_same_kind():
    orthogonal = keras.initializers.Orthogonal(seed=0)((3, 3, 2, 4)).numpy()
    values = {"kernel": orthogonal, "ema": orthogonal, "gamma": np.ones(5, np.float32), "step": np.int64(0)}
    values["other"] = np.float32([1.0, 2.0])
    recipes, carried = initial_state.describe(values, exact=False)
    assert {name: recipe["from"] for name, recipe in recipes.items()} == {
        "kernel": "orthogonal", "ema": "same", "gamma": "fill", "step": "fill", "other": "value"
    }  # fmt: skip
    assert carried.keys() == {"other"}
    state = initial_state.make(recipes, carried, seed=1)
    matrix = state["kernel"].reshape(-1, 4)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(4), atol=1e-6)
    np.testing.assert_array_equal(state["ema"], state["kernel"])
    for name in ("gamma", "step", "other"):
        np.testing.assert_array_equal(state[name], values[name])
    assert {name: (v.shape, v.dtype) for name, v in state.items()} == {
        name: (v.shape, v.dtype) for name, v in values.items()
    }


def test_exact_recipes_carry_every_value():
    values = {"gamma": np.ones(5, np.float32)}
    recipes, carried = initial_state.describe(values, exact=True)
    np.testing.assert_array_equal(initial_state.make(recipes, carried, seed=1)["gamma"], values["gamma"])


def test_every_epoch_sees_each_photo_once_in_another_order():
    order = PhotoOrder(count=6, batch_size=4, seed=0)
    rows = order.rows(0, 6)  # four epochs
    assert rows.shape == (6, 4) and rows.dtype == np.int32
    epochs = rows.reshape(4, 6)
    assert all(sorted(epoch) == list(range(6)) for epoch in epochs.tolist())
    assert len({tuple(epoch) for epoch in epochs.tolist()}) > 1
    np.testing.assert_array_equal(order.rows(2, 3), rows[2:5])


def test_rounds_fill_the_time():
    plan = Plan(rounds=3, annealed_rounds=1, gan_steps=1000, segmenter_steps=10, final_steps=20)
    seconds = {"gan_first": 0.5, "gan_later": 0.75, "segmenter": 0.1, "final": 0.25}
    # Of the 90 s, 25 s are reserved, and the final steps take 5 s. Each of the 3 rounds has 1 s of segmenter steps and
    # 4 s of evaluation. So 45 s are left for the GAN. One GAN step in each of the 3 rounds takes 0.5 + 2 * 0.75 = 2 s
    # in total. So there is time for 22 steps per round. They are rounded down to 20, a multiple of the chunk of 5.
    assert plan.fit(90.0, seconds, chunk=5).gan_steps == 20
    assert plan.fit(0.0, seconds, chunk=5).gan_steps == 5
    assert plan.fit(1e6, seconds, chunk=5) == plan


def test_learning_rates_fall_as_in_training():
    plan = Plan(rounds=3, annealed_rounds=2, gan_steps=4, segmenter_steps=1, final_steps=1)
    shares = [learning_rate_share(step, steps=12, annealed_steps=8) for step in range(1, 13)]
    assert [plan.learning_rate_share(step) for step in range(1, 13)] == shares


def test_weights_come_back_as_they_were(tmp_path):
    kernel = np.random.default_rng(0).normal(size=(80, 80)).astype(np.float32)
    state = {"segmenter/000": kernel, "segmenter_optimizer/000": np.array(5, np.int64)}
    weights.write_weights(tmp_path, state, {"seed": 3})
    record, values = weights.read_weights(tmp_path)
    assert (record["seed"], record["half"]) == (3, False)
    assert values.keys() == state.keys()
    for name, value in state.items():
        np.testing.assert_array_equal(values[name], value)
        assert values[name].dtype == value.dtype


def test_large_weights_come_back_as_float16_in_several_files_without_optimizers(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "FILE_BYTES", 10_000)
    numbers = np.random.default_rng(0).normal(size=(3, 6400)).astype(np.float32)  # a row has 12,800 bytes in float16
    numbers[2, 0] = 1e6  # too large for float16, so this row keeps its 25,600 bytes of float32
    groups = ("average_segmenter", "mask_encoder", "discriminator", "segmenter_optimizer")
    state = {f"{group}/000": numbers[i] for group, i in zip(groups, (0, 1, 2, 0), strict=True)}
    message = weights.write_weights(tmp_path, state, {})
    record, values = weights.read_weights(tmp_path)
    assert record["groups"] == [*groups[:2]] and record["files"] == 3 and "discriminator" in message
    np.testing.assert_allclose(values["mask_encoder/000"], numbers[1], rtol=1e-3)
    assert values["mask_encoder/000"].dtype == np.float32


def test_the_config_has_the_schedule_that_the_device_came_to():
    config = tiny.run_config(shapes)
    progress = {"gan_step": 30, "segmenter_step": 12, "final_step": 5}
    record = {"config": config.to_dict(), "progress": progress, "rounds": 3, "annealed_rounds": 1, "batch_size": 4}
    imported = config_facts(import_run.config_of(record))
    changed = {name: value for name, value in imported.items() if value != config_facts(config)[name]}
    assert changed == {
        "schedule.rounds": 3,
        "schedule.annealed_rounds": 1,
        "schedule.gan_images_per_round": 40,
        "schedule.segmenter_steps_per_round": 4,
        "schedule.final_segmenter_steps": 5,
    }

    rest = tiny.run_config(shapes, **{"refine.passes": 2, "schedule.final_segmenter_steps": 9, "schedule.rounds": 7})
    continued = config_facts(import_run.config_of(record, rest))
    changed = {name: value for name, value in continued.items() if value != imported[name]}
    assert changed == {"refine.passes": 2, "schedule.final_segmenter_steps": 9}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"gan.gamma_mi": 3.0}, "differs from that of the device: gan.gamma_mi is 3.0, on the device 0.2"),
        ({"schedule.final_segmenter_steps": 4}, "final_segmenter_steps is 4, allowed: at least 5, because the device"),
    ],
)
def test_settings_that_cannot_change_after_the_device_are_refused(change, message):
    progress = {"gan_step": 30, "segmenter_step": 12, "final_step": 5}
    record = {"config": tiny.run_config(shapes).to_dict(), "progress": progress}
    record |= {"rounds": 3, "annealed_rounds": 1, "batch_size": 4}
    rest = tiny.run_config(shapes, **{"schedule.final_segmenter_steps": 5} | change)
    with pytest.raises(ValueError, match=message):
        import_run.config_of(record, rest)
