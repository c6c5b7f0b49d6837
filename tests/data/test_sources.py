"""Tests of the choice of a source of photos."""

import tiny

from configs import shapes
from tf_layered_gan.data import sources


def test_a_source_in_the_table_is_loaded_and_is_not_taken_for_a_dataset_of_the_paper(monkeypatch):
    config, seen = tiny.run_config(shapes), []

    def load(given, settings):
        seen.append(settings["resolution"])
        return sources._load_shapes(given, settings)

    monkeypatch.setitem(sources._SOURCES, "mine", load)
    with config.unlocked():
        config.data.source = "mine"
    sources.prepare_photos(config)
    assert len(sources.load_photos(config).train) == config.data.train_pictures
    assert seen == [config.resolution]
