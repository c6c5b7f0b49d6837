"""Tests of the edge command on a fake camera. The command has not been tested with a real camera."""

import signal

import cv2
import pytest
from clips import frame, read
from edge_command import files, run_main

from edge_segmenter.files import video

OPENCV_CAPTURE = cv2.VideoCapture


def run_camera(model, camera, output, *options):
    return run_main("segment", "--model", model, "--camera", camera, "--output", output, *options)


def test_a_camera_overwrites_nothing(model, tmp_path):
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "camera7.mp4").write_text("seen")
    finished = run_camera(model, 7, tmp_path)
    assert finished.returncode == 2 and "masks/camera7.mp4 exists: " in finished.stderr
    assert (tmp_path / "masks" / "camera7.mp4").read_text() == "seen"


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


def test_a_negative_camera_is_refused(model, tmp_path):
    finished = run_camera(model, -5, tmp_path / "out")
    assert finished.returncode == 2 and "a camera's index is -5, allowed: 0 or more" in finished.stderr


def test_a_camera_plays_in_real_time():
    # The rate is 10 frames per second. At 0.05 s no frame is due. At 0.45 s the four frames of 0.1, 0.2, 0.3 and 0.4 s
    # are due. At 0.5 s one more frame is due.
    times = iter([100, 100.05, 100.45, 100.5])
    assert list(video.in_real_time("abcd", 10, clock=lambda: next(times))) == [("a", 1), ("c", 4), ("d", 1)]
