import pathlib

import pytest
import tiny
from keras import ops

from configs import shapes
from tf_layered_gan import evaluate, train
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.runs import restarts
from tf_layered_gan.runs.learning_curve import LearningCurve

COLLAPSE = restarts.Collapsed("everything became background", images_seen=16)


def write_run(workdir, mark):
    """Writes the files that a run has at its first checkpoint. All of them contain the text `mark`."""
    for name in ("curve.csv", "samples/step_1.png", "tensorboard/events", "checkpoints/ckpt-1.index"):
        path = workdir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(mark)


def files(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_files_of_a_collapsed_run_are_kept_beside_the_next(tmp_path):
    config = tiny.run_config(shapes, seed=3)
    assert restarts.attempt(config, tmp_path).seed == 3 and restarts.history(tmp_path) == []
    for number, seed in ((1, 3), (2, 1_000_003)):
        write_run(tmp_path, mark=f"run {number}")
        restarts.put_aside(tmp_path, seed, COLLAPSE)
        assert [path.name for path in tmp_path.iterdir()] == ["collapsed"]
        kept = files(tmp_path / "collapsed" / str(number))
        assert set(kept.values()) - {kept["why.json"]} == {f"run {number}"} and len(kept) == 5
    assert restarts.history(tmp_path) == [
        {"seed": 3, "images_seen": 16, "why": "everything became background"},
        {"seed": 1_000_003, "images_seen": 16, "why": "everything became background"},
    ]
    assert restarts.attempt(config, tmp_path).seed == 2_000_003
    assert config.seed == 3


def test_next_seed_is_a_valid_one(tmp_path):
    config = tiny.run_config(shapes, seed=2**32 - 2)
    write_run(tmp_path, mark="run")
    restarts.put_aside(tmp_path, config.seed, COLLAPSE)
    assert restarts.attempt(config, tmp_path).seed == 999_999


def test_putting_aside_is_done_again_after_a_kill(tmp_path, monkeypatch):
    write_run(tmp_path, mark="run")
    with monkeypatch.context() as patch:
        # The checkpoints are moved last. The test interrupts this move.
        patch.setattr(pathlib.Path, "rename", interrupt)
        with pytest.raises(KeyboardInterrupt):
            restarts.put_aside(tmp_path, 3, COLLAPSE)
    assert restarts.history(tmp_path) == [] and (tmp_path / "checkpoints").exists()
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "more").write_text("run")  # the run went on, and collapsed again
    restarts.put_aside(tmp_path, 3, COLLAPSE)
    assert len(restarts.history(tmp_path)) == 1
    assert {"tensorboard/events", "tensorboard/more", "curve.csv"} <= files(tmp_path / "collapsed" / "1").keys()


def interrupt(*_):
    raise KeyboardInterrupt


@pytest.mark.slow
def test_collapsed_run_begins_again_once_with_another_seed(tmp_path, eagerly, monkeypatch):
    synthesize = LayeredGAN.synthesize

    def with_empty_masks(self, draws):
        layers = synthesize(self, draws)
        return layers | {"mask": ops.zeros_like(layers["mask"])}

    monkeypatch.setattr(LayeredGAN, "synthesize", with_empty_masks)
    config = tiny.run_config(shapes, **tiny.ONE_STEP, seed=3, **{"monitoring.restarts": 1})
    metrics = train.train(config, tmp_path / "run")
    (collapse,) = metrics["restarts"]  # the second attempt continues, although its masks are empty as well
    assert (collapse["seed"], collapse["images_seen"]) == (3, 4)
    assert collapse["why"].startswith("everything became background: the masks cover only 0% of the image")
    other = {"seed": 1_000_003, "monitoring.restarts": 0}
    expected = train.train(tiny.run_config(shapes, **tiny.ONE_STEP, **other), tmp_path / "other")
    assert metrics | {"restarts": [], "training_seconds": expected["training_seconds"]} == expected
    assert LearningCurve(tmp_path / "run").points() == LearningCurve(tmp_path / "other").points()
    tiny.assert_same_checkpoint(tmp_path / "run", tmp_path / "other")
    assert evaluate.evaluate(config, tmp_path / "run") == metrics


def test_other_folders_in_collapsed_are_no_attempts(tmp_path):
    (tmp_path / "collapsed" / "mine" / "checkpoints").mkdir(parents=True)
    assert restarts.history(tmp_path) == []
