import functools
import hashlib
import importlib
import json
import re
import shutil
import signal
import subprocess
import time
import warnings

import archives
import numpy as np
import pytest
import tensorflow as tf
import tiny
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from benchmarks import publish_run
from configs import folder as folder_config
from configs import shapes
from tf_layered_gan import config_validation, evaluation, monitoring, preemption, synthesize, table_report, train
from tf_layered_gan.baselines import BASELINES
from tf_layered_gan.batches import Batches
from tf_layered_gan.data import folder
from tf_layered_gan.learning_curve import LearningCurve
from tf_layered_gan.tables import COLUMNS, TABLES

CONFIGS = sorted(path.stem for path in (tiny.ROOT / "configs").glob("*.py"))
# Two rounds of five steps of four pictures, and four of the segmenter; one more of the last.
CHANGES = {"schedule.gan_images_per_round": 20, "schedule.segmenter_steps_per_round": 4}
CHANGES |= {"networks.residual_blocks": 0}  # the run is compiled again and again, which takes long

GRIDS = [2, 4, 5, 6, 8, 10]  # every second step, and each round's last


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run: its workdir and what `train` returned."""
    workdir = tmp_path_factory.mktemp("run")
    return workdir, train.train(tiny.run_config(shapes, **CHANGES), workdir)


@pytest.fixture
def workdir(run):
    return run[0]


@pytest.fixture
def eagerly():
    """Without graphs, whose tracing takes longer than the few steps that a test needs."""
    tf.config.run_functions_eagerly(True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not apply to tf.data functions")
        yield
    tf.config.run_functions_eagerly(False)


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)


def event_tags(workdir):
    accumulator = EventAccumulator(str(workdir / "tensorboard"), size_guidance={"tensors": 0})
    accumulator.Reload()
    return {tag: [event.step for event in accumulator.Tensors(tag)] for tag in accumulator.Tags()["tensors"]}


def test_figures_are_written(run):
    workdir, result = run
    assert json.loads((workdir / "metrics.json").read_text()) == result
    assert result["seed"] == 0
    assert result["images_seen"] == 40
    assert result["segmenter_steps"] == 9  # two rounds of four, and one more
    assert result["training_seconds"] > 0
    assert result["photos"] == {"train": 10, "validation": 5, "test": 5}
    assert result["synthetic"]["pictures"] == 128  # 32 batches of 4
    assert 0 < result["synthetic"]["mask_mean"] < 1
    assert list(result["test"]) == ["segmenter", *BASELINES]
    assert {metrics["images"] for metrics in result["test"].values()} == {5}


def test_checkpoint_holds_everything(workdir):
    values = tiny.checkpoint_values(workdir)
    suffix = "/.ATTRIBUTES/VARIABLE_VALUE"
    # Two rounds of five steps; two rounds of four steps and one more.
    assert values["gan_step" + suffix] == values["generator_optimizer/_iterations" + suffix] == 10
    assert values["discriminator_optimizer/_iterations" + suffix] == 10
    assert values["segmenter_step" + suffix] == 8
    assert values["final_step" + suffix] == 1
    assert values["segmenter_optimizer/_iterations" + suffix] == 9
    for part in ("generator_optimizer/_variables/", "average_foreground_generator", "/u/", "/moving_mean/"):
        assert any(part in name for name in values)


def test_newest_checkpoints_alone_are_kept(workdir):
    assert len(list((workdir / "checkpoints").glob("*.index"))) == 2


def test_terms_are_in_tensorboard(workdir):
    tags = event_tags(workdir)
    every_step = list(range(1, 11))
    assert tags["gan/generator_adversarial"] == tags["gan/mask_mean"] == every_step
    assert tags["gan/discriminator_mutual_information_mask"] == tags["gan/discriminator_gradient_norm"] == every_step
    assert tags["gan/images_per_second"] == [2, 3, 4, 5, 7, 8, 9, 10]  # not at a phase's first report
    assert tags["segmenter/segmentation"] == every_step[:8]
    assert "segmenter/consistency" not in tags  # only the final steps learn from photos, too
    assert tags["final/segmentation"] == tags["final/consistency"] == [1]
    assert tags["validation/iou"] == [5, 10, 10]
    assert tags["layers"] == GRIDS


def test_background_loss_begins_in_the_second_round(workdir):
    assert event_tags(workdir)["gan/background"] == [6, 7, 8, 9, 10]


def test_sample_pictures_are_written(workdir):
    samples = sorted((workdir / "samples").glob("*.png"))
    assert [path.name for path in samples] == [f"step_{step:07d}.png" for step in GRIDS]
    # Four rows of six tiles of 16 pixels, 2 pixels between: 4 * 16 + 3 * 2 and 6 * 16 + 5 * 2.
    assert pixels(samples[0]).shape == (70, 106, 3)


def test_curve_has_a_line_a_round(workdir):
    points = [(point["after"], point["images_seen"]) for point in LearningCurve(workdir).points()]
    assert points == [("round 1", 20), ("round 2", 40), ("round 2, final", 40)]


def test_a_published_run_has_its_figures_and_its_layers(run, tmp_path):
    publish_run.publish(run[0], tmp_path / "published")
    assert sorted(path.name for path in (tmp_path / "published").iterdir()) == [
        "curve.csv",
        "layers.png",
        "metrics.json",
    ]
    assert json.loads((tmp_path / "published" / "metrics.json").read_text()) == run[1]
    # A batch of four, twice enlarged, in four columns: 4 * 32 + 3 * 2 both ways.
    assert pixels(tmp_path / "published" / "layers.png").shape == (134, 134, 3)


def test_evaluate_measures_the_same_again_and_says_once_that_there_is_no_fid(run, caplog):
    workdir, result = run
    with caplog.at_level("INFO", logger="absl"):
        assert train.evaluate(tiny.run_config(shapes, **CHANGES), workdir) == result
    assert "synthesis" not in result
    assert [line for line in caplog.messages if "FID" in line] == [
        "no FID: metrics.inception names no weights (README.md says where they are)"
    ]


def test_a_finished_run_has_its_fid_once_weights_are_named(run, tmp_path):
    shutil.copytree(run[0], tmp_path / "copy")
    weights = tiny.write_inception(tmp_path / "inception.npz")
    config = tiny.run_config(shapes, **CHANGES | {"metrics.inception": str(weights)})
    result = train.evaluate(config, tmp_path / "copy")
    synthesis = result.pop("synthesis")
    assert result == run[1]
    assert synthesis["fid"] > 0 and synthesis["bg_fid"] > 0
    assert (synthesis["samples"], synthesis["reference_pictures"]) == (6, 20)
    assert synthesis["inception_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert len(list((tmp_path / "copy" / "fid").glob("*.npz"))) == 1


def test_a_finished_run_is_not_trained_again(run, tmp_path):
    shutil.copytree(run[0], tmp_path / "copy")
    assert train.train(tiny.run_config(shapes, **CHANGES), tmp_path / "copy") == run[1]
    assert_same_checkpoint(run[0], tmp_path / "copy")


def test_rounds_can_be_added_to_a_finished_run(run, tmp_path):
    shutil.copytree(run[0], tmp_path / "copy")
    longer = tiny.run_config(shapes, **CHANGES | {"schedule.rounds": 3})
    assert train.train(longer, tmp_path / "copy")["images_seen"] == 60
    values = tiny.checkpoint_values(tmp_path / "copy")
    steps = [values[name + "_step/.ATTRIBUTES/VARIABLE_VALUE"] for name in ("gan", "segmenter", "final")]
    assert steps == [15, 12, 1]
    points = [(point["after"], point["images_seen"]) for point in LearningCurve(tmp_path / "copy").points()]
    assert points[2:] == [("round 2, final", 40), ("round 3", 60), ("round 3, final", 60)]


def test_a_point_of_the_curve_that_a_kill_took_is_measured_again(run, tmp_path):
    shutil.copytree(run[0], tmp_path / "copy")
    lines = (run[0] / "curve.csv").read_text().splitlines(keepends=True)
    (tmp_path / "copy" / "curve.csv").write_text("".join(lines[:-1]))
    train.train(tiny.run_config(shapes, **CHANGES), tmp_path / "copy")
    assert (tmp_path / "copy" / "curve.csv").read_text() == "".join(lines)


@pytest.mark.parametrize(("annealed_rounds", "share"), [(0, 1), (1, 1 / 5), (2, 1 / 5)])
def test_last_step_has_what_annealing_leaves_of_the_learning_rates(annealed_rounds, share, tmp_path, eagerly):
    # One round of five steps.
    rates = {"gan.generator_learning_rate": 0.001, "gan.discriminator_learning_rate": 0.002}
    changes = {"schedule.gan_images_per_round": 20, "schedule.annealed_rounds": annealed_rounds}
    train_one_step(shapes, tmp_path, **rates, **changes)
    values = tiny.checkpoint_values(tmp_path)
    left = [
        values[f"{name}_optimizer/_learning_rate/.ATTRIBUTES/VARIABLE_VALUE"] for name in ("generator", "discriminator")
    ]
    np.testing.assert_allclose(left, [0.001 * share, 0.002 * share], rtol=1e-6)


def assert_same_checkpoint(first, second):
    ours, theirs = tiny.checkpoint_values(first), tiny.checkpoint_values(second)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(theirs[name], value, err_msg=name)


@pytest.mark.parametrize(
    "use", [train.train, train.evaluate, lambda config, workdir: synthesize.write_dataset(config, workdir, 1)]
)
def test_workdir_of_another_config_is_refused(workdir, use):
    other = tiny.run_config(shapes, **CHANGES | {"gan.gamma_mi": 3.0, "data.flip": False})
    with pytest.raises(ValueError, match="begun with other values of data.flip, gan.gamma_mi; take another"):
        use(other, workdir)


def test_synthesized_pairs_load_as_photos_and_masks(workdir, tmp_path):
    synthesize.write_dataset(tiny.run_config(shapes, **CHANGES), workdir, 6)
    out = workdir / "synthetic"
    names = [f"{i:06d}.png" for i in range(6)]
    assert sorted(path.name for path in (out / "images").iterdir()) == names
    assert sorted(path.name for path in (out / "masks").iterdir()) == names
    assert json.loads((out / "dataset.json").read_text())["pairs"] == 6
    shutil.copytree(out, tmp_path / "mine")
    shutil.copy(out / "images" / names[0], tmp_path / "mine" / "images" / "unmasked.png")
    splits = folder.load(
        tmp_path / "mine" / "images", resolution=16, storage_size=16, masks=tmp_path / "mine" / "masks"
    )
    # Pairs go to validation and test by turns.
    assert splits.validation.names == ("000000.png", "000002.png", "000004.png")
    assert splits.test.names == ("000001.png", "000003.png", "000005.png")
    np.testing.assert_array_equal(splits.test.masks[0], pixels(out / "masks" / names[1]) >= 128)
    np.testing.assert_array_equal(splits.test.images[0], pixels(out / "images" / names[1]))


def test_each_pair_follows_from_the_run_and_its_number(workdir):
    config = tiny.run_config(shapes, **CHANGES)
    pictures = []
    for count in (6, 5):
        synthesize.write_dataset(config, workdir, count)
        pictures.append([path.read_bytes() for path in sorted((workdir / "synthetic").rglob("*.png"))])
    images, masks = pictures[0][:6], pictures[0][6:]
    assert len(set(images)) == len(set(masks)) == 6
    assert pictures[1] == images[:5] + masks[:5]


def write_photos(path, count=12):
    """Photos of noise, not square, and for the last four of them masks."""
    generator = np.random.default_rng(0)
    for name in ("images", "masks"):
        (path / name).mkdir(parents=True)
    for i in range(count):
        photo = generator.integers(0, 256, (20, 24, 3), np.uint8)
        Image.fromarray(photo).save(path / "images" / f"{i:02d}.png")
        if i >= count - 4:
            Image.fromarray((photo[..., 0] > 99) * np.uint8(255)).save(path / "masks" / f"{i:02d}.png")
    return path


ONE_STEP = {
    "schedule.rounds": 1,
    "schedule.gan_images_per_round": 4,
    "schedule.segmenter_steps_per_round": 1,
    "schedule.final_segmenter_steps": 1,
}


def train_one_step(module, workdir, **changes):
    config = tiny.run_config(module, **ONE_STEP | changes)
    config_validation.validate(config)
    return train.train(config, workdir)


@pytest.mark.parametrize("name", CONFIGS)
def test_one_step_of_every_config(name, tmp_path, eagerly, monkeypatch):
    module = importlib.import_module(f"configs.{name}")
    source, own = module.get_config().data.source, {}
    if source == "folder":
        own = {"data.path": str(write_photos(tmp_path / "photos") / "images")}
    elif source != "shapes":
        own = {"data.path": str(archives.write(source, tmp_path / "tfds", monkeypatch)), "data.holdout": 2}
    result = train_one_step(module, tmp_path / "run", **own)
    assert result["images_seen"] == 4
    assert (result["test"] is None) == (source in ("folder", "dogs", "cars"))  # these have no masks here
    for pattern in ("metrics.json", "checkpoints/*.index", "samples/*.png", "tensorboard/*"):
        assert list((tmp_path / "run").glob(pattern)), pattern
    assert event_tags(tmp_path / "run")["gan/generator_adversarial"] == [1]


def test_one_step_of_the_embedded_default_at_its_own_size(tmp_path, eagerly, monkeypatch):
    measure = functools.partial(evaluation.evaluate_synthetic_masks, batches=1)  # its 32 take longer than all else
    monkeypatch.setattr(evaluation, "evaluate_synthetic_masks", measure)
    config = shapes.get_config()
    few = {"data.train_pictures": 32, "data.held_out_pictures": 8, "schedule.gan_images_per_round": config.batch_size}
    config.update_from_flattened_dict(ONE_STEP | few)
    result = train.train(config.lock(), tmp_path)
    assert (result["images_seen"], result["segmenter_steps"]) == (config.batch_size, 2)
    assert result["test"]["segmenter"]["images"] == 8
    # Eight rows of six tiles of 32 pixels, 2 pixels between: 8 * 32 + 7 * 2 and 6 * 32 + 5 * 2.
    assert pixels(tmp_path / "samples" / "step_0000001.png").shape == (270, 202, 3)


def test_masks_of_own_photos_are_for_evaluation(tmp_path, eagerly):
    photos = write_photos(tmp_path / "photos")
    own = {"data.path": str(photos / "images"), "data.masks": str(photos / "masks")}
    result = train_one_step(folder_config, tmp_path / "run", **own)
    # Four masks, half of them for the test.
    assert result["test"]["segmenter"]["images"] == 2


def test_a_run_has_every_figure_of_the_tables(tmp_path, eagerly):
    photos, weights = write_photos(tmp_path / "photos"), tiny.write_inception(tmp_path / "inception.npz")
    own = {"data.path": str(photos / "images"), "data.masks": str(photos / "masks"), "data.classes": r"\d(?=\.png)"}
    train_one_step(folder_config, tmp_path / "run", **own, **{"metrics.inception": str(weights)})
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    rows = {row.method: row for table in TABLES.values() for row in table.rows}
    assert rows.keys() == {"segmenter", "grabcut"}
    for name, column in COLUMNS.items():
        assert isinstance(table_report.figure(metrics, rows["segmenter"], name), float), name
        assert isinstance(table_report.figure(metrics, rows["grabcut"], name), float) == column.of_masks, name
    clusters = metrics["clusters"]
    assert (clusters["photos"], clusters["classes"]) == (12, 10)  # 00.png to 11.png: ten last digits
    assert 0 <= clusters["nmi"] <= 1


def test_names_without_a_class_are_refused_before_the_workdir_is_bound(tmp_path, eagerly):
    photos = write_photos(tmp_path / "photos")
    own = {"data.path": str(photos / "images"), "data.classes": "^bird"}
    with pytest.raises(ValueError, match="data.classes is '\\^bird', which finds no class in the name '00.png'"):
        train_one_step(folder_config, tmp_path / "run", **own)
    assert not (tmp_path / "run" / "config.json").exists()


def test_wrong_weights_are_refused_before_the_workdir_is_bound(tmp_path, eagerly):
    with pytest.raises(ValueError, match="there is no file missing.npz"):
        train_one_step(shapes, tmp_path / "run", **{"metrics.inception": "missing.npz"})
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_wrong_path_does_not_bind_the_workdir_to_it(tmp_path, eagerly):
    photos = write_photos(tmp_path / "photos")
    with pytest.raises(ValueError, match="is not a folder"):
        train_one_step(folder_config, tmp_path / "run", **{"data.path": str(tmp_path / "misspelt")})
    assert train_one_step(folder_config, tmp_path / "run", **{"data.path": str(photos / "images")})


def test_photos_that_all_have_masks_are_refused_before_the_workdir_is_bound(tmp_path, eagerly):
    photos = write_photos(tmp_path / "photos") / "images"
    for photo in photos.iterdir():
        mask = tmp_path / "masks" / f"{photo.stem}.png"
        mask.parent.mkdir(exist_ok=True)
        Image.new("L", (24, 20), 255).save(mask)  # the photos' own size
    with pytest.raises(ValueError, match="none is left to train on"):
        train_one_step(
            folder_config, tmp_path / "run", **{"data.path": str(photos), "data.masks": str(tmp_path / "masks")}
        )
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_supervised_segmenter_learns_from_masks_and_no_gan_is_trained(tmp_path, eagerly):
    supervised = {"segmenter.supervised": True, "schedule.final_segmenter_steps": 3}
    result = train_one_step(shapes, tmp_path, **supervised)
    assert (result["images_seen"], result["segmenter_steps"]) == (12, 3)
    assert list(result["test"]) == ["segmenter", *BASELINES] and "synthetic" not in result
    values = tiny.checkpoint_values(tmp_path)
    assert [values[name + "_step/.ATTRIBUTES/VARIABLE_VALUE"] for name in ("gan", "segmenter", "final")] == [0, 0, 3]
    assert values["segmenter_optimizer/_iterations/.ATTRIBUTES/VARIABLE_VALUE"] == 3
    tags = event_tags(tmp_path)
    assert tags["supervised/segmentation"] == [1, 2, 3] and "supervised/consistency" not in tags
    assert not [tag for tag in tags if tag.startswith("gan/")]
    config = tiny.run_config(shapes, **ONE_STEP | supervised)
    assert train.train(config, tmp_path) == train.evaluate(config, tmp_path) == result
    with pytest.raises(ValueError, match="segmenter.supervised is True: such a run trains no GAN"):
        synthesize.write_dataset(config, tmp_path, 1)


def test_a_supervised_segmenter_is_refused_without_masks(tmp_path, eagerly):
    photos = write_photos(tmp_path / "photos")
    own = {"data.path": str(photos / "images"), "segmenter.supervised": True, "schedule.final_segmenter_steps": 1}
    with pytest.raises(ValueError, match="no photo has a true mask, so segmenter.supervised must be False"):
        train_one_step(folder_config, tmp_path / "run", **own)
    assert not (tmp_path / "run" / "config.json").exists()


def test_non_finite_loss_stops_the_run_by_name(tmp_path, eagerly):
    changes = {"gan.generator_learning_rate": 1e30, "schedule.gan_images_per_round": 20}
    with pytest.raises(FloatingPointError, match="gan/[a-z_]+ is (nan|-?inf) at step 2"):
        train_one_step(shapes, tmp_path, **changes, **{"monitoring.checkpoint_every": 1})
    values = tiny.checkpoint_values(tmp_path)
    assert values["gan_step/.ATTRIBUTES/VARIABLE_VALUE"] == 1


def test_non_finite_loss_stops_the_run_at_its_step_not_at_the_next_report(tmp_path, eagerly):
    changes = {"gan.generator_learning_rate": 1e30, "schedule.gan_images_per_round": 20}
    rarely = {"monitoring.scalars_every": 100, "monitoring.checkpoint_every": 100}
    with pytest.raises(FloatingPointError, match="at step 2"):
        train_one_step(shapes, tmp_path, **changes, **rarely)


def fail_at(monkeypatch, *steps, kind="gan", term="generator_adversarial"):
    """Makes a loss of these steps, each time one is taken in this order, look as if it were not finite."""
    left, check, failing = list(steps), monitoring.check_finite, kind

    def check_or_fail(kind, report, step):
        if left and (kind, step) == (failing, left[0]):
            report = report | {term: float("nan")}
            left.pop(0)
        check(kind, report, step)

    monkeypatch.setattr(monitoring, "check_finite", check_or_fail)
    return left


def test_a_run_goes_back_once_and_on_with_other_batches(tmp_path, eagerly, monkeypatch, caplog):
    begun, gan_batches = [], Batches.gan
    monkeypatch.setattr(Batches, "gan", lambda self, first: begun.append(first) or gan_batches(self, first))
    left = fail_at(monkeypatch, 4)
    train_one_step(shapes, tmp_path, **{"schedule.gan_images_per_round": 20, "monitoring.checkpoint_every": 2})
    assert not left
    assert "going back to the last checkpoint and on with other batches, once" in caplog.text
    values = tiny.checkpoint_values(tmp_path)
    counters = {name: int(values[name + "/.ATTRIBUTES/VARIABLE_VALUE"]) for name in ("gan_step", "skipped")}
    assert counters == {"gan_step": 5, "skipped": 2}
    assert begun == [0, 4]  # batches 0 to 3 are those of steps 1 to 4, and not drawn again


@pytest.mark.parametrize("final_step", [1, 3])
def test_a_final_segmenter_that_goes_back_takes_all_its_steps(final_step, run, tmp_path, eagerly, monkeypatch):
    workdir = shutil.copytree(run[0], tmp_path / "run")
    left = fail_at(monkeypatch, final_step, kind="final", term="segmentation")
    more = CHANGES | {"schedule.rounds": 3, "schedule.final_segmenter_steps": 3}
    result = train.train(tiny.run_config(shapes, **more), workdir)
    assert not left and result["segmenter_steps"] == 15  # three rounds of four, and three more
    values = tiny.checkpoint_values(workdir)
    counters = ("final_round", "final_step", "skipped")
    counted = [int(values[name + "/.ATTRIBUTES/VARIABLE_VALUE"]) for name in counters]
    assert counted == [3, 3, 1]  # checkpoints are at every second step


def test_a_run_that_went_back_stops_the_next_time(tmp_path, eagerly, monkeypatch):
    left = fail_at(monkeypatch, 4, 5)
    with pytest.raises(FloatingPointError, match="gan/generator_adversarial is nan at step 5"):
        train_one_step(shapes, tmp_path, **{"schedule.gan_images_per_round": 20, "monitoring.checkpoint_every": 2})
    assert not left


def start(workdir):
    """The binary itself, on the same config as `run`."""
    flags = [f"--config.{name}={value}" for name, value in (tiny.RUN | CHANGES).items()]
    binary = ["-m", "tf_layered_gan.main", "--config=configs/shapes.py", f"--workdir={workdir}", *flags]
    # On one thread: with several, a sum's order, and so its last digit, can change from run to run.
    return tiny.python(*binary, TF_NUM_INTRAOP_THREADS="1")


def stop_at(workdir, report, signal_number):
    """Sends the binary a signal as soon as it prints a line with `report`; returns its exit code and all lines."""
    process, printed = start(workdir), [""]
    while report not in printed[-1]:
        printed.append(process.stdout.readline())
        assert printed[-1], "".join(printed)
    process.send_signal(signal_number)
    code, rest = tiny.finish(process)
    return code, "".join(printed) + rest


def test_a_killed_run_goes_on_as_if_nothing_had_been(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    never_killed = start(whole)
    # Checkpoints are at even steps, so both kills lose a step or more.
    stop_at(killed, "segmenter step 3 ", signal.SIGKILL)
    _, second = stop_at(killed, "gan step 7 ", signal.SIGKILL)
    assert not (killed / "metrics.json").exists()
    for process in (never_killed, start(killed)):
        code, third = tiny.finish(process)
        assert code == 0, third
    assert "going on from step 5" in second and "gan step 5 " not in second
    assert "gan step 6 " not in third and "gan step 10 of 10 (40 images)" in third
    assert_same_checkpoint(whole, killed)
    assert (killed / "curve.csv").read_text() == (whole / "curve.csv").read_text()


def test_a_run_told_to_stop_saves_its_step_and_goes_on_from_it(tmp_path):
    code, printed = stop_at(tmp_path, "gan step 3 ", signal.SIGTERM)
    assert code == preemption.EXIT_CODE, printed
    (saved,) = re.findall("told to stop: step ([345]) is saved", printed)
    code, printed = tiny.finish(start(tmp_path))
    assert code == 0 and f"going on from step {saved}" in printed, printed
    assert "gan step 3 " not in printed and "gan step 10 of 10 (40 images)" in printed


@pytest.mark.slow
def test_a_run_killed_at_twenty_random_moments_ends_as_one_that_never_was(tmp_path):
    whole, killed, kills = tmp_path / "whole", tmp_path / "killed", 0
    begun = time.monotonic()
    assert tiny.finish(start(whole))[0] == 0
    seconds = time.monotonic() - begun
    for share in np.random.default_rng(0).uniform(0.3, 1, 20):  # before that, it has only started TensorFlow
        process = start(killed)
        try:
            process.wait(share * seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
        process.communicate()
    code, printed = tiny.finish(start(killed))
    assert code == 0 and kills >= 10, printed
    assert_same_checkpoint(whole, killed)
    assert (killed / "curve.csv").read_text() == (whole / "curve.csv").read_text()
    ours, theirs = (json.loads((workdir / "metrics.json").read_text()) for workdir in (whole, killed))
    assert theirs | {"training_seconds": ours["training_seconds"]} == ours
    pictures = sorted(path.relative_to(whole) for path in whole.rglob("*.png"))
    assert pictures == sorted(path.relative_to(killed) for path in killed.rglob("*.png"))
    for picture in pictures:
        assert (killed / picture).read_bytes() == (whole / picture).read_bytes(), picture
