"""Tests that every config in configs/ can be trained."""

import importlib

import archives
import pytest
import tiny
from noise_photos import write_photos
from run_files import pixels, steps

from configs import shapes
from tf_layered_gan import train
from tf_layered_gan.config import shipped


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped.names())
def test_every_config_trains(name, tmp_path, eagerly, monkeypatch):
    module = importlib.import_module(f"configs.{name}")
    source, own = module.get_config().data.source, {}
    if source == "folder":
        own = write_photos(tmp_path / "photos", masks=0) | {"data.masks": None}
    elif source != "shapes":
        own = {"data.path": str(archives.write(source, tmp_path / "tfds", monkeypatch)), "data.holdout": 2}
    metrics = tiny.train_one_step(module, tmp_path / "run", **own)
    assert metrics["images_seen"] == 4
    # In this test, the photos of these three sources have no masks.
    assert (metrics["test"] is None) == (source in ("folder", "dogs", "cars"))
    for pattern in ("metrics.json", "checkpoints/*.index", "samples/*.png"):
        assert list((tmp_path / "run").glob(pattern)), pattern
    assert steps(tiny.events(tmp_path / "run"))["discriminator/generator_adversarial"] == [1]


@pytest.mark.slow
def test_config_of_the_demo_trains_at_its_own_size(tmp_path, eagerly):
    config = shapes.get_config()
    few = {"data.train_pictures": 32, "data.held_out_pictures": 8, "schedule.gan_images_per_round": config.batch_size}
    few |= {"schedule.segmenter_steps_per_round": 1, "schedule.final_segmenter_steps": 1}
    config.update_from_flattened_dict(tiny.ONE_STEP | few)
    metrics = train.train(config.lock(), tmp_path)
    assert (metrics["images_seen"], metrics["segmenter_steps"]) == (config.batch_size, 2)
    assert metrics["test"]["segmenter"]["images"] == 8
    # The grid has eight rows of six tiles, with 2 pixels between tiles. A tile is 4 * 32 = 128 pixels high and wide. So
    # the grid is 8 * 128 + 7 * 2 pixels high and 6 * 128 + 5 * 2 pixels wide. The headings above the grid take one line
    # of 16 + 2 pixels.
    assert pixels(tmp_path / "samples" / "layers_step_0000001.png").shape == (18 + 1038, 778, 3)
