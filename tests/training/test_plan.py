"""Tests of the phases of a run, the estimate of their time, and the dry run that prints both."""

import pytest
import tiny

from configs import folder, shapes
from tf_layered_gan.training import dry_run, plan
from tf_layered_gan.training.plan import NOT_BEGUN, Plan


@pytest.fixture(scope="module")
def whole():
    passes = {"refine.bootstrap": True, "refine.passes": 2, "refine.steps": 7}
    return Plan(tiny.run_config(shapes, **passes), photos=100)


def test_plan_has_the_phases_of_the_algorithm(whole):
    assert [(part.kind, part.name, part.first_step, part.last_step) for part in whole.parts] == [
        ("photos", "bootstrap", 0, 7),
        ("gan", "round 1", 0, 2),
        ("segmenter", "round 1", 0, 1),
        ("gan", "round 2", 2, 4),
        ("segmenter", "round 2", 1, 2),
        ("final", "round 2, final", 0, 1),
        ("photos", "pass 1", 0, 7),
        ("photos", "pass 2", 0, 7),
    ]
    costs = {part.kind: part.cost for part in whole.parts}
    assert costs["gan"] > costs["final"] > costs["segmenter"] > costs["photos"] > 0


def test_steps_that_were_taken_cost_nothing(whole):
    costs = {part.kind: part.cost for part in whole.parts}
    left = whole.cost_left(NOT_BEGUN | {"gan_step": 3, "segmenter_step": 1})
    assert left == pytest.approx(costs["gan"] + costs["segmenter"] + costs["final"] + 21 * costs["photos"])


def test_passes_that_were_interrupted_go_on(whole):
    costs = {part.kind: part.cost for part in whole.parts}
    trained = {"gan_step": 4, "segmenter_step": 2, "final_step": 1, "bootstrap": 7}
    assert whole.cost_left(trained | {"pass 1": 3}) == pytest.approx((4 + 7) * costs["photos"])
    interrupted = whole.cost_left(NOT_BEGUN) - 5 * costs["photos"]
    assert whole.cost_left(NOT_BEGUN | {"bootstrap": 5}) == pytest.approx(interrupted)
    # When rounds are added, the passes after the GAN begin again.
    rounds_added = trained | {"final_step": 0, "pass 1": 7, "pass 2": 7}
    assert whole.cost_left(rounds_added) == pytest.approx(costs["final"] + 14 * costs["photos"])


def test_time_left_of_a_phase_that_is_not_in_the_plan_is_unknown(whole):
    assert whole.time_left("student", "round 0", 1, 0.5) is None
    assert whole.time_left("photos", "pass 2", 3, 0.5) == "about 2 s"


def test_supervised_run_has_one_phase():
    (part,) = Plan(tiny.run_config(shapes, **{"segmenter.supervised": True}), photos=100).parts
    assert (part.kind, part.last_step) == ("supervised", 1)


@pytest.mark.parametrize("passes, words", [(1, "a pass over photos"), (2, "up to 2 passes over photos")])
def test_passes_are_described(passes, words):
    config = tiny.run_config(shapes, **{"refine.passes": passes, "refine.steps": 7})
    assert Plan(config, photos=100).describe(config).endswith(f", then {words}, with 7 steps in each pass")


def test_time_follows_from_the_speed_of_the_machine(monkeypatch):
    monkeypatch.setattr(plan, "_machine_speed", lambda: 2e9)
    without_passes = Plan(tiny.run_config(shapes), photos=100)
    seconds = without_passes.cost_left(NOT_BEGUN) / 2e9 / plan._SPEED
    assert without_passes.estimate(NOT_BEGUN) == f"about {plan.duration(seconds)}"


def test_both_times_are_given_where_the_bootstrap_decides_about_the_gan(monkeypatch):
    passes = {"refine.bootstrap": True, "refine.passes": 1, "refine.steps": 7, "schedule.gan": "if_needed"}
    uncertain = Plan(tiny.run_config(shapes, **passes), photos=10_000)
    monkeypatch.setattr(plan, "_machine_speed", lambda: 1e30)  # a machine so fast that only making masks takes time
    monkeypatch.setattr(plan.os, "cpu_count", lambda: 2)
    assert uncertain.estimate(NOT_BEGUN) == "about 5 min, or about 5 min if the bootstrap fails"
    assert "or" not in uncertain.estimate(NOT_BEGUN | {"gan_step": 1})
    assert uncertain.estimate(NOT_BEGUN | {"bootstrap": 7}, trusted=True) == "about 50 s"
    assert "or" not in uncertain.estimate(NOT_BEGUN | {"bootstrap": 7}, trusted=False)
    assert uncertain.time_left("photos", "bootstrap", 6, 10.0).startswith("about 80 s, or about ")
    assert uncertain.time_left("photos", "pass 1", 6, 10.0) == "about 10 s"


def test_dry_run_prints_the_plan_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Plan, "estimate", lambda self, position: "about 5 min")
    config, size = tiny.run_config(shapes), dry_run._disk
    dry_run.dry_run(config, tmp_path / "run")
    printed = capsys.readouterr().out
    for words in ("10 to train on", "2 rounds of 8 images", "about 5 min", " GB", " MB in", "Nothing was trained"):
        assert words in printed, printed
    monkeypatch.setattr(dry_run, "_disk", lambda *_: size(*_) + 1e18)
    with pytest.raises(ValueError, match="needed: about 1,000,000,000,00. MB"):
        dry_run.dry_run(config, tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_dry_run_reads_the_photos_of_a_folder(tmp_path):
    config = tiny.run_config(folder, **{"data.path": str(tmp_path), "networks.background_canvas": 1})
    with pytest.raises(ValueError, match="no photo or mask in"):
        dry_run.dry_run(config, tmp_path.parent / "run")
    assert not list(tmp_path.iterdir()) and not (tmp_path.parent / "run").exists()
