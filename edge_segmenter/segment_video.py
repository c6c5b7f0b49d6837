"""The command for a video or a camera: reads and segments the frames, and writes their results."""

import contextlib
import itertools
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path

from PIL import Image

from .results import Maker
from .segmenter import Segmenter
from .video import (
    frame_folder,
    in_real_time,
    open_capture,
    opencv_errors_named,
    promised_frames,
    read_frames,
    video_file,
)

Frames = Generator[Image.Image, None, None]


def segment_video(
    segmenter: Segmenter,
    source: Path | int,
    targets: Mapping[str, Path],
    makers: Mapping[str, Maker],
    stop: threading.Event,
) -> tuple[int, int]:
    """Segments a video to its end, or the frames of a camera, until `stop` is set.

    Args:
        segmenter: `Segmenter`.
        source: path of a video, or index of a camera.
        targets: path by kind of result: an .mp4 file, or a folder for cut-outs.
        makers: functions by kind of result, see `results.makers`.
        stop: event that ends the work.

    Returns:
        How many frames were segmented, and how many the video's header promises, 0 if it says nothing.

    Raises:
        ValueError: if the source cannot be opened or has no frame, a result cannot be written, or OpenCV fails.
    """
    with opencv_errors_named(source):
        capture, fps = open_capture(source)
        promised = promised_frames(capture)
        with contextlib.closing(_until(stop, read_frames(capture))) as frames:
            shown = in_real_time(frames, fps) if isinstance(source, int) else ((frame, 1) for frame in frames)
            return _segment(segmenter, shown, targets, makers, fps), promised


def _until(stop: threading.Event, frames: Frames) -> Frames:
    with contextlib.closing(frames):
        yield from itertools.takewhile(lambda _: not stop.is_set(), frames)


def _segment(
    segmenter: Segmenter,
    frames: Iterator[tuple[Image.Image, int]],
    targets: Mapping[str, Path],
    makers: Mapping[str, Maker],
    fps: float,
) -> int:
    """Segments (frame, number of times to show it); returns the number of frames."""
    first = next(frames, None)
    if first is None:
        raise ValueError("no frame could be read")
    with contextlib.ExitStack() as stack:
        size = first[0].size
        writers = {kind: stack.enter_context(_writer(kind, path, size, fps)) for kind, path in targets.items()}
        count = 0
        for frame, copies in itertools.chain([first], frames):
            count += 1
            probability = segmenter.probability(frame)
            for kind, write in writers.items():
                write(makers[kind](frame, probability), copies)
    return count


def _writer(
    kind: str, path: Path, size: tuple[int, int], fps: float
) -> contextlib.AbstractContextManager[Callable[[Image.Image, int], None]]:
    return frame_folder(path) if kind == "cutout" else video_file(path, size, fps)  # videos have no alpha
