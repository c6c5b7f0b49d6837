"""Tests of runs that are refused before they begin."""

import pytest
import tiny
from noise_photos import write_photos

from configs import folder as folder_config
from configs import shapes
from tf_layered_gan import evaluate, synthesize, train


@pytest.mark.parametrize(
    "use", [train.train, evaluate.evaluate, lambda config, workdir: synthesize.write_dataset(config, workdir, 1)]
)
def test_workdir_of_another_config_is_refused(finished_run, use):
    with pytest.raises(ValueError, match="begun with other values of data.flip, gan.gamma_mi; take another"):
        use(tiny.run_config(shapes, **{"gan.gamma_mi": 3.0, "data.flip": False}), finished_run)


@pytest.mark.parametrize(
    "masks, changes, message",
    [
        (4, {"data.path": "misspelt"}, "misspelt is not a folder"),
        (12, {}, "no photo is left to train on"),
        (4, {"data.classes": "^bird"}, "data.classes is '^bird', which finds no class in the name '00.png'"),
        (4, {"metrics.inception": "missing.npz"}, "there is no file missing.npz"),
        (0, {"segmenter.supervised": True}, "no photo has a true mask, so segmenter.supervised must be False"),
    ],
    ids=["no folder", "all have masks", "no classes", "no weights", "no masks"],
)
def test_what_cannot_be_trained_or_measured_leaves_no_trace(masks, changes, message, tmp_path):
    own = write_photos(tmp_path / "photos", masks=masks)
    if not masks:
        own["data.masks"] = None
    with pytest.raises(ValueError) as refusal:
        tiny.train_one_step(folder_config, tmp_path / "run", **own | changes)
    assert message in str(refusal.value)
    assert not (tmp_path / "run" / "config.json").exists()
