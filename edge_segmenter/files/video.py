"""Reads frames from video files and cameras, and writes frames to video files and folders.

This module needs OpenCV, which the extra `video` installs.
"""

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from .atomic import replacing, save_png

CODEC = "mp4v"  # MPEG-4 part 2, which every build of FFmpeg can write
UNKNOWN_FPS = 30.0

Writer = Callable[[Image.Image, int], None]


@contextlib.contextmanager
def opencv_errors_named(source: Path | int) -> Iterator[None]:
    """Turns an OpenCV error in the block into a ValueError.

    The message of the ValueError is one line that names the source (a path or the index of a camera).
    """
    try:
        yield
    except cv2.error as error:
        name = f"camera {source}" if isinstance(source, int) else source
        raise ValueError(f"{name}: {' '.join(str(error).split())}") from error


def open_capture(source: Path | int) -> tuple[cv2.VideoCapture, float]:
    """Opens a video file by its path, or a camera by its index.

    Returns:
        The capture, and its frames per second. If the source, for example a camera, states no rate, the rate is
        UNKNOWN_FPS.

    Raises:
        ValueError: if the source cannot be opened.
    """
    if isinstance(source, int):
        if source < 0:  # some negative indices make OpenCV crash
            raise ValueError(f"a camera's index is {source}, allowed: 0 or more")
        capture, problem = cv2.VideoCapture(source), f"cannot open the camera {source}"
    else:
        capture = cv2.VideoCapture(_name(source), cv2.CAP_FFMPEG)  # type: ignore[call-overload]
        problem = f"cannot open the video {source}: OpenCV cannot read it, or it is an .mp4 or .mov that was cut off"
    if not capture.isOpened():
        raise ValueError(problem)
    fps = capture.get(cv2.CAP_PROP_FPS)
    return capture, fps if 0 < fps < float("inf") else UNKNOWN_FPS


def _name(path: Path) -> bytes:
    """Returns a path for OpenCV, as bytes, because a str that is not UTF-8 crashes OpenCV.

    The path is absolute, because FFmpeg reads "12:30.mp4" as an address of the protocol "12".
    """
    return os.fsencode(os.path.abspath(path))


def promised_frames(capture: cv2.VideoCapture) -> int:
    """Returns the number of frames that a video file's header states, or 0 if it states none."""
    return max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))


def read_frames(capture: cv2.VideoCapture) -> Generator[Image.Image, None, None]:
    """Yields all frames of a capture, upright and in mode RGB. Then releases the capture."""
    try:
        while True:
            read, frame = capture.read()
            if not read:
                return
            yield Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    finally:
        capture.release()


class TimedFrames:
    """Yields (frame, 1) for each frame of a video file. Measures how uneven the times of the frames are.

    Attributes:
        apart: the largest difference so far, in seconds, between a frame's own time and its time at the constant rate
            `fps`.
    """

    def __init__(self, capture: cv2.VideoCapture, frames: Iterable[Image.Image], fps: float):
        self.apart = 0.0
        self._capture, self._frames, self._fps = capture, frames, fps

    def __iter__(self) -> Iterator[tuple[Image.Image, int]]:
        """Yields each frame, and the number of times to write it."""
        first = None
        for number, frame in enumerate(self._frames):
            seconds = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            first = seconds if first is None else first
            if seconds > first:  # some formats store no times
                self.apart = max(self.apart, abs(seconds - first - number / self._fps))
            yield frame, 1


def in_real_time(
    frames: Iterable[Image.Image], fps: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[tuple[Image.Image, int]]:
    """Yields (frame, number of times to write it), so that a video with the rate `fps` plays in real time.

    If frames arrive at a higher rate than `fps`, some are dropped.
    """
    started, shown = None, 0
    for frame in frames:
        now = clock()
        started = now if started is None else started
        copies = int((now - started) * fps) + 1 - shown
        if copies > 0:
            shown += copies
            yield frame, copies


@contextlib.contextmanager
def video_file(path: Path, size: tuple[int, int], fps: float) -> Iterator[Writer]:
    """Yields a function (image, count) that writes the image `count` times to a video file.

    The file appears at the end of the block. If there is an error, the file contains the frames that were written
    before the error.

    Args:
        path: path of the file, ending in .mp4.
        size: (width, height), pixels. If the width or height is odd, the last column or row is left out.
        fps: frames per second.

    Raises:
        ValueError: if OpenCV cannot write such a video, or cannot write all frames, for example because the disk is
            full.
    """
    count = 0
    with replacing(path) as written:
        target = _name(written), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*CODEC), fps, size
        file = cv2.VideoWriter(*target)  # type: ignore[call-overload]
        if not file.isOpened():
            raise ValueError(f"cannot write {path}: {size[0]} x {size[1]} at {fps:g} frames per second")

        def write(image: Image.Image, copies: int) -> None:
            nonlocal count
            count += copies
            # The frame size of a stream may change, but the frame size of a file cannot.
            pixels = np.asarray(image.convert("RGB").resize(size))
            for _ in range(copies):
                file.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))

        try:
            yield write
        except BaseException:
            file.release()
            if count:
                written.replace(path)
            raise
        file.release()
        if _frames_in(written) < count:  # OpenCV does not report write errors
            raise ValueError(f"cannot write {path}: the file does not hold all {count} frames; the disk may be full")


def _frames_in(path: Path) -> int:
    capture = cv2.VideoCapture(_name(path), cv2.CAP_FFMPEG)  # type: ignore[call-overload]
    try:
        return promised_frames(capture) if capture.isOpened() else 0
    finally:
        capture.release()


@contextlib.contextmanager
def frame_folder(path: Path) -> Iterator[Writer]:
    """Yields a function that writes an image to a folder, as 000000.png, 000001.png and so on."""
    numbers = itertools.count()
    yield lambda image, copies: save_png(image, path / f"{next(numbers):06d}.png")
