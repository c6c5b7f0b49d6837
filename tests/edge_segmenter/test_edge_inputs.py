"""Tests of the images that the edge command reads, and of those that it leaves out."""

import pytest
from edge_command import run, run_main
from edge_images import half_white, results


def test_one_image(model, photos, tmp_path):
    half_white().save(photos / "a.jpg")
    half_white().save(photos / "b.jpg")
    assert run(model, photos / "b.jpg", tmp_path / "out").returncode == 0
    assert results(tmp_path / "out") == ["b.png"]


def test_output_inside_the_input_is_not_read_again(model, photos):
    half_white().save(photos / "a.png")
    run(model, photos, photos / "out")
    assert "1 of 1 images" in run(model, photos, photos / "out").stdout
    assert results(photos / "out") == ["a.png"]


@pytest.mark.parametrize("source, message", [("nowhere", "no such image or folder"), ("empty", "no image in ")])
def test_no_image(model, tmp_path, source, message):
    (tmp_path / "empty").mkdir()
    finished = run(model, tmp_path / source, tmp_path / "out")
    assert finished.returncode == 2 and message in finished.stderr and source in finished.stderr


def test_several_inputs_keep_the_folders_below_the_one_that_holds_all(model, photos, tmp_path, monkeypatch):
    for name in ("a.jpg", "b.jfif", "sub/c.JPG", "other/a.png"):
        (photos / name).parent.mkdir(exist_ok=True)
        half_white().save(photos / name, "JPEG")
    monkeypatch.chdir(photos)
    finished = run_main("segment", "--model", model, "--output", tmp_path / "out", "--input", "a.jpg", "sub", "a.jpg")
    assert "2 of 2 images" in finished.stdout and results(tmp_path / "out") == ["a.png", "sub/c.png"]
    finished = run_main("segment", "--model", model, "--output", "../two", "--input", photos / "other", "sub/c.JPG")
    assert finished.returncode == 0 and results(tmp_path / "two") == ["other/a.png", "sub/c.png"]


def test_a_video_among_several_inputs_is_named(model, photos, tmp_path):
    half_white().save(photos / "a.jpg")
    (photos / "clip.MP4").touch()
    finished = run_main("segment", "--model", model, "--output", tmp_path, "--input", *sorted(photos.iterdir()))
    assert finished.returncode == 0 and "clip.MP4: a video must be the only input" in finished.stderr
    finished = run(model, photos, tmp_path / "out")
    assert ".mp4 1 (videos: pass each video to edge-segmenter by its name)" in finished.stderr


@pytest.mark.parametrize("name", ["*.jpg", "photos/[ab]*.png", "?.mp4"])
def test_a_pattern_that_the_shell_left_alone_is_refused(model, tmp_path, name):
    finished = run(model, tmp_path / name, tmp_path / "out")
    assert finished.returncode == 2 and "the shell found no file for this pattern, or" in finished.stderr


def test_tilde_is_the_home(model, photos, tmp_path, monkeypatch):
    half_white().save(photos / "a.jpg")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(photos)
    assert run_main("segment", f"--model={model}", "--input=~/photos", "--output=~/x").returncode == 0
    assert results(tmp_path / "x") == ["a.png"] and not (photos / "~").exists()


@pytest.mark.parametrize("name", ["a.jfif", "a.JPE", "a.jpg:large", "a"])
def test_one_image_is_read_whatever_its_name_ends_in(model, photos, tmp_path, name):
    half_white().save(photos / name, "JPEG")
    assert run(model, photos / name, tmp_path / "out").returncode == 0
    assert len(results(tmp_path / "out")) == 1


def test_a_folder_of_files_that_are_not_read_says_what_to_do(model, photos, tmp_path):
    (photos / "a.HEIC").touch()
    finished = run(model, photos, tmp_path / "out")
    assert finished.returncode == 2
    assert finished.stderr.splitlines()[-1].endswith("left out: .heic 1 (pip install pillow-heif)")


def test_results_among_the_photos_are_left_out_and_counted(model, photos):
    for name in ("a", "b"):
        half_white().save(photos / f"{name}.jpg")
    run(model, photos, photos / "results")
    finished = run(model, photos, photos / "others")
    assert "2 of 2 images" in finished.stdout
    # The six results are four images, and two files that mark the folders of these images.
    assert f"{photos}: left out: 6 results of this program or masks\n" in finished.stderr
