"""Tests of the edge command on videos that OpenCV wrote."""

import itertools
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from clips import FPS, SIZE, frame, read, write
from edge_command import ENVIRONMENT, command, files, run, run_until_ctrl_c
from PIL import Image

from edge_segmenter.command import run as edge
from edge_segmenter.files import video


@pytest.fixture
def clip(tmp_path):
    """A video of four frames. The frames are white from the columns 48, 40, 32 and 24 on."""
    return write(tmp_path / "clip.mp4", [frame(white) for white in (48, 40, 32, 24)])


def test_mask_of_a_video_is_a_video(model, clip, tmp_path):
    finished = run(model, clip, tmp_path / "out")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == f"4 frames of {clip} segmented into {tmp_path / 'out'}\n"
    assert files(tmp_path / "out") == ["masks/clip.mp4"]
    masks, fps = read(tmp_path / "out/masks/clip.mp4")
    assert masks.shape == (4, 32, 64, 3) and fps == FPS
    # The edge in the mask may be off by one pixel of the model, which is 64 / 16 = 4 pixels of the video.
    for mask, white in zip(masks, (48, 40, 32, 24), strict=True):
        assert mask[:, : white - 6].max() < 60 and mask[:, white + 6 :].min() > 195


@pytest.mark.parametrize("times, warned", [([80] * 4, False), ([100, 100, 2000, 100], True)])
def test_frames_at_uneven_times_are_a_warning(model, tmp_path, times, warned):
    images = [Image.fromarray(frame(white)) for white in (48, 40, 32, 24)]
    images[0].save(tmp_path / "clip.gif", save_all=True, append_images=images[1:], duration=times)
    (tmp_path / "clip.gif").rename(tmp_path / "clip.mkv")
    finished = run(model, tmp_path / "clip.mkv", tmp_path / "out")
    assert finished.returncode == 0 and ("its frames come at unequal time intervals" in finished.stderr) == warned


def test_blurred_background_and_numbered_cutouts(model, clip, tmp_path):
    assert run(model, clip, tmp_path / "out", "--kind", "blurred", "cutout").returncode == 0
    cutouts = [f"cutouts/clip/00000{number}.png" for number in range(4)]
    assert files(tmp_path / "out") == ["blurred/clip.mp4", *cutouts]
    blurred, _ = read(tmp_path / "out/blurred/clip.mp4")
    assert blurred.shape == (4, 32, 64, 3) and blurred[0, :, 56:].min() > 230
    assert blurred[0, 16, 10, 2] > blurred[0, 16, 10, 0] + 40  # there is more blue than red, as in the background
    cutout = np.asarray(Image.open(tmp_path / "out" / cutouts[3]))
    assert cutout.shape == (32, 64, 4) and cutout[:, 32:, 3].min() > 250 and cutout[:, :16, 3].max() < 5


def test_frames_of_an_earlier_run_are_not_mixed_with_new_ones(model, clip, tmp_path):
    assert run(model, clip, tmp_path / "out", "--kind", "cutout").returncode == 0
    finished = run(model, clip, tmp_path / "out", "--kind", "cutout")
    assert finished.returncode == 2 and "out/cutouts/clip exists: " in finished.stderr


def test_the_input_video_is_not_overwritten(model, clip, tmp_path):
    (tmp_path / "masks").mkdir()
    source = clip.rename(tmp_path / "masks" / "clip.mp4")
    before = source.read_bytes()
    finished = run(model, source, tmp_path)
    assert finished.returncode == 2 and "would overwrite the input" in finished.stderr
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    "content, message", [(None, "no such video"), (b"no video", "or it is an .mp4 or .mov that was cut")]
)
def test_a_file_that_is_no_video_is_named(model, tmp_path, content, message):
    if content:
        (tmp_path / "bad.mp4").write_bytes(content)
    finished = run(model, tmp_path / "bad.mp4", tmp_path / "out")
    assert finished.returncode == 2 and f"{message}" in finished.stderr and "bad.mp4" in finished.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["12:30:45.mp4", "take%03d.mp4", "[a]*.MOV", "clip.3gp"])
def test_any_name_of_a_video_and_of_the_output_works(model, clip, tmp_path, monkeypatch, name):
    # FFmpeg reads a relative path such as "12:..." as an address.
    monkeypatch.chdir(tmp_path)
    clip.rename(name)
    finished = run(model, name, "1:2%d")
    assert finished.returncode == 0, finished.stderr
    assert files(tmp_path / "1:2%d") == [f"masks/{os.path.splitext(name)[0]}.mp4"]


@pytest.mark.parametrize("size, count", [((2, 2), 3), ((101, 75), 1)])
def test_tiny_and_odd_videos_and_single_frames(model, tmp_path, size, count):
    with video.video_file(tmp_path / "v.mp4", size, 5.0) as write_image:
        write_image(Image.new("RGB", size, "white"), count)
    finished = run(model, tmp_path / "v.mp4", tmp_path / "out")
    assert finished.returncode == 0 and finished.stdout.startswith(f"{count} frames")
    assert len(read(tmp_path / "out/masks/v.mp4")[0]) == count


def test_a_video_that_the_disk_cannot_hold_is_named_and_removed(model, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (60, SIZE[1], SIZE[0], 3), "uint8")
    clip = write(tmp_path / "long.mp4", noise)
    limited = "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000,) * 2); runpy.run_module('{}')"
    begin = [sys.executable, "-c", limited.format("edge_segmenter")]
    arguments = command(model, clip, tmp_path / "out", "--kind", "blurred", "--radius", 0)[3:]
    finished = subprocess.run([*begin, *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert finished.returncode == 2, finished.stderr
    assert "long.mp4: the file does not hold all 60 frames; the disk may be full" in finished.stderr
    assert "Traceback" not in finished.stderr and files(tmp_path / "out") == []


def test_a_truncated_video_is_named_with_both_numbers(model, tmp_path):
    whole = write(tmp_path / "whole.avi", [frame(20 + number) for number in range(40)]).read_bytes()
    clip = tmp_path / "cut.avi"  # an .avi file begins with its header, but an .mp4 file ends with it
    # This cuts off half of the data of the frames.
    clip.write_bytes(whole[: (whole.index(b"movi") + whole.index(b"idx1")) // 2])
    finished = run(model, clip, tmp_path / "out")
    frames = len(read(tmp_path / "out/masks/cut.mp4")[0])
    assert 0 < frames < 36 and finished.stdout == f"{frames} frames of {clip} segmented into {tmp_path / 'out'}\n"
    message = f"warning: {clip} ends early: {frames} frames could be read, but its header states 40\n"
    assert message in finished.stderr and finished.returncode == 1


@pytest.mark.parametrize("count, status, named", [(36, 1, True), (37, 0, True), (40, 0, False), (41, 0, False)])
def test_a_few_missing_frames_are_a_warning(capsys, count, status, named):
    assert edge._status_of_a_whole_video("clip.mkv", count, 40) == status
    assert (f": {count} frames could be read, but its header states 40" in capsys.readouterr().err) == named


def test_a_video_whose_name_is_not_utf8(model, clip, tmp_path):
    clip = clip.rename(tmp_path / os.fsdecode(b"\xff.mp4"))
    folder = tmp_path / os.fsdecode(b"out\xfe")
    finished = run(model, clip, folder)
    assert finished.returncode == 0, finished.stderr
    assert files(folder) == [f"masks/{clip.name}"]
    assert len(read(folder / "masks" / clip.name)[0]) == 4


def test_ctrl_c_leaves_a_finished_video(model, tmp_path):
    clip = write(tmp_path / "long.mp4", [frame(32)] * 3000)
    third = tmp_path / "out/cutouts/long/000002.png"
    finished = run_until_ctrl_c(third, model, clip, tmp_path / "out", "--kind", "mask", "cutout")
    frames = int(finished.stdout.split()[0])
    assert finished.returncode == 1 and finished.stdout.endswith("stopped\n") and 3 <= frames < 3000
    assert len(read(tmp_path / "out/masks/long.mp4")[0]) == frames
    # The folder has the video of masks and one cut-out for each frame, but no temporary file.
    assert len(files(tmp_path / "out")) == frames + 1


def test_frames_before_an_error_of_opencv_are_kept(model, clip, tmp_path, monkeypatch):
    calls, convert = itertools.count(1), cv2.cvtColor

    def fails_at_the_fourth_call(*arguments):  # a frame needs two calls: one to read and one to write
        if next(calls) >= 4:
            raise cv2.error("no memory")
        return convert(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(cv2, "cvtColor", fails_at_the_fourth_call)
        finished = run(model, clip, tmp_path / "out")
    assert finished.returncode == 2 and f"error: {clip}: no memory" in finished.stderr
    assert len(read(tmp_path / "out/masks/clip.mp4")[0]) == 1
