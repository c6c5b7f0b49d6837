"""The command for a video or a camera, which reads and segments the frames and writes their results."""

import contextlib
import itertools
import sys
import threading
from collections.abc import Generator
from pathlib import Path

from PIL import Image

from ..files import own_results, video
from ..files.printing import say
from ..progress import progress
from ..results import Makers
from ..segmenter import Segmenter
from .plan import Targets

_NOTICED = 0.1  # seconds
_OUT_OF_STEP = (
    "its frames come at unequal time intervals, but the frames of the result come at equal time intervals, so a frame "
    "may be {:.1f} s too early or too late; to avoid this, convert the video first: ffmpeg -i IN -r 30 OUT"
)

Frames = Generator[Image.Image, None, None]


def segment_video(
    segmenter: Segmenter, source: Path | int, targets: Targets, makers: Makers, stop: threading.Event
) -> tuple[int, int]:
    """Segments a video or the frames of a camera, until the video ends or `stop` is set.

    Returns:
        The number of frames that were segmented, and the number of frames that the video's header states (0 if it
        states none).

    Raises:
        ValueError: if the source cannot be opened or has no frame, if another command writes into the folders of the
            results, if a video cannot be written, or if OpenCV fails.
        OSError: if a folder or an image cannot be written.
    """
    with video.opencv_errors_named(source):
        capture, fps = video.open_capture(source)
        promised = video.promised_frames(capture)
        with contextlib.closing(_until(stop, video.read_frames(capture))) as frames:
            if isinstance(source, int):
                shown = progress(video.in_real_time(frames, fps), "segmenting", 0, "frames")
                return _segment(segmenter, shown, targets, makers, fps), promised
            timed = video.TimedFrames(capture, frames, fps)
            shown = progress(timed, "segmenting", promised, "frames")
            count = _segment(segmenter, shown, targets, makers, fps)
            if timed.apart > _NOTICED:
                say(f"warning: {source}: {_OUT_OF_STEP.format(timed.apart)}", sys.stderr)
            return count, promised


def _until(stop: threading.Event, frames: Frames) -> Frames:
    with contextlib.closing(frames):
        yield from itertools.takewhile(lambda _: not stop.is_set(), frames)


def _segment(segmenter, frames, targets, makers, fps):
    """Segments pairs (frame, number of times to show it). Returns the number of frames."""
    first = next(frames, None)
    if first is None:
        raise ValueError("no frame could be read")
    with contextlib.ExitStack() as stack:
        stack.enter_context(own_results.claimed({path.parent for path in targets.values()}))
        size = first[0].size
        writers = {kind: stack.enter_context(_writer(kind, path, size, fps)) for kind, path in targets.items()}
        count = 0
        for frame, copies in itertools.chain([first], frames):
            count += 1
            probability = segmenter.probability(frame)
            for kind, write in writers.items():
                write(makers[kind](frame, probability, None), copies)
    return count


def _writer(kind, path, size, fps):
    return video.frame_folder(path) if kind == "cutout" else video.video_file(path, size, fps)  # videos have no alpha
