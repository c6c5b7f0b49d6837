"""The command on a video or a camera: its frames read, segmented and their results written."""

import contextlib
import itertools

from .video import (
    frame_folder,
    in_real_time,
    open_capture,
    opencv_errors_named,
    promised_frames,
    read_frames,
    video_file,
)


def segment_video(segmenter, source, targets, makers, stop):
    """Segments a video until its end, or a camera's frames, until `stop` is set.

    Args:
        segmenter: `Segmenter`.
        source: path of a video, or int, the index of a camera.
        targets: dict from kind to the path of an .mp4 file or, of a cut-out, that of a folder.
        makers: dict from kind to the function that makes a result of frame and probability.
        stop: threading.Event.

    Returns:
        int, int: how many frames were segmented, and how many the video's header promises, 0 where it says nothing.

    Raises:
        ValueError: for what cannot be opened, has no frame, or cannot be written, and for OpenCV's own errors.
    """
    with opencv_errors_named(source):
        capture, fps = open_capture(source)
        promised = promised_frames(capture)
        with contextlib.closing(_until(stop, read_frames(capture))) as frames:
            shown = in_real_time(frames, fps) if isinstance(source, int) else ((frame, 1) for frame in frames)
            return _segment(segmenter, shown, targets, makers, fps), promised


def _until(stop, frames):
    with contextlib.closing(frames):
        yield from itertools.takewhile(lambda _: not stop.is_set(), frames)


def _segment(segmenter, frames, targets, makers, fps):
    """Segments an iterator of (frame, how often it is to be shown); returns how many."""
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


def _writer(kind, path, size, fps):
    return frame_folder(path) if kind == "cutout" else video_file(path, size, fps)  # videos have no alpha
