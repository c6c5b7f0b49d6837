"""Tests of the edge command on videos that OpenCV wrote, and on a fake camera.

The command has not been tested with a real camera.
"""

import itertools
import os
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest
from edge_command import ENVIRONMENT, command, run, run_main, run_until_ctrl_c
from PIL import Image

from edge_segmenter.command import run as edge
from edge_segmenter.command.interruption import interruption
from edge_segmenter.files import video

SIZE, FPS = (64, 32), 12.0
OPENCV_CAPTURE = cv2.VideoCapture


def frame(white):
    """Returns a frame, uint8 [height, width, bgr]: white from the column `white` on, and dark blue before it."""
    pixels = np.full((SIZE[1], SIZE[0], 3), (90, 0, 0), "uint8")
    pixels[:, white:] = 255
    return pixels


@pytest.fixture
def clip(tmp_path):
    """A video of four frames. The frames are white from the columns 48, 40, 32 and 24 on."""
    return write(tmp_path / "clip.mp4", [frame(white) for white in (48, 40, 32, 24)])


def write(path, frames):
    file = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, SIZE)
    for pixels in frames:
        file.write(pixels)
    file.release()
    return path


def read(path):
    """Returns the frames, uint8 [frame, height, width, rgb], and the number of frames per second."""
    capture, fps = video.open_capture(path)
    return np.stack([np.asarray(image) for image in video.read_frames(capture)]), fps


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("[!.]*") if path.is_file())


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


def run_camera(model, camera, output, *options):
    return run_main("segment", "--model", model, "--camera", camera, "--output", output, *options)


def test_a_camera_overwrites_nothing(model, tmp_path):
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "camera7.mp4").write_text("seen")
    finished = run_camera(model, 7, tmp_path)
    assert finished.returncode == 2 and "masks/camera7.mp4 exists: " in finished.stderr
    assert (tmp_path / "masks" / "camera7.mp4").read_text() == "seen"


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


class Camera:
    """A replacement for cv2.VideoCapture. After `last` frames, Ctrl-C is pressed or the camera is unplugged."""

    def __init__(self, last, stop):
        self.left, self.stop, self.released = last, stop, False

    def __call__(self, source, *backend):
        assert source == 7 or backend
        # The test also opens the finished video with OpenCV.
        return OPENCV_CAPTURE(source, *backend) if backend else self

    def isOpened(self):  # noqa: N802
        return True

    def get(self, _):
        return 0.0  # some cameras do not report a rate

    def read(self):
        self.left -= 1
        if self.left == 0 and self.stop:
            signal.raise_signal(signal.SIGINT)
        return self.left >= 0, frame(32)

    def release(self):
        self.released = True


@pytest.mark.parametrize("stop", [True, False])
def test_camera_is_written_until_ctrl_c(model, tmp_path, monkeypatch, stop):
    camera = Camera(5, stop)
    monkeypatch.setattr(cv2, "VideoCapture", camera)
    monkeypatch.setattr("edge_segmenter.files.video.in_real_time", lambda frames, fps: ((shown, 2) for shown in frames))
    finished = run_camera(model, 7, tmp_path / "out", "--kind", "mask", "cutout")
    assert finished.returncode == (0 if stop else 1)
    monkeypatch.undo()
    expected = 4 if stop else 5  # the frame during which Ctrl-C was pressed is missing
    assert finished.stdout.startswith(f"{expected} frames of camera 7 segmented into")
    assert camera.released
    masks, fps = read(tmp_path / "out/masks/camera7.mp4")
    assert len(masks) == 2 * expected and fps == video.UNKNOWN_FPS
    assert len(files(tmp_path / "out/cutouts/camera7")) == expected


def test_no_camera(model, tmp_path, monkeypatch):
    monkeypatch.setattr(Camera, "isOpened", lambda self: False)
    monkeypatch.setattr(cv2, "VideoCapture", Camera(0, False))
    finished = run_camera(model, 7, tmp_path / "out")
    assert finished.returncode == 2 and "cannot open the camera 7" in finished.stderr


def test_an_error_of_opencv_is_printed_on_one_line(model, tmp_path):
    finished = run_camera(model, 10**12, tmp_path / "out")  # the error of OpenCV for such a large index has seven lines
    last = finished.stderr.splitlines()[-1]
    assert finished.returncode == 2 and f"camera {10**12}: OpenCV(" in last and "won't fit into a C int" in last
    assert not (tmp_path / "out").exists()


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


def test_a_negative_camera_is_refused(model, tmp_path):
    finished = run_camera(model, -5, tmp_path / "out")
    assert finished.returncode == 2 and "a camera's index is -5, allowed: 0 or more" in finished.stderr


def test_a_camera_plays_in_real_time():
    # The rate is 10 frames per second. At 0.05 s no frame is due. At 0.45 s the four frames of 0.1, 0.2, 0.3 and 0.4 s
    # are due. At 0.5 s one more frame is due.
    times = iter([100, 100.05, 100.45, 100.5])
    assert list(video.in_real_time("abcd", 10, clock=lambda: next(times))) == [("a", 1), ("c", 4), ("d", 1)]


def test_odd_last_column_and_row_are_left_out(tmp_path):
    with video.video_file(tmp_path / "odd.mp4", (33, 17), 5.0) as write_image:
        write_image(Image.new("RGB", (33, 17), "white"), 1)
    assert read(tmp_path / "odd.mp4")[0].shape == (1, 16, 32, 3)


def test_a_recording_survives_an_error(tmp_path):
    with (
        pytest.raises(OSError, match="no space left"),
        video.video_file(tmp_path / "v.mp4", (32, 16), 5.0) as write_image,
    ):
        write_image(Image.new("RGB", (32, 16), "white"), 3)
        raise OSError("no space left")
    assert len(read(tmp_path / "v.mp4")[0]) == 3 and len(files(tmp_path)) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks_for_the_end(number):
    before = signal.getsignal(number)
    with interruption() as stop:
        assert not stop.is_set()
        signal.raise_signal(number)
        assert stop.is_set()
    assert signal.getsignal(number) is before


def test_an_impossible_size_leaves_nothing(tmp_path):
    with (
        pytest.raises(ValueError, match="cannot write .*: 1 x 1 at 5"),
        video.video_file(tmp_path / "v.mp4", (1, 1), 5.0),
    ):
        pass
    assert files(tmp_path) == []
