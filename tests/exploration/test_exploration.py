"""Tests of the choice of codes, and of the sheets that show what a code means."""

import numpy as np
import pytest
import tiny
from PIL import Image

from configs import shapes
from tf_layered_gan import explore
from tf_layered_gan.exploration import codes
from tf_layered_gan.exploration.codes import Codes, between, drawn_codes, every_category
from tf_layered_gan.exploration.labelled import blend, sheet
from tf_layered_gan.runs.config_record import load_config

SHEETS = {"z_at_fixed_c", "c_at_fixed_z", "c_sup_at_fixed_z", "interpolation", "objects_on_backgrounds", "cutouts"}
FILES = {f"{name}.png" for name in SHEETS} | {"cutouts", "walk.gif"}


@pytest.fixture(scope="module")
def drawn():
    return drawn_codes(lambda step: tiny.draws(seed=(5, int(step))), 6)


def same(first, second):
    return all(np.array_equal(vars(first)[name], vars(second)[name]) for name in vars(first))


def test_as_many_codes_are_drawn_as_needed(drawn):
    assert len(drawn) == 6 and drawn.z.shape == (6, tiny.Z_DIM) and drawn.window.dtype == np.int32
    first = tiny.draws(seed=(5, 0))
    np.testing.assert_array_equal(drawn.c[:4], first["c"])


def test_every_category_has_the_first_z_and_its_group(drawn):
    every, groups = every_category(drawn, tiny.GROUP_SIZE)
    assert groups == [[0, 1], [2, 3], [4, 5]]
    np.testing.assert_array_equal(every.c, np.eye(6))
    np.testing.assert_array_equal(every.c_sup, np.eye(3)[[0, 0, 1, 1, 2, 2]])
    np.testing.assert_array_equal(every.z, drawn.z[[0] * 6])


def test_with_a_normal_prior_each_drawn_code_is_a_group(drawn):
    every, groups = every_category(drawn, 0)
    assert groups == [[0], [1], [2], [3], [4], [5]]
    np.testing.assert_array_equal(every.c, drawn.c)
    np.testing.assert_array_equal(every.z, drawn.z[[0] * 6])


def test_interpolation_begins_and_ends_at_the_two_codes(drawn):
    first, last = drawn.at([0]), drawn.at([1])
    path = between(first, last, 5)
    np.testing.assert_allclose(path.z[[0, -1]], drawn.z[:2], atol=1e-6)
    np.testing.assert_allclose(path.c[[0, -1]], drawn.c[:2])
    np.testing.assert_array_equal(path.window, first.window.repeat(5, 0))


def test_z_keeps_a_likely_length_between_two_codes():
    def code(z):
        return Codes(*(np.float32([z]) for _ in range(5)))

    path = between(code([2, 0]), code([0, 2]), 3)
    # The point in the middle is at 45 degrees on the circle of radius 2.
    np.testing.assert_allclose(path.z[1], [2**0.5, 2**0.5], rtol=1e-6)
    opposite = between(code([1, 0]), code([-1, 0]), 3)
    assert np.isfinite(opposite.z).all()
    assert same(between(code([1, 0]), code([1, 0]), 2).at([0]), code([1, 0]))


def test_labels_stand_before_rows_of_any_shape():
    tall = np.zeros((200, 130, 3), np.uint8)
    shown = sheet({"first": [tall, (tall, np.zeros((200, 130)))], "second": [tall, tall]}, ["left", "right"])
    label, headings = shown[:, :110], shown.shape[0] - 402
    assert shown.shape[1] == 110 + 262 and headings > 10
    assert all((label[top : top + 200] < 100).any() for top in (headings, headings + 202))


def test_blend_takes_the_object_where_the_mask_is_1():
    image, background = np.full((1, 2, 3), 200, np.uint8), np.full((1, 2, 3), 100, np.uint8)
    blended = blend(image, np.float32([[1, 0.25]]), background)
    assert blended[0, :, 0].tolist() == [200, 125]


def test_explore_writes_labelled_sheets(run_copy, eagerly, tmp_path, caplog):
    Image.fromarray(np.full((300, 600, 3), 200, np.uint8)).save(tmp_path / "photo.jpg")
    (run_copy / "explore").mkdir()
    (run_copy / "explore" / "old.png").touch()
    explore.explore(load_config(run_copy), run_copy, tmp_path / "photo.jpg")
    out = run_copy / "explore"
    own = {"photos_on_backgrounds.png", "photo_on_backgrounds.png", "photo_cutout.png"}
    assert {path.name for path in out.iterdir()} == FILES | own
    for name in SHEETS:
        with Image.open(out / f"{name}.png") as image:
            assert image.width > 110 + 128 and image.height > 128, name  # a tile is 16 * 8 = 128 pixels high and wide
    with Image.open(out / "walk.gif") as walk:
        assert walk.n_frames == 40 and walk.info["loop"] == 0
    with Image.open(out / "photo_cutout.png") as cutout:
        assert cutout.size == (600, 300) and cutout.mode == "RGBA"
    with Image.open(out / "photo_on_backgrounds.png") as image:
        assert image.width == 110 + 8 * 258 - 2
    assert len(list((out / "cutouts").iterdir())) == 16


def test_without_photos_only_their_sheet_is_missing(finished_run, tmp_path, eagerly, monkeypatch, caplog):
    def gone(*_, **__):
        raise ValueError("DIR is not a folder")

    monkeypatch.setattr(explore, "load_run_photos", gone)
    explore._write_photos(tmp_path, None, load_config(finished_run), finished_run, None)
    assert not list(tmp_path.iterdir())
    assert "photos_on_backgrounds.png is left out: DIR is not a folder" in caplog.text


def test_supervised_run_is_refused(tmp_path):
    config = tiny.run_config(shapes, **{"segmenter.supervised": True})
    with pytest.raises(ValueError, match="supervised is True: such a run trains no GAN"):
        explore.explore(config, tmp_path)


def test_paint_splits_codes_into_batches(drawn):
    gan = tiny.layered_gan()
    whole, parts = codes.paint(gan, drawn), codes.paint(gan, drawn, batch_size=4)
    assert whole["composed"].shape == (6, 16, 16, 3) and whole["mask"].shape == (6, 16, 16)
    np.testing.assert_allclose(parts["composed"], whole["composed"], atol=1e-5)
