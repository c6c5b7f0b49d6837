"""Frames of a video file or a camera, in and out; needs OpenCV, the extra `video`."""

import contextlib
import itertools
import os
import time

import cv2
import numpy as np
from PIL import Image

from .saving import replacing, save

CODEC = "mp4v"  # MPEG-4 part 2, which every build of FFmpeg can write
UNKNOWN_FPS = 30.0


@contextlib.contextmanager
def opencv_errors_named(source):
    """Turns an error of OpenCV's own into a ValueError of one line that names the source, a path or an index."""
    try:
        yield
    except cv2.error as error:
        name = f"camera {source}" if isinstance(source, int) else source
        raise ValueError(f"{name}: {' '.join(str(error).split())}") from error


def open_capture(source):
    """Opens a video file, by its path, or a camera, by its index.

    Returns:
        cv2.VideoCapture, and its frames per second, UNKNOWN_FPS where it states none, as some cameras do.

    Raises:
        ValueError: if it cannot be opened.
    """
    camera = isinstance(source, int)
    if camera and source < 0:  # of which some crash OpenCV
        raise ValueError(f"a camera's index must be 0 or more, got {source}")
    # As bytes, since a str with what is no UTF-8 crashes OpenCV.
    capture = cv2.VideoCapture(source) if camera else cv2.VideoCapture(os.fsencode(source), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        hint = "" if camera else ": it is none that OpenCV can read, or an .mp4 or .mov that was cut off"
        raise ValueError(f"cannot open the {'camera' if camera else 'video'} {source}{hint}")
    fps = capture.get(cv2.CAP_PROP_FPS)
    return capture, fps if 0 < fps < float("inf") else UNKNOWN_FPS


def promised_frames(capture):
    """Returns how many frames a video file's header promises, 0 where it says nothing of them."""
    return max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))


def read_frames(capture):
    """Yields frames, each a PIL.Image of mode RGB, upright, until there is none; then releases the capture."""
    try:
        while True:
            read, frame = capture.read()
            if not read:
                return
            yield Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    finally:
        capture.release()


def in_real_time(frames, fps, clock=time.monotonic):
    """Yields (frame, copies): frames as they come, to be shown so often that a video at `fps` plays as fast as life.

    Of frames that come faster than that, some are left out.
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
def video_file(path, size, fps):
    """Yields a function that writes a picture into a video file a number of times.

    The file is there at the end; after an error, with what was written before it.

    Args:
        path: pathlib.Path ending in .mp4.
        size: (width, height), of which an odd last column or row is left out.
        fps: float, frames per second.

    Raises:
        ValueError: if there can be no such video.
    """
    with replacing(path) as written:
        file = cv2.VideoWriter(os.fsencode(written), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*CODEC), fps, size)
        if not file.isOpened():
            raise ValueError(f"cannot write {path}: {size[0]} x {size[1]} at {fps:g} frames per second")

        def write(picture, copies):
            nonlocal begun
            begun = True
            pixels = np.asarray(picture.convert("RGB").resize(size))  # a stream may change its size, a file cannot
            for _ in range(copies):
                file.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))

        begun = False
        try:
            yield write
        except BaseException:
            file.release()
            if begun:
                written.replace(path)
            raise
        file.release()


@contextlib.contextmanager
def frame_folder(path):
    """Yields a function that writes pictures as 000000.png, 000001.png and so on below a path, each once."""
    numbers = itertools.count()
    yield lambda picture, copies: save(picture, path / f"{next(numbers):06d}.png")
