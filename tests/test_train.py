"""Tests of a tiny run with Algorithm 1: its figures and the files that it writes."""

import hashlib

import pytest
import tiny
from run_files import pixels, steps

from benchmarks import publish_run
from configs import shapes
from tf_layered_gan import evaluate, train
from tf_layered_gan.evaluation.baselines import BASELINES
from tf_layered_gan.files.records import read_record
from tf_layered_gan.runs.learning_curve import LearningCurve

GRIDS = [2, 4]  # grids are written every fourth step, and in the last step of each round


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
