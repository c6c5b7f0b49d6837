"""Tests of a tiny run on a folder of photos, some with masks: its figures, with FID and with classes."""

import json
import shutil

import pytest
import tensorflow as tf
import tiny
from mean_colour import MeanColour
from noise_photos import write_photos

from configs import folder as folder_config
from configs import shapes
from tf_layered_gan.data import sources
from tf_layered_gan.evaluation import gan_figures
from tf_layered_gan.files.records import read_record
from tf_layered_gan.paper.columns import COLUMNS
from tf_layered_gan.paper.lines import figure
from tf_layered_gan.paper.tables import TABLES
from tf_layered_gan.reporting.run_figures import report_run
from tf_layered_gan.runs.restore import restore_run


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
