"""Tests of the edge command's errors, such as a missing model or a full disk."""

import itertools

import pytest
from edge_command import run
from edge_images import half_white, results
from PIL import Image

from edge_segmenter.command.plan import plan


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "no such model: {}"),
        (b"not a model", "cannot load the model {}: "),
        (b"", "cannot load the model {}: the file is empty"),
        (b" <!DOCTYPE html><title>Sign in", "cannot load the model {}: the file is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "cannot load the model {}: the file is a Git LFS pointer"),
    ],
)
def test_missing_or_broken_model(photos, tmp_path, content, message):
    half_white().save(photos / "a.png")
    if content is not None:
        (tmp_path / "a.tflite").write_bytes(content)
    finished = run(tmp_path / "a.tflite", photos, tmp_path / "out")
    assert finished.returncode == 2 and message.format(tmp_path / "a.tflite") in finished.stderr


def test_a_photo_that_vanishes_is_named_and_the_rest_goes_on(model, photos, tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        half_white().save(photos / f"{name}.jpg")

    def plan_then_lose(*arguments):
        jobs = plan(*arguments)
        (photos / "b.jpg").unlink()
        return jobs

    monkeypatch.setattr("edge_segmenter.command.run.plan", plan_then_lose)
    finished = run(model, photos, tmp_path / "out")
    assert finished.returncode == 1 and "b.jpg: it is not there any more" in finished.stderr
    assert results(tmp_path / "out") == ["a.png", "c.png"]


def test_a_full_disk_ends_the_command_with_one_message(model, photos, tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        half_white().save(photos / f"{name}.jpg")
    save, written = Image.Image.save, itertools.count()

    def fails_at_the_third(image, path, *arguments, **options):
        if next(written) >= 2:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        save(image, path, *arguments, **options)

    monkeypatch.setattr(Image.Image, "save", fails_at_the_third)
    finished = run(model, photos, tmp_path / "out")
    assert finished.returncode == 2 and finished.stderr.count("No space left") == 1
    assert finished.stderr.splitlines()[-1].endswith("1 of 3 images were segmented before, 0 failed")
    assert results(tmp_path / "out") == results(tmp_path / "out", "cutouts") == ["a.png"]


def test_a_folder_in_place_of_a_result_fails_one_image_only(model, photos, tmp_path):
    for name in ("a", "b", "c"):
        half_white().save(photos / f"{name}.jpg")
    (tmp_path / "out/masks/a.png").mkdir(parents=True)
    finished = run(model, photos, tmp_path / "out")
    assert finished.returncode == 1 and "a.jpg: [Errno 21] Is a directory" in finished.stderr
    assert results(tmp_path / "out", "cutouts") == ["b.png", "c.png"]
