"""Tests of the places where the edge command writes, and of those where it does not."""

import os

import pytest
from edge_command import run
from edge_images import half_white, results

from edge_segmenter.files import own_results


def test_names_do_not_collide_and_folders_are_mirrored(model, photos, tmp_path):
    (photos / "sub").mkdir()
    for name in ("a.jpg", "a.png", "b.bmp", "sub/a.webp", "c.jpg.png"):
        half_white().save(photos / name)
    run(model, photos, tmp_path / "out")
    expected = ["a.jpg.png", "a.png.png", "b.png", "c.jpg.png.png", "sub/a.png"]
    assert results(tmp_path / "out") == expected
    assert results(tmp_path / "out", "cutouts") == expected


def test_results_that_are_replaced_are_counted(model, photos, tmp_path):
    for folder, names in (("a", "1"), ("b", "12")):
        (photos / folder).mkdir()
        for name in names:
            half_white().save(photos / folder / f"{name}.jpg")
    assert run(model, photos / "a" / "1.jpg", tmp_path / "out").stdout.endswith(", 0 failed\n")
    (photos / "b" / "3.jpg").write_bytes(b"no image")  # this image fails, so its earlier result is kept
    half_white().save(tmp_path / "out/masks/3.png")
    expected = "2 of 3 images segmented into {}, 1 failed, 1 replaced earlier results\n"
    assert run(model, photos / "b", tmp_path / "out").stdout == expected.format(tmp_path / "out")


def test_refuses_to_write_into_the_folder_of_the_images(model, photos):
    (photos / "masks").mkdir()
    half_white().save(photos / "masks/a.png")
    before = (photos / "masks/a.png").read_bytes()
    for source in (photos, photos / "masks", photos / "masks/a.png"):
        finished = run(model, source, photos)
        assert finished.returncode == 2 and f"--output {photos}" in finished.stderr
    assert (photos / "masks/a.png").read_bytes() == before


@pytest.mark.parametrize("link", ["masks", "cutouts", "masks/sub", "masks/sub/a.png"])
def test_writes_nothing_through_a_link(model, photos, tmp_path, link):
    (photos / "sub").mkdir()
    half_white().save(photos / "sub" / "a.jpg")
    (tmp_path / "outside").mkdir()
    (tmp_path / "out" / link).parent.mkdir(parents=True)
    (tmp_path / "out" / link).symlink_to(tmp_path / "outside")
    finished = run(model, photos, tmp_path / "out")
    assert finished.returncode == 2 and "holds a link, so " in finished.stderr
    assert list((tmp_path / "outside").iterdir()) == []


def test_another_command_in_the_same_output_is_refused(model, photos, tmp_path):
    half_white().save(photos / "a.jpg")
    with own_results.claimed([tmp_path / "out/masks"]):
        finished = run(model, photos, tmp_path / "out")
        assert finished.returncode == 2 and "another edge-segmenter writes into" in finished.stderr
        assert run(model, photos, tmp_path / "out", "--kind", "blurred").returncode == 0
    assert run(model, photos, tmp_path / "out").returncode == 0


def test_output_whose_name_is_not_unicode(model, photos, tmp_path):
    half_white().save(photos / "a.jpg")
    finished = run(model, photos, tmp_path / os.fsdecode(b"\xff"))
    assert finished.returncode == 0 and finished.stdout.endswith("\\udcff, 0 failed\n")
