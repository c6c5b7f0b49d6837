import functools
import hashlib
import importlib
import json
import shutil

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
from tf_layered_gan import evaluate, synthesize, train
from tf_layered_gan.config import shipped
from tf_layered_gan.data import folder
from tf_layered_gan.evaluation import gan_figures, segmentation
from tf_layered_gan.evaluation.baselines import BASELINES
from tf_layered_gan.files.records import write_record
from tf_layered_gan.paper.columns import COLUMNS
from tf_layered_gan.paper.lines import figure
from tf_layered_gan.paper.tables import TABLES
from tf_layered_gan.runs.learning_curve import LearningCurve

CONFIGS = shipped.names()
GRIDS = [2, 4, 5, 6, 8, 10]  # every second step, and each round's last


@pytest.fixture
def workdir(run):
    return run[0]


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
        assert evaluate.evaluate(tiny.run_config(shapes, **tiny.TWO_ROUNDS), workdir) == result
    assert "synthesis" not in result
    assert [line for line in caplog.messages if "FID" in line] == [
        "no FID computed: metrics.inception names no weights (see docs/evaluating.md)"
    ]


@pytest.mark.slow
def test_a_finished_run_has_its_fid_once_weights_are_named(run, tmp_path):
    shutil.copytree(run[0], tmp_path / "copy")
    weights = tiny.write_inception(tmp_path / "inception.npz")
    config = tiny.run_config(shapes, **tiny.TWO_ROUNDS | {"metrics.inception": str(weights)})
    result = evaluate.evaluate(config, tmp_path / "copy")
    synthesis = result.pop("synthesis")
    assert result == run[1]
    assert synthesis["fid"] > 0 and synthesis["bg_fid"] > 0
    assert (synthesis["samples"], synthesis["reference_pictures"]) == (6, 20)
    assert synthesis["inception_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert len(list((tmp_path / "copy" / "fid").glob("*.npz"))) == 1
    # A command without weights leaves it, as long as it is of the same GAN.
    config = tiny.run_config(shapes, **tiny.TWO_ROUNDS)
    assert evaluate.evaluate(config, tmp_path / "copy")["synthesis"] == synthesis
    write_record(tmp_path / "copy" / "metrics.json", result | {"synthesis": synthesis, "images_seen": 20})
    assert "synthesis" not in evaluate.evaluate(config, tmp_path / "copy")
    (tmp_path / "copy" / "metrics.json").write_text('{"seed": 0, ')  # damaged, and as good as none
    assert evaluate.evaluate(config, tmp_path / "copy") == run[1]


def test_a_finished_run_is_not_trained_again(run, tmp_path):
    shutil.copytree(run[0], tmp_path / "copy")
    assert train.train(tiny.run_config(shapes, **tiny.TWO_ROUNDS), tmp_path / "copy") == run[1]
    tiny.assert_same_checkpoint(run[0], tmp_path / "copy")


def test_rounds_can_be_added_to_a_finished_run(run, tmp_path):
    shutil.copytree(run[0], tmp_path / "copy")
    longer = tiny.run_config(shapes, **tiny.TWO_ROUNDS | {"schedule.rounds": 3})
    assert train.train(longer, tmp_path / "copy")["images_seen"] == 60
    values = tiny.checkpoint_values(tmp_path / "copy")
    steps = [values[name + "_step/.ATTRIBUTES/VARIABLE_VALUE"] for name in ("gan", "segmenter", "final")]
    assert steps == [15, 12, 1]
    points = [(point["after"], point["images_seen"]) for point in LearningCurve(tmp_path / "copy").points()]
    assert points[2:] == [("round 2, final", 40), ("round 3", 60), ("round 3, final", 60)]


def test_figures_that_are_there_are_measured_all_the_same(run, tmp_path, monkeypatch):
    # Keras has the workers meet in it, and the curve is the chief's alone: who left it out would have the others wait.
    shutil.copytree(run[0], tmp_path / "copy")
    measured, evaluate = [], segmentation.evaluate
    monkeypatch.setattr(segmentation, "evaluate", lambda *given, **how: measured.append(how) or evaluate(*given, **how))
    train.train(tiny.run_config(shapes, **tiny.TWO_ROUNDS), tmp_path / "copy")
    assert measured.count({"baselines": False}) == 2  # at the end of the last round, and of the final steps
    assert (tmp_path / "copy" / "curve.csv").read_text() == (run[0] / "curve.csv").read_text()


def test_a_point_of_the_curve_that_a_kill_took_is_measured_again(run, tmp_path):
    shutil.copytree(run[0], tmp_path / "copy")
    lines = (run[0] / "curve.csv").read_text().splitlines(keepends=True)
    (tmp_path / "copy" / "curve.csv").write_text("".join(lines[:-1]))
    train.train(tiny.run_config(shapes, **tiny.TWO_ROUNDS), tmp_path / "copy")
    assert (tmp_path / "copy" / "curve.csv").read_text() == "".join(lines)


@pytest.mark.parametrize(("annealed_rounds", "share"), [(0, 1), (2, 1 / 5)])
def test_last_step_has_what_annealing_leaves_of_the_learning_rates(annealed_rounds, share, tmp_path, eagerly):
    # One round of five steps.
    rates = {"gan.generator_learning_rate": 0.001, "gan.discriminator_learning_rate": 0.002}
    changes = {"schedule.gan_images_per_round": 20, "schedule.annealed_rounds": annealed_rounds}
    tiny.train_one_step(shapes, tmp_path, **rates, **changes)
    values = tiny.checkpoint_values(tmp_path)
    left = [
        values[f"{name}_optimizer/_learning_rate/.ATTRIBUTES/VARIABLE_VALUE"] for name in ("generator", "discriminator")
    ]
    np.testing.assert_allclose(left, [0.001 * share, 0.002 * share], rtol=1e-6)


def test_a_step_gives_tensorflow_no_number_of_its_own_to_keep(tmp_path, eagerly, monkeypatch):
    variable, given = type(tf.Variable(0)), set()
    assign = variable.assign

    def spied(self, value, *arguments, **settings):
        if isinstance(value, int):
            given.add(value)
        return assign(self, value, *arguments, **settings)

    monkeypatch.setattr(variable, "assign", spied)
    tiny.train_one_step(shapes, tmp_path, **{"schedule.gan_images_per_round": 20})
    assert given == {0, 1}  # and none of the steps, 2 to 5


@pytest.mark.parametrize(
    "use", [train.train, evaluate.evaluate, lambda config, workdir: synthesize.write_dataset(config, workdir, 1)]
)
def test_workdir_of_another_config_is_refused(workdir, use):
    other = tiny.run_config(shapes, **tiny.TWO_ROUNDS | {"gan.gamma_mi": 3.0, "data.flip": False})
    with pytest.raises(ValueError, match="begun with other values of data.flip, gan.gamma_mi; take another"):
        use(other, workdir)


def test_synthesized_pairs_load_as_photos_and_masks(workdir, tmp_path):
    synthesize.write_dataset(tiny.run_config(shapes, **tiny.TWO_ROUNDS), workdir, 6)
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
    config = tiny.run_config(shapes, **tiny.TWO_ROUNDS)
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


# The quick tests train the two configs that people use without a GPU.
MARKED = [pytest.param(name, marks=[pytest.mark.slow] * (name not in ("folder", "shapes"))) for name in CONFIGS]


@pytest.mark.parametrize("name", MARKED)
def test_one_step_of_every_config(name, tmp_path, eagerly, monkeypatch):
    module = importlib.import_module(f"configs.{name}")
    source, own = module.get_config().data.source, {}
    if source == "folder":
        own = {"data.path": str(write_photos(tmp_path / "photos") / "images")}
    elif source != "shapes":
        own = {"data.path": str(archives.write(source, tmp_path / "tfds", monkeypatch)), "data.holdout": 2}
    result = tiny.train_one_step(module, tmp_path / "run", **own)
    assert result["images_seen"] == 4
    assert (result["test"] is None) == (source in ("folder", "dogs", "cars"))  # these have no masks here
    for pattern in ("metrics.json", "checkpoints/*.index", "samples/*.png", "tensorboard/*"):
        assert list((tmp_path / "run").glob(pattern)), pattern
    assert event_tags(tmp_path / "run")["gan/generator_adversarial"] == [1]


@pytest.mark.slow
def test_one_step_of_the_embedded_default_at_its_own_size(tmp_path, eagerly, monkeypatch):
    measure = functools.partial(gan_figures.evaluate_synthetic_masks, batches=1)  # its 32 take longer than all else
    monkeypatch.setattr(gan_figures, "evaluate_synthetic_masks", measure)
    config = shapes.get_config()
    few = {"data.train_pictures": 32, "data.held_out_pictures": 8, "schedule.gan_images_per_round": config.batch_size}
    config.update_from_flattened_dict(tiny.ONE_STEP | few)
    result = train.train(config.lock(), tmp_path)
    assert (result["images_seen"], result["segmenter_steps"]) == (config.batch_size, 2)
    assert result["test"]["segmenter"]["images"] == 8
    # Eight rows of six tiles of 32 pixels, 2 pixels between: 8 * 32 + 7 * 2 and 6 * 32 + 5 * 2.
    assert pixels(tmp_path / "samples" / "step_0000001.png").shape == (270, 202, 3)


def test_masks_of_own_photos_are_for_evaluation(tmp_path, eagerly):
    photos = write_photos(tmp_path / "photos")
    own = {"data.path": str(photos / "images"), "data.masks": str(photos / "masks")}
    result = tiny.train_one_step(folder_config, tmp_path / "run", **own)
    # Four masks, half of them for the test.
    assert result["test"]["segmenter"]["images"] == 2


@pytest.mark.slow
def test_a_run_has_every_figure_of_the_tables(tmp_path, eagerly):
    photos, weights = write_photos(tmp_path / "photos"), tiny.write_inception(tmp_path / "inception.npz")
    own = {"data.path": str(photos / "images"), "data.masks": str(photos / "masks"), "data.classes": r"\d(?=\.png)"}
    tiny.train_one_step(folder_config, tmp_path / "run", **own, **{"metrics.inception": str(weights)})
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    rows = {row.method: row for table in TABLES.values() for row in table.rows}
    assert rows.keys() == {"segmenter", "grabcut"}
    for name, column in COLUMNS.items():
        assert isinstance(figure(metrics, rows["segmenter"], name), float), name
        assert isinstance(figure(metrics, rows["grabcut"], name), float) == column.of_masks, name
    clusters = metrics["clusters"]
    assert (clusters["photos"], clusters["classes"]) == (12, 10)  # 00.png to 11.png: ten last digits
    assert 0 <= clusters["nmi"] <= 1


def test_names_without_a_class_are_refused_before_the_workdir_is_bound(tmp_path, eagerly):
    photos = write_photos(tmp_path / "photos")
    own = {"data.path": str(photos / "images"), "data.classes": "^bird"}
    with pytest.raises(ValueError, match="data.classes is '\\^bird', which finds no class in the name '00.png'"):
        tiny.train_one_step(folder_config, tmp_path / "run", **own)
    assert not (tmp_path / "run" / "config.json").exists()


def test_wrong_weights_are_refused_before_the_workdir_is_bound(tmp_path, eagerly):
    with pytest.raises(ValueError, match="there is no file missing.npz"):
        tiny.train_one_step(shapes, tmp_path / "run", **{"metrics.inception": "missing.npz"})
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_wrong_path_does_not_bind_the_workdir_to_it(tmp_path, eagerly):
    photos = write_photos(tmp_path / "photos")
    with pytest.raises(ValueError, match="is not a folder"):
        tiny.train_one_step(folder_config, tmp_path / "run", **{"data.path": str(tmp_path / "misspelt")})
    assert tiny.train_one_step(folder_config, tmp_path / "run", **{"data.path": str(photos / "images")})


def test_photos_that_all_have_masks_are_refused_before_the_workdir_is_bound(tmp_path, eagerly):
    photos = write_photos(tmp_path / "photos") / "images"
    for photo in photos.iterdir():
        mask = tmp_path / "masks" / f"{photo.stem}.png"
        mask.parent.mkdir(exist_ok=True)
        Image.new("L", (24, 20), 255).save(mask)  # the photos' own size
    with pytest.raises(ValueError, match="none is left to train on"):
        tiny.train_one_step(
            folder_config, tmp_path / "run", **{"data.path": str(photos), "data.masks": str(tmp_path / "masks")}
        )
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_supervised_segmenter_learns_from_masks_and_no_gan_is_trained(tmp_path, eagerly):
    supervised = {"segmenter.supervised": True, "schedule.final_segmenter_steps": 3}
    result = tiny.train_one_step(shapes, tmp_path, **supervised)
    assert (result["images_seen"], result["segmenter_steps"]) == (12, 3)
    assert list(result["test"]) == ["segmenter", *BASELINES] and "synthetic" not in result
    values = tiny.checkpoint_values(tmp_path)
    assert [values[name + "_step/.ATTRIBUTES/VARIABLE_VALUE"] for name in ("gan", "segmenter", "final")] == [0, 0, 3]
    assert values["segmenter_optimizer/_iterations/.ATTRIBUTES/VARIABLE_VALUE"] == 3
    tags = event_tags(tmp_path)
    assert tags["supervised/segmentation"] == [1, 2, 3] and "supervised/consistency" not in tags
    assert not [tag for tag in tags if tag.startswith("gan/")]
    config = tiny.run_config(shapes, **tiny.ONE_STEP | supervised)
    assert train.train(config, tmp_path) == evaluate.evaluate(config, tmp_path) == result
    with pytest.raises(ValueError, match="segmenter.supervised is True: such a run trains no GAN"):
        synthesize.write_dataset(config, tmp_path, 1)


def test_a_supervised_segmenter_is_refused_without_masks(tmp_path, eagerly):
    photos = write_photos(tmp_path / "photos")
    own = {"data.path": str(photos / "images"), "segmenter.supervised": True, "schedule.final_segmenter_steps": 1}
    with pytest.raises(ValueError, match="no photo has a true mask, so segmenter.supervised must be False"):
        tiny.train_one_step(folder_config, tmp_path / "run", **own)
    assert not (tmp_path / "run" / "config.json").exists()
