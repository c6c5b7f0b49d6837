"""Tests of the functions for Python programs."""

import numpy as np
import pages
import pytest
import tiny
from absl import logging
from PIL import Image

import tf_layered_gan
from tf_layered_gan import Pair, load_segmenter, synthesize_pairs, train, train_on_folder
from tf_layered_gan.data import shapes
from tf_layered_gan.files.records import read_record

IMPORT = """
import logging, os, signal, sys
def state():
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    return dict(os.environ), list(logging.root.handlers), handlers
before = state()
from tf_layered_gan import Pair, load_segmenter, synthesize_pairs, train_on_folder
assert state() == before
assert not {"tensorflow", "keras", "absl", "ml_collections"} & set(sys.modules)
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with ten photos."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for i, image in enumerate(shapes.load(train=10, held_out=1, resolution=16, storage_size=16).train.images):
        Image.fromarray(image).save(tmp_path / "photos" / f"{i:03}.png")
    return tmp_path


def test_import_is_quiet_and_changes_nothing():
    assert tiny.finish(tiny.python("-c", IMPORT)) == (0, "")


def test_functions_do_not_hide_the_modules():
    assert callable(train.train) and callable(tf_layered_gan.train_on_folder)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = tf_layered_gan.nothing


def test_the_examples_of_the_page_run(place, run_copy, eagerly, monkeypatch, capsys):
    """The training is replaced by a finished run, because tests/test_train.py already tests the training."""
    trained = []

    def train_nothing(config, workdir):
        trained.append((config.data.path, config.schedule.rounds, config.seed))
        run_copy.rename(place / workdir)
        return read_record(place / workdir / "metrics.json")

    (place / "runs").mkdir()
    monkeypatch.setattr(train, "train", train_nothing)
    for name in ("use_absl_handler", "set_verbosity"):
        monkeypatch.setattr(logging, name, lambda *_: None)  # otherwise, later tests would log more lines
    names = {}
    for language, code in pages.blocks(pages.ROOT / "docs/library.md"):
        assert language == "python"
        exec(code, names)
    printed = capsys.readouterr().out
    assert trained == [(str(place / "photos"), 2, 1)] and "10 photos to train on" in printed
    assert "of the photo is foreground" in printed and printed.count("(16, 16, 3)") == 3
    with Image.open("cutout.png") as cutout:
        assert cutout.mode == "RGBA" and cutout.size == (16, 16)
    assert isinstance(names["pair"], Pair) and names["pair"].mask.dtype == np.uint8


def test_segmenter_of_a_file(model):
    photo = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    assert load_segmenter(model).probability(photo).shape == (20, 30)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"gan.gamma_mj": 1.0}, "there is no field gan.gamma_mj; did you mean gan.gamma_mi?"),
        ({"unet_width": 8}, "there is no field unet_width; did you mean networks.unet_width?"),
        ({"seed": "one"}, "seed is 'one'"),
        ({"gan.ema_decay": 2.0}, "gan.ema_decay is 2.0, allowed: from 0 to below 1"),
    ],
)
def test_wrong_settings_are_refused(place, settings, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        train_on_folder("photos", "run", settings=settings)
    assert not (place / "run").exists()


@pytest.mark.parametrize("config", ["folders", "mine.py"])
def test_unknown_config_is_refused(place, config):
    with pytest.raises(ValueError, match=f"config is '{config}', allowed: apc"):
        train_on_folder("photos", "run", config=config)


def test_a_directory_without_a_run_is_refused(tmp_path):
    for use in (load_segmenter, lambda path: synthesize_pairs(path, 1)):
        with pytest.raises(FileNotFoundError, match="no config.json"):
            use(tmp_path)
    with pytest.raises(ValueError, match="count is -1, allowed: 0 or more"):
        synthesize_pairs(tmp_path, -1)
    assert not list(tmp_path.iterdir())
