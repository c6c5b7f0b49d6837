"""Tests of the profiles of synthesis, evaluation and export."""

import pytest

from benchmarks.speed import profile_after_training as after_training
from tf_layered_gan.evaluation import baselines

clock = [0.0]


def outer():
    clock[0] += 1
    inner()
    for _ in items():
        clock[0] += 30
    clock[0] += 3


def inner():
    clock[0] += 10


def items():
    for _ in range(2):
        clock[0] += 100
        yield


def here(*names):
    return [f"{__name__}:{name}" for name in names]


def test_time_counts_for_the_innermost_part(monkeypatch):
    monkeypatch.setattr(after_training.time, "process_time", lambda: clock[0])
    parts = {
        "outer": here("outer"),
        "inner": here("inner", "items"),
        "never": here("test_time_counts_for_the_innermost_part"),
    }
    with after_training.measured(parts) as watch:
        clock[0] += 1000
        outer()
        clock[0] += 2000
    assert watch.seconds == {"outer": 64, "inner": 210, "never": 0, "rest": 3000}
    assert watch.calls == {"outer": 1, "inner": 2, "never": 0}


def test_functions_are_replaced_in_dicts_and_put_back():
    before = baselines.otsu
    with after_training.measured({"otsu": ["tf_layered_gan.evaluation.baselines:otsu"]}):
        assert before is not baselines.otsu is baselines.BASELINES["otsu"]
    assert before is baselines.otsu is baselines.BASELINES["otsu"]


def test_table_has_seconds_and_shares():
    lines = after_training.format_table({"imports": 1.0, "painting": 3.0}, {"painting": 2}).splitlines()
    assert lines[2:] == ["| imports |  | 1.0 | 25% |", "| painting | 2 | 3.0 | 75% |", "| all | | 4.0 | 100% |"]


def test_a_function_that_does_not_exist_is_an_error():
    with pytest.raises(AttributeError, match="no_function"), after_training.measured({"part": here("no_function")}):
        pass


@pytest.mark.parametrize("name", after_training.TASKS)
def test_every_function_of_a_part_exists(name):
    with after_training.measured(after_training.TASKS[name].parts) as watch:
        pass
    assert set(watch.calls.values()) == {0}


def test_synthesis_of_a_run_is_measured(run_copy, eagerly):
    seconds, calls = after_training.profile(after_training.TASKS["synthesize"], run_copy, 6)
    assert calls["writing PNG files"] == 12 == len(list((run_copy / "synthetic").glob("*/*.png")))
    assert calls["start-up: reading checkpoints"] == calls["painting pairs"] == 1
    assert min(seconds["start-up: building models"], seconds["painting pairs"]) > 0
