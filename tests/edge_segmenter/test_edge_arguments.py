"""Tests of the edge command's help, and of arguments that it refuses."""

import re

import pytest
from edge_command import run, run_main
from edge_images import half_white


@pytest.mark.parametrize("option, value", [("threshold", 1.5), ("threshold", "nan"), ("radius", -1), ("threads", 0)])
def test_refuses_an_option_out_of_range_before_anything_is_written(model, photos, tmp_path, option, value):
    half_white().save(photos / "a.png")
    finished = run(model, photos, tmp_path / "out", f"--{option}", value)
    assert finished.returncode == 2 and option in finished.stderr and str(value) in finished.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [(), ("segment",), ("benchmark",)])
def test_help_fits_a_screen_and_ends_with_examples(arguments, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = run_main(*arguments, "--help").stdout.splitlines()
    assert len(lines) <= 40 and max(map(len, lines)) <= 82
    assert any(re.match("examples?:", line) for line in lines[-6:])


def test_a_misspelt_flag_is_refused_with_the_nearest(model, photos, tmp_path):
    finished = run(model, photos, tmp_path / "out", "--treshold=0.4")
    assert finished.returncode == 2
    assert "unrecognized arguments: --treshold=0.4; did you mean --threshold?" in finished.stderr
    finished = run_main("segment", "--modle", str(model))  # the required flag --model is also missing
    assert finished.returncode == 2 and "unrecognized arguments: --modle; did you mean --model?" in finished.stderr
