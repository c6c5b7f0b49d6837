import pathlib

import pytest
import tiny

from configs import shapes
from tf_layered_gan import evaluate, train
from tf_layered_gan.evaluation import gan_figures
from tf_layered_gan.runs import restarts
from tf_layered_gan.runs.learning_curve import LearningCurve

COLLAPSE = restarts.Collapsed("all as background", images_seen=16)


def write_run(workdir, mark):
    """What a run has by its first checkpoint, each file with `mark` in it."""
    for name in ("curve.csv", "samples/step_1.png", "tensorboard/events", "checkpoints/ckpt-1.index"):
        path = workdir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(mark)


def files(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_what_a_run_had_is_kept_beside_the_next(tmp_path):
    config = tiny.run_config(shapes, seed=3)
    assert restarts.attempt(config, tmp_path).seed == 3 and restarts.history(tmp_path) == []
    for number, seed in ((1, 3), (2, 1_000_003)):
        write_run(tmp_path, mark=f"run {number}")
        restarts.put_aside(tmp_path, seed, COLLAPSE)
        assert [path.name for path in tmp_path.iterdir()] == ["collapsed"]
        kept = files(tmp_path / "collapsed" / str(number))
        assert set(kept.values()) - {kept["why.json"]} == {f"run {number}"} and len(kept) == 5
    assert restarts.history(tmp_path) == [
        {"seed": 3, "images_seen": 16, "why": "all as background"},
        {"seed": 1_000_003, "images_seen": 16, "why": "all as background"},
    ]
    assert restarts.attempt(config, tmp_path).seed == 2_000_003
    assert config.seed == 3


def test_a_seed_stays_one(tmp_path):
    config = tiny.run_config(shapes, seed=2**32 - 2)
    write_run(tmp_path, mark="run")
    restarts.put_aside(tmp_path, config.seed, COLLAPSE)
    assert restarts.attempt(config, tmp_path).seed == 999_999


def test_putting_aside_that_was_cut_off_is_done_again(tmp_path, monkeypatch):
    write_run(tmp_path, mark="run")
    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "rename", interrupt)  # of the checkpoints, which come last
        with pytest.raises(KeyboardInterrupt):
            restarts.put_aside(tmp_path, 3, COLLAPSE)
    assert restarts.history(tmp_path) == [] and (tmp_path / "checkpoints").exists()
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "more").write_text("run")  # it went on, and collapsed again
    restarts.put_aside(tmp_path, 3, COLLAPSE)
    assert len(restarts.history(tmp_path)) == 1
    assert {"tensorboard/events", "tensorboard/more", "curve.csv"} <= files(tmp_path / "collapsed" / "1").keys()


def interrupt(*_):
    raise KeyboardInterrupt


def lose_masks(monkeypatch, times):
    """Has the masks seem to be empty, as often as they are first looked at."""
    measure, empty = gan_figures.evaluate_synthetic_masks, [{"mask_mean": 0.0}] * times
    monkeypatch.setattr(
        gan_figures, "evaluate_synthetic_masks", lambda *given: measure(*given) | (empty.pop() if empty else {})
    )


@pytest.mark.slow
def test_a_run_that_collapsed_begins_again_and_ends_as_one_begun_with_the_other_seed(tmp_path, eagerly, monkeypatch):
    config = tiny.run_config(shapes, seed=3, **{"monitoring.restarts": 2})
    lose_masks(monkeypatch, times=1)
    result = train.train(config, tmp_path / "run")
    (collapse,) = result["restarts"]
    assert (collapse["seed"], collapse["images_seen"]) == (3, 12)
    assert collapse["why"].startswith("all as background: masks cover 0% of the picture")
    other = train.train(tiny.run_config(shapes, seed=1_000_003), tmp_path / "other")
    assert result | {"restarts": [], "training_seconds": other["training_seconds"]} == other
    assert LearningCurve(tmp_path / "run").points() == LearningCurve(tmp_path / "other").points()
    assert evaluate.evaluate(config, tmp_path / "run") == result


def test_a_run_goes_on_that_has_begun_again_often_enough(tmp_path, eagerly, monkeypatch):
    lose_masks(monkeypatch, times=2)
    result = train.train(tiny.run_config(shapes, **{"monitoring.restarts": 1}), tmp_path)
    assert len(result["restarts"]) == 1 and result["images_seen"] == 24


def test_what_no_run_has_put_aside_is_no_attempt(tmp_path):
    (tmp_path / "collapsed" / "mine" / "checkpoints").mkdir(parents=True)
    assert restarts.history(tmp_path) == []
