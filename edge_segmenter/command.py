"""Cuts the foreground out of pictures, a video or a camera's frames with an exported segmenter; needs no TensorFlow.

    edge-segmenter segment --model segmenter_int8.tflite --input photos --output results
    edge-segmenter segment --model segmenter_int8.tflite --camera 0 --output results --kind blurred
    edge-segmenter benchmark --model segmenter_int8.tflite

Results have the size of what they are made of:
    OUTPUT/masks/NAME.png     grey: 255 where the foreground probability is above the threshold, else 0
    OUTPUT/cutouts/NAME.png   the picture with that probability, unthresholded, as its alpha
    OUTPUT/blurred/NAME.png   the picture with its background blurred
Of a video: masks/NAME.mp4, blurred/NAME.mp4 and the frames cutouts/NAME/000000.png and so on. A camera's NAME is
camera0, by its index.

NAME is the picture's name without its suffix, in the same subfolder. Pictures of one folder that would share
a NAME (a.jpg and a.png, or a.jpg and a folder a.png), and those whose name has two picture suffixes, keep all of
it: a.jpg.png, a.png.png.
Results of an earlier run are replaced, but for a camera's and for folders of frames, which must not exist yet. In
a folder, nothing below OUTPUT is taken for a picture, and no picture is ever written over.

The size is that of the picture as displayed: an EXIF rotation is carried out, not copied. Grey, palette, CMYK
and 16-bit pictures become 8-bit RGB; transparency is laid over white, as in training; of an animation the
first frame is taken. A picture that cannot be read is named, counted and skipped; so is what is no file, such as
a link that leads nowhere. Links to files are read, links to folders not followed; but nothing is written outside
OUTPUT through a link in it. As in training, a picture may have 67 million pixels and its file 256 MiB; with that
the program takes less than 1.5 GiB of memory.

Videos are written as MPEG-4 without sound, at the frame rate of what is read; the last column or row of an odd
number is left out. A video that ends before the frames that its header promises is named with both numbers; its
frames up to there are segmented. A camera's plays as fast as life, whatever the frames that are segmented in time; it
ends with Ctrl-C.

The model sees the whole picture, its aspect kept: the longer side is resized to the model's resolution and
the rest of the square filled by repeating the edge pixels.

Ctrl-C ends the program after the picture under way, and a video file with the frames up to there.
Exit status: 0, or 1 if a picture failed, a video lacked more than three frames or Ctrl-C came before all was done, or
2 if there was nothing to run or a video broke off with an error, its frames up to there kept.
"""

import argparse
import pathlib
import sys

from . import benchmark, results
from .interruption import interruption
from .pictures import SUFFIXES
from .plan import FOLDERS, plan, video_targets
from .printing import printable
from .segment_pictures import segment_pictures
from .segmenter import Segmenter

VIDEO_SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm")
# Of .mkv and .webm the header has a duration alone, and sound often lasts a little longer than the pictures.
UNCERTAIN_FRAMES = 3


def main(argv=None):
    """Runs the command line; returns the exit status."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    sys.stdout.reconfigure(errors="backslashreplace")  # as of stderr: a path may hold what no encoding can show
    try:
        return arguments.run(arguments)
    except (ValueError, OSError) as error:
        parser.error(str(error))


def _parser():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="segment|benchmark")
    model = argparse.ArgumentParser(add_help=False)
    model.add_argument("--model", type=pathlib.Path, required=True, help="a .tflite file")
    model.add_argument("--threads", type=int, default=1, help="of the model, 1 unless given")
    _add_segment(commands.add_parser("segment", parents=[model], help="write masks, cut-outs or blurred backgrounds"))
    _add_benchmark(commands.add_parser("benchmark", parents=[model], help="print latency and peak memory"))
    return parser


def _add_segment(parser):
    source = parser.add_mutually_exclusive_group(required=True)
    suffixes = f"a picture, a video, or a folder, searched for {' '.join(SUFFIXES)}"
    source.add_argument("--input", type=pathlib.Path, help=suffixes)
    source.add_argument("--camera", type=int, help="its index, 0 for the first")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="a folder, made if missing")
    kinds = "mask and cutout unless given; of a video and a camera, mask"
    parser.add_argument("--kind", nargs="+", choices=FOLDERS, help=kinds)
    parser.add_argument("--threshold", type=float, default=results.THRESHOLD, help="in [0, 1]; 0.5 unless given")
    radius = f"of the blur, in pixels; {results.RADIUS} unless given"
    parser.add_argument("--radius", type=float, default=results.RADIUS, help=radius)
    parser.set_defaults(run=_segment)


def _add_benchmark(parser):
    parser.add_argument("--input", type=pathlib.Path, help="a picture or a folder; a random picture unless given")
    parser.add_argument("--runs", type=int, default=200, help="how many calls are timed; 200 unless given")
    parser.add_argument("--batch", type=int, default=1, help="pictures in a call of the model, 1 unless given")
    parser.set_defaults(run=_benchmark)


def _segment(arguments):
    makers = results.makers(arguments.threshold, arguments.radius)
    segmenter = Segmenter(arguments.model, arguments.threads)
    is_video = arguments.camera is not None or arguments.input.suffix.lower() in VIDEO_SUFFIXES
    segment = _segment_video if is_video else _segment_pictures
    with interruption() as stop:
        return segment(arguments, segmenter, makers, stop)


def _segment_pictures(arguments, segmenter, makers, stop):
    jobs = plan(arguments.input, arguments.output, arguments.kind or ("mask", "cutout"))
    done, failed = segment_pictures(segmenter, jobs, makers, stop)
    end = ", stopped" if stop.is_set() else ""
    print(f"{done} of {len(jobs)} pictures segmented into {arguments.output}, {failed} failed{end}")
    return 0 if done == len(jobs) else 1


def _segment_video(arguments, segmenter, makers, stop):
    try:
        from .segment_video import segment_video
    except ModuleNotFoundError as error:
        raise ValueError(f"videos and cameras need OpenCV: pip install opencv-python-headless ({error})") from error
    is_camera = arguments.camera is not None
    source = arguments.camera if is_camera else arguments.input
    targets = video_targets(source, arguments.output, arguments.kind or ("mask",))
    count, promised = segment_video(segmenter, source, targets, makers, stop)
    name, end = f"camera {source}" if is_camera else source, ", stopped" if stop.is_set() else ""
    print(f"{count} frames of {name} segmented into {arguments.output}{end}")
    if is_camera or stop.is_set():
        return 0 if is_camera and stop.is_set() else 1  # a camera ends with Ctrl-C, or is lost
    return _status_of_a_whole_video(source, count, promised)


def _status_of_a_whole_video(source, count, promised):
    if count < promised:
        message = f"warning: {source} ends early: {count} frames could be read of {promised} that its header promises"
        print(printable(message), file=sys.stderr)
    return 0 if promised - count <= UNCERTAIN_FRAMES else 1


def _benchmark(arguments):
    segmenter = Segmenter(arguments.model, arguments.threads)
    times = benchmark.measure(segmenter, arguments.input, arguments.runs, arguments.batch)
    size = f"{segmenter.resolution} x {segmenter.resolution}"
    pictures = f"{arguments.runs} calls of {arguments.batch}" if arguments.batch > 1 else f"{arguments.runs}"
    print(f"{arguments.model.name}: {size}, threads {arguments.threads}, {pictures} pictures")
    print(benchmark.report(times))
    return 0
