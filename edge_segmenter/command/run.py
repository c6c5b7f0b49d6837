"""Cuts the foreground out of images, a video or a camera's frames with an exported segmenter; needs no TensorFlow.

    edge-segmenter segment --model segmenter_int8.tflite --input photos --output results
    edge-segmenter segment --model segmenter_int8.tflite --camera 0 --output results --kind blurred
    edge-segmenter benchmark --model segmenter_int8.tflite

Each result has the size of its image:
    OUTPUT/masks/NAME.png     grey: 255 where the foreground probability is above the threshold, else 0
    OUTPUT/cutouts/NAME.png   the image with the probability (no threshold) as its alpha
    OUTPUT/blurred/NAME.png   the image with its background blurred
For a video these are masks/NAME.mp4, blurred/NAME.mp4 and the frames cutouts/NAME/000000.png and so on. A camera's
NAME is camera0, camera1 and so on, by its index.

NAME is the name of the image without its suffix, in the same subfolder. An image keeps its suffix (a.jpg.png) if it
would otherwise share NAME with another image or folder (a.jpg and a.png, or a.jpg and a folder a.png), or if its name
has two image suffixes.
Results of an earlier run are replaced and counted, but results of a camera and folders of frames must not exist yet.
In a folder, nothing in OUTPUT counts as an image, and no image is ever overwritten.

An image is read as it is displayed: its EXIF orientation is applied and not copied. Grey, palette, CMYK and 16-bit
images become 8-bit RGB. Transparency is laid over white, as in training, and is never foreground: a cut-out of a
transparent image keeps what was transparent. The first frame of an animation is taken. An image that cannot be read is
named, counted and skipped; so is anything that is not a file, such as a broken link. As in training, an image may have
67 million pixels and its file 256 MiB, bytes after the end of a JPEG not counted. Within these limits the program takes
less than 1.5 GiB of memory.

--input takes several images and folders, for example those that the shell puts in place of *.jpg. NAME then includes
the folders below the one that holds them all. A video must be the only input. A single image may have any suffix. Links
to files and folders are followed, and no folder is searched twice. Files that are left out are counted by reason:
hidden files, files of the system such as __MACOSX, @eaDir and Thumbs.db, thumbnails, other endings, and results of this
program, unless they are named themselves. A file .edge_segmenter in masks, cutouts and blurred marks results. While the
command runs, no other may write into these folders. A link in OUTPUT never leads to writing elsewhere.

Videos are written as MPEG-4 without sound, at the frame rate of the input. If the width or height is odd, the last
column or row is left out. If a video has fewer frames than its header promises, the existing frames are segmented, and
a warning gives both numbers. A camera's video plays in real time, even if few frames per second are segmented. Ctrl-C
ends it. If a video's frames come at uneven times, as phones and screen recorders write them, a warning says how far its
result is out of step.

The model sees the whole image as a square. Its file says how: "squeeze" resizes both sides to the model's resolution.
Otherwise the aspect is kept: the longer side is resized to the resolution, and the rest of the square is filled by
repeating the edge pixels.

Ctrl-C ends the program after the current image or frame; a video file is then finished properly. SIGTERM and a closed
terminal do the same. A second Ctrl-C ends it at once.
Exit status: 0 for success. 1 if an image failed, more than three frames of a video were missing, or Ctrl-C came early.
2 if there was nothing to do, a result could not be written, for example because the disk is full, or a video stopped
with an error; the results before the error are kept.
"""

# argparse instead of absl, because on a device the package needs only NumPy, Pillow and LiteRT.
import argparse
import io
import os
import pathlib
import sys
from collections.abc import Sequence

from .. import results
from ..files.formats import SUFFIXES
from ..files.own_results import FOLDERS, claimed
from ..files.printing import say
from ..segmenter import Segmenter
from . import benchmark
from .interruption import interruption
from .plan import is_video, plan, video_targets
from .segment_images import segment_images

# The header of .mkv and .webm holds only a duration, and sound often lasts a little longer than the images.
UNCERTAIN_FRAMES = 3


def run(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr does, because a path may hold undecodable bytes
    try:
        return arguments.run(arguments)
    except (ValueError, OSError, ImportError) as error:
        say(f"{parser.prog}: error: {error}", sys.stderr)
        return 2


def _path(text: str) -> pathlib.Path:
    """Returns a path. The shell does not expand the tilde after "--input="."""
    return pathlib.Path(text if os.path.lexists(text) else os.path.expanduser(text))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edge-segmenter", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="segment|benchmark")
    model = argparse.ArgumentParser(add_help=False)
    model.add_argument("--model", type=_path, required=True, help="a .tflite file")
    model.add_argument("--threads", type=int, default=1, help="threads of the model, default 1")
    _add_segment(commands.add_parser("segment", parents=[model], help="write masks, cut-outs or blurred backgrounds"))
    _add_benchmark(commands.add_parser("benchmark", parents=[model], help="print latency and peak memory"))
    return parser


def _add_segment(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    suffixes = f"a video; or images, and folders, searched for {' '.join(SUFFIXES)}"
    source.add_argument("--input", type=_path, nargs="+", help=suffixes)
    source.add_argument("--camera", type=int, help="index of a camera, 0 for the first")
    parser.add_argument("--output", type=_path, required=True, help="a folder, made if missing")
    sharpen = "move each boundary to the edges of its image, and correct masks by colours; takes more time"
    parser.add_argument("--sharpen", action="store_true", help=sharpen)
    kinds = "default: mask and cutout; for a video or a camera, mask"
    parser.add_argument("--kind", nargs="+", choices=FOLDERS, help=kinds)
    parser.add_argument("--threshold", type=float, default=results.THRESHOLD, help="0 to 1, default 0.5")
    radius = f"radius of the blur in pixels, default {results.RADIUS}"
    parser.add_argument("--radius", type=float, default=results.RADIUS, help=radius)
    parser.set_defaults(run=_segment)


def _add_benchmark(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--input", type=_path, help="an image or a folder; default: a random image")
    parser.add_argument("--runs", type=int, default=200, help="number of timed calls, default 200")
    parser.add_argument("--batch", type=int, default=1, help="images in a call of the model, default 1")
    parser.set_defaults(run=_benchmark)


def _segment(arguments: argparse.Namespace) -> int:
    makers = results.makers(arguments.threshold, arguments.radius)
    with interruption() as stop:
        segmenter = Segmenter(arguments.model, arguments.threads, arguments.sharpen)
        segment = _segment_video if _has_frames(arguments) else _segment_images
        return segment(arguments, segmenter, makers, stop)


def _has_frames(arguments: argparse.Namespace) -> bool:
    """Returns whether the input is a camera or a video."""
    if arguments.camera is not None:
        return True
    return len(arguments.input) == 1 and is_video(arguments.input[0]) and not arguments.input[0].is_dir()


def _segment_images(arguments, segmenter, makers, stop):
    kinds = arguments.kind or ("mask", "cutout")
    jobs = plan(arguments.input, arguments.output, kinds)
    with claimed(arguments.output / FOLDERS[kind] for kind in kinds):
        earlier = [any(target.exists() for target in targets.values()) for _, targets in jobs]
        done, failed = segment_images(segmenter, jobs, makers, stop)
    replaced = sum(earlier[: done + failed])
    end = f", {replaced} with earlier results, which are replaced" if replaced else ""
    end += ", stopped" if stop.is_set() else ""
    say(f"{done} of {len(jobs)} images segmented into {arguments.output}, {failed} failed{end}", sys.stdout)
    return 0 if done == len(jobs) else 1


def _segment_video(arguments, segmenter, makers, stop):
    try:
        from .segment_video import segment_video
    except ModuleNotFoundError as error:
        raise ValueError(f"videos and cameras need OpenCV: pip install opencv-python-headless ({error})") from error
    is_camera = arguments.camera is not None
    source = arguments.camera if is_camera else arguments.input[0]
    targets = video_targets(source, arguments.output, arguments.kind or ("mask",))
    count, promised = segment_video(segmenter, source, targets, makers, stop)
    name, end = f"camera {source}" if is_camera else source, ", stopped" if stop.is_set() else ""
    say(f"{count} frames of {name} segmented into {arguments.output}{end}", sys.stdout)
    if is_camera or stop.is_set():
        return 0 if is_camera and stop.is_set() else 1  # a camera that ends without Ctrl-C was lost
    return _status_of_a_whole_video(source, count, promised)


def _status_of_a_whole_video(source: pathlib.Path, count: int, promised: int) -> int:
    if count < promised:
        message = f"warning: {source} ends early: {count} frames could be read, its header promises {promised}"
        say(message, sys.stderr)
    return 0 if promised - count <= UNCERTAIN_FRAMES else 1


def _benchmark(arguments: argparse.Namespace) -> int:
    segmenter = Segmenter(arguments.model, arguments.threads)
    times = benchmark.measure(segmenter, arguments.input, arguments.runs, arguments.batch)
    size = f"{segmenter.resolution} x {segmenter.resolution}"
    images = f"{arguments.runs} calls of {arguments.batch}" if arguments.batch > 1 else f"{arguments.runs}"
    print(f"{arguments.model.name}: {size}, threads {arguments.threads}, {images} images")
    print(benchmark.report(times))
    return 0
