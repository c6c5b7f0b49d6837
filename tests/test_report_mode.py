"""Tests of the mode that rebuilds the report of a run."""

import shutil

import pytest

from tf_layered_gan.report import rebuild_report
from tf_layered_gan.runs.config_record import load_config


def test_a_finished_run_has_its_masks_again(run_copy, eagerly):
    (run_copy / "report.html").unlink()
    text = rebuild_report(load_config(run_copy), run_copy).read_text()
    assert "The worst masks" in text and "5 of 5 marked" not in text and "What is missing?" not in text


def test_an_interrupted_run_says_why_it_has_no_masks(run_copy):
    shutil.rmtree(run_copy / "checkpoints")
    (run_copy / "metrics.json").unlink()
    text = rebuild_report(load_config(run_copy), run_copy).read_text()
    assert "No masks could be made: no checkpoint in" in text and "there is no metrics.json" in text


def test_refuses_to_compare_with_what_is_no_run(run_copy, tmp_path):
    with pytest.raises(ValueError, match="compare is .*none, which has no config.json, allowed: directories of runs"):
        rebuild_report(load_config(run_copy), run_copy, [str(tmp_path / "none")])


def test_a_run_whose_segmenter_has_not_begun_shows_no_random_masks(run_copy, eagerly, monkeypatch):
    monkeypatch.setattr("tf_layered_gan.runs.passes.is_trained", lambda model: False)
    text = rebuild_report(load_config(run_copy), run_copy).read_text()
    assert "no segmenter has been trained yet" in text and "The worst masks" not in text
