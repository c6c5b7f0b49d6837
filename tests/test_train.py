"""Tests of tiny runs with Algorithm 1: their figures and the files that they write."""

import hashlib
import importlib
import json
import shutil

import archives
import numpy as np
import pytest
import tensorflow as tf
import tiny
from mean_colour import MeanColour
from PIL import Image

from benchmarks import publish_run
from configs import folder as folder_config
from configs import shapes
from tf_layered_gan import evaluate, synthesize, train
from tf_layered_gan.config import shipped
from tf_layered_gan.data import sources
from tf_layered_gan.data.folder import reading
from tf_layered_gan.evaluation import gan_figures
from tf_layered_gan.evaluation.baselines import BASELINES
from tf_layered_gan.files.records import read_record
from tf_layered_gan.paper.columns import COLUMNS
from tf_layered_gan.paper.lines import figure
from tf_layered_gan.paper.tables import TABLES
from tf_layered_gan.reporting.run_figures import report_run
from tf_layered_gan.runs.learning_curve import LearningCurve
from tf_layered_gan.runs.restore import restore_run

GRIDS = [2, 4]  # grids are written every fourth step, and in the last step of each round


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)


def steps(events):
    """Returns a dict from the names of a run's events to the steps in which they were written."""
    return {name: [event.step for event in listed] for name, listed in events.items()}


def curve(workdir):
    return [(point["after"], point["images_seen"]) for point in LearningCurve(workdir).points()]


def test_metrics_file_holds_the_figures(finished_run):
    metrics = read_record(finished_run / "metrics.json")
    assert metrics["seed"] == 0
    assert metrics["images_seen"] == 16  # there are two rounds of two steps with four images
    assert metrics["segmenter_steps"] == 3  # there is one step in each of two rounds, and one final step
    assert metrics["training_seconds"] > 0
    assert metrics["photos"] == {"train": 10, "validation": 5, "test": 5}
    assert 0 < metrics["synthetic"]["mask_mean"] < 1
    assert list(metrics["test"]) == ["segmenter", "sharpened", *BASELINES]
    assert {figures["images"] for figures in metrics["test"].values()} == {5}


def test_checkpoint_holds_models_optimizers_and_counters(finished_run):
    values = tiny.checkpoint_values(finished_run)
    assert [values[f"{kind}_step"] for kind in ("gan", "segmenter", "final")] == [4, 2, 1]
    optimizers = ("generator", "discriminator", "segmenter")
    assert [values[f"{name}_optimizer/_iterations"] for name in optimizers] == [4, 4, 3]
    for part in ("generator_optimizer/_variables/", "average_foreground_generator/", "/u", "/moving_mean"):
        assert any(part in name for name in values), part


def test_two_newest_checkpoints_are_kept(finished_run):
    assert len(list((finished_run / "checkpoints").glob("*.index"))) == 2


def test_loss_terms_are_in_tensorboard(finished_run):
    of, every_step = steps(tiny.events(finished_run)), [1, 2, 3, 4]
    assert of["discriminator/generator_adversarial"] == of["mask/mask_mean"] == every_step
    assert of["codes/mutual_information_mask"] == every_step
    assert of["gradients/discriminator_gradient_norm"] == every_step
    assert of["background/background"] == [3, 4]  # round 1 has no background loss
    assert of["speed/gan/images_per_second"] == [2, 4]  # the first report of a phase has no speed
    assert of["segmenter/segmentation"] == [1, 2]
    assert "segmenter/consistency" not in of  # the segmenter learns from photos only in the final steps
    assert of["final/segmentation"] == of["final/consistency"] == [1]
    assert of["validation/iou"] == [2, 4, 4]
    assert of["layers"] == GRIDS


def test_sample_grids_are_written(finished_run):
    samples = sorted((finished_run / "samples").glob("*.png"))
    assert [path.name for path in samples] == [f"layers_step_{step:07d}.png" for step in GRIDS]
    # The grid has four rows of six tiles, with 2 pixels between tiles. A tile is 8 * 16 = 128 pixels high and wide. So
    # the grid is 4 * 128 + 3 * 2 pixels high and 6 * 128 + 5 * 2 pixels wide. The headings above the grid take one line
    # of 16 + 2 pixels.
    assert pixels(samples[0]).shape == (18 + 518, 778, 3)


def test_learning_curve_has_a_line_for_each_round(finished_run):
    assert curve(finished_run) == [("round 1", 8), ("round 2", 16), ("round 2, final", 16)]


def test_published_run_has_its_figures_and_its_layers(finished_run, tmp_path, eagerly):
    publish_run.publish(finished_run, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curve.csv", "layers.png", "metrics.json"]
    assert read_record(tmp_path / "metrics.json") == read_record(finished_run / "metrics.json")
    # The grid has four rows, and a column for each of the four images of the batch. Images are enlarged to 128 pixels.
    # So the grid is 4 * 128 + 3 * 2 pixels high and wide, without the headings.
    assert pixels(tmp_path / "layers.png").shape == (18 + 518, 518, 3)


def test_finished_run_is_measured_again_but_not_trained_again(run_copy, finished_run, eagerly, caplog):
    curve_file = run_copy / "curve.csv"
    # The last line is removed, because a run that was killed may lack it.
    curve_file.write_text("".join(curve_file.read_text().splitlines(keepends=True)[:-1]))
    with caplog.at_level("INFO", logger="absl"):
        assert train.train(tiny.run_config(shapes), run_copy) == read_record(finished_run / "metrics.json")
    tiny.assert_same_checkpoint(finished_run, run_copy)
    assert curve_file.read_text() == (finished_run / "curve.csv").read_text()
    assert [line for line in caplog.messages if "FID" in line] == [
        "no FID computed: metrics.inception names no weights (see docs/evaluating.md)"
    ]


@pytest.mark.slow
def test_fid_is_computed_once_weights_are_named(run_copy):
    weights = tiny.write_inception(run_copy.parent / "inception.npz")
    synthesis = evaluate.evaluate(tiny.run_config(shapes, **{"metrics.inception": str(weights)}), run_copy)["synthesis"]
    assert synthesis["fid"] > 0 and synthesis["bg_fid"] > 0
    assert (synthesis["samples"], synthesis["reference_pictures"]) == (6, 20)
    assert synthesis["inception_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert len(list((run_copy / "fid").glob("*.npz"))) == 1


@pytest.mark.parametrize(
    "use", [train.train, evaluate.evaluate, lambda config, workdir: synthesize.write_dataset(config, workdir, 1)]
)
def test_workdir_of_another_config_is_refused(finished_run, use):
    with pytest.raises(ValueError, match="begun with other values of data.flip, gan.gamma_mi; take another"):
        use(tiny.run_config(shapes, **{"gan.gamma_mi": 3.0, "data.flip": False}), finished_run)


def test_synthesized_pairs_follow_from_their_number_and_load_as_photos_with_masks(run_copy, tmp_path, eagerly):
    out, written = run_copy / "synthetic", []
    for count in (3, 6):
        synthesize.write_dataset(tiny.run_config(shapes), run_copy, count)
        written.append({str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*.png")})
    names = [f"{i:06d}.png" for i in range(6)]
    assert written[1].keys() == {f"{kind}/{name}" for kind in ("images", "masks") for name in names}
    assert len(set(written[1].values())) == 12
    assert written[0].items() <= written[1].items()
    assert read_record(out / "dataset.json")["pairs"] == 6
    shutil.copy(out / "images" / names[0], out / "images" / "unmasked.png")
    splits = reading.load(out / "images", resolution=16, storage_size=16, masks=out / "masks")
    # Photos with masks go to validation and to test alternately.
    assert splits.train.names == ("unmasked.png",)
    assert splits.validation.names == tuple(names[::2]) and splits.test.names == tuple(names[1::2])
    np.testing.assert_array_equal(splits.test.masks[0], pixels(out / "masks" / names[1]) >= 128)
    np.testing.assert_array_equal(splits.test.images[0], pixels(out / "images" / names[1]))


def write_photos(path, count=12, masks=4):
    """Writes photos of noise, and masks for the last photos. Returns the config fields that name both folders."""
    generator = np.random.default_rng(0)
    for name in ("images", "masks"):
        (path / name).mkdir(parents=True)
    for i in range(count):
        photo = generator.integers(0, 256, (20, 24, 3), np.uint8)
        Image.fromarray(photo).save(path / "images" / f"{i:02d}.png")
        if i >= count - masks:
            Image.fromarray((photo[..., 0] > 99) * np.uint8(255)).save(path / "masks" / f"{i:02d}.png")
    return {"data.path": str(path / "images"), "data.masks": str(path / "masks")}


@pytest.fixture(scope="module")
def photo_run(tmp_path_factory):
    """A run with two steps of the GAN, with FID and with classes. Some photos of its folder have masks.

    Returns:
        the workdir, the config, and the Python integers that training assigned to TensorFlow variables.
    """
    folder_of_test, variable, assigned = tmp_path_factory.mktemp("photo_run"), type(tf.Variable(0)), set()
    own = write_photos(folder_of_test / "photos") | {"data.classes": r"\d(?=\.png)", "metrics.inception": "weights"}
    own |= {"schedule.gan_images_per_round": 8, "schedule.annealed_rounds": 2, "gan.generator_learning_rate": 0.001}
    assign = variable.assign

    def remember(self, value, *arguments, **settings):
        if isinstance(value, int):
            assigned.add(value)
        return assign(self, value, *arguments, **settings)

    with tiny.eager(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(gan_figures, "build_inception", lambda config: MeanColour())
        patch.setattr(variable, "assign", remember)
        tiny.train_one_step(folder_config, folder_of_test / "run", **own)
    return folder_of_test / "run", tiny.run_config(folder_config, **tiny.ONE_STEP | own), assigned


def test_learning_rates_fall_over_the_last_rounds(finished_run, photo_run):
    rate = "generator_optimizer/_learning_rate"
    # At the last of four steps, a quarter of the learning rate is left, because all rounds are annealed.
    assert shapes.get_config().schedule.annealed_rounds == 2
    full = shapes.get_config().gan.generator_learning_rate
    assert tiny.checkpoint_values(finished_run)[rate] == pytest.approx(full / 4)
    # At the last of two steps, half of the learning rate is left, because only one round is annealed.
    assert tiny.checkpoint_values(photo_run[0])[rate] == pytest.approx(0.001 / 2)


def test_step_numbers_are_not_assigned_to_variables(photo_run):
    # The number of the second step, 2, must not be assigned to a variable, because TensorFlow would keep it.
    assert photo_run[2] == {0, 1}


def test_a_run_has_every_figure_of_the_tables(photo_run):
    metrics = read_record(photo_run[0] / "metrics.json")
    rows = {row.method: row for table in TABLES.values() for row in table.rows}
    assert rows.keys() == {"segmenter", "grabcut"}
    for name, column in COLUMNS.items():
        assert isinstance(figure(metrics, rows["segmenter"], name), float), name
        assert isinstance(figure(metrics, rows["grabcut"], name), float) == column.of_masks, name


def test_photos_with_masks_are_for_evaluation_only(photo_run):
    metrics = read_record(photo_run[0] / "metrics.json")
    assert metrics["photos"] == {"train": 8, "validation": 2, "test": 2}
    assert metrics["test"]["segmenter"]["images"] == 2


def test_clusters_are_compared_with_the_classes_in_the_names(photo_run):
    clusters = read_record(photo_run[0] / "metrics.json")["clusters"]
    assert (clusters["photos"], clusters["classes"]) == (12, 10)  # 00.png to 11.png have ten different last digits
    assert 0 <= clusters["nmi"] <= 1


def test_fid_and_clusters_stay_until_the_gan_trains_again(photo_run, tmp_path, eagerly):
    workdir, config = shutil.copytree(photo_run[0], tmp_path / "run"), photo_run[1].copy_and_resolve_references()
    metrics, models = read_record(workdir / "metrics.json"), restore_run(config, workdir)
    config.data.classes = None
    splits = sources.load_photos(config)

    def report():
        return report_run(config, workdir, splits, *models, inception=None)

    assert report() == metrics
    # At first, metrics.json has the figures of another GAN. Then it is damaged.
    for earlier in (json.dumps(metrics | {"images_seen": 4}), '{"seed": 0, '):
        (workdir / "metrics.json").write_text(earlier)
        assert metrics.keys() - report().keys() == {"synthesis", "clusters"}


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped.names())
def test_every_config_trains(name, tmp_path, eagerly, monkeypatch):
    module = importlib.import_module(f"configs.{name}")
    source, own = module.get_config().data.source, {}
    if source == "folder":
        own = write_photos(tmp_path / "photos", masks=0) | {"data.masks": None}
    elif source != "shapes":
        own = {"data.path": str(archives.write(source, tmp_path / "tfds", monkeypatch)), "data.holdout": 2}
    metrics = tiny.train_one_step(module, tmp_path / "run", **own)
    assert metrics["images_seen"] == 4
    # In this test, the photos of these three sources have no masks.
    assert (metrics["test"] is None) == (source in ("folder", "dogs", "cars"))
    for pattern in ("metrics.json", "checkpoints/*.index", "samples/*.png"):
        assert list((tmp_path / "run").glob(pattern)), pattern
    assert steps(tiny.events(tmp_path / "run"))["discriminator/generator_adversarial"] == [1]


@pytest.mark.slow
def test_config_of_the_demo_trains_at_its_own_size(tmp_path, eagerly):
    config = shapes.get_config()
    few = {"data.train_pictures": 32, "data.held_out_pictures": 8, "schedule.gan_images_per_round": config.batch_size}
    few |= {"schedule.segmenter_steps_per_round": 1, "schedule.final_segmenter_steps": 1}
    config.update_from_flattened_dict(tiny.ONE_STEP | few)
    metrics = train.train(config.lock(), tmp_path)
    assert (metrics["images_seen"], metrics["segmenter_steps"]) == (config.batch_size, 2)
    assert metrics["test"]["segmenter"]["images"] == 8
    # The grid has eight rows of six tiles, with 2 pixels between tiles. A tile is 4 * 32 = 128 pixels high and wide. So
    # the grid is 8 * 128 + 7 * 2 pixels high and 6 * 128 + 5 * 2 pixels wide. The headings above the grid take one line
    # of 16 + 2 pixels.
    assert pixels(tmp_path / "samples" / "layers_step_0000001.png").shape == (18 + 1038, 778, 3)


@pytest.mark.parametrize(
    "masks, changes, message",
    [
        (4, {"data.path": "misspelt"}, "misspelt is not a folder"),
        (12, {}, "no photo is left to train on"),
        (4, {"data.classes": "^bird"}, "data.classes is '^bird', which finds no class in the name '00.png'"),
        (4, {"metrics.inception": "missing.npz"}, "there is no file missing.npz"),
        (0, {"segmenter.supervised": True}, "no photo has a true mask, so segmenter.supervised must be False"),
    ],
    ids=["no folder", "all have masks", "no classes", "no weights", "no masks"],
)
def test_what_cannot_be_trained_or_measured_leaves_no_trace(masks, changes, message, tmp_path):
    own = write_photos(tmp_path / "photos", masks=masks)
    if not masks:
        own["data.masks"] = None
    with pytest.raises(ValueError) as refusal:
        tiny.train_one_step(folder_config, tmp_path / "run", **own | changes)
    assert message in str(refusal.value)
    assert not (tmp_path / "run" / "config.json").exists()


def test_supervised_segmenter_learns_from_masks_without_a_gan(tmp_path, eagerly):
    supervised = {"segmenter.supervised": True, "schedule.final_segmenter_steps": 2}
    metrics = tiny.train_one_step(shapes, tmp_path, **supervised)
    assert (metrics["images_seen"], metrics["segmenter_steps"]) == (8, 2)
    assert list(metrics["test"]) == ["segmenter", "sharpened", *BASELINES] and "synthetic" not in metrics
    assert tiny.counters(tmp_path, "gan_step", "segmenter_step", "final_step") == [0, 0, 2]
    of = steps(tiny.events(tmp_path))
    assert of["supervised/segmentation"] == [1, 2] and "supervised/consistency" not in of
    assert not [name for name in of if name.startswith(("gan/", "mask", "discriminator/"))]
    with pytest.raises(ValueError, match="segmenter.supervised is True: such a run trains no GAN"):
        synthesize.write_dataset(tiny.run_config(shapes, **tiny.ONE_STEP | supervised), tmp_path, 1)
