import json

import pytest

from benchmarks.seeds import summary


def write_run(workdir, seed, iou, grabcut=0.5):
    workdir.mkdir()
    test = {"segmenter": {"iou": iou, "iou_per_image": iou / 2}, "grabcut": {"iou": grabcut, "iou_per_image": 0.25}}
    run = {"seed": seed, "images_seen": 64000, "training_seconds": 12.4, "test": test}
    (workdir / "metrics.json").write_text(json.dumps(run))
    return workdir


def test_rows_are_the_seeds_their_mean_and_the_baselines(tmp_path):
    runs = [write_run(tmp_path / str(seed), seed, iou) for seed, iou in ((0, 0.6), (1, 0.8))]
    assert summary(runs).splitlines() == [
        "|  | images seen | training, s | IoU | IoU/image |",
        "| --- | --- | --- | --- | --- |",
        "| seed 0 | 64,000 | 12 | 0.600 | 0.300 |",
        "| seed 1 | 64,000 | 12 | 0.800 | 0.400 |",
        "| mean of 2 |  |  | 0.700 ± 0.100 | 0.350 ± 0.050 |",
        "| grabcut |  |  | 0.500 | 0.250 |",
    ]


def test_runs_on_different_photos_are_refused(tmp_path):
    runs = [write_run(tmp_path / "a", 0, 0.6), write_run(tmp_path / "b", 1, 0.6, grabcut=0.4)]
    with pytest.raises(ValueError, match="their baselines differ"):
        summary(runs)


def test_an_unfinished_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match="metrics.json does not exist: the run is not finished"):
        summary([tmp_path])


def test_no_run_is_refused():
    with pytest.raises(ValueError, match="no run was given"):
        summary([])
