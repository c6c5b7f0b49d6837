"""Cuts the foreground out of images and videos with an exported segmenter.

edge-segmenter segment --help lists the flags of the command segment. README.md
has the rules for names, links, broken files and limits.
"""

# argparse is used instead of absl, so that on a device the package needs only NumPy, Pillow and LiteRT.
import argparse
import difflib
import io
import os
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from .. import results
from ..files.formats import SUFFIXES
from ..files.own_results import FOLDERS, claimed
from ..files.printing import say
from ..segmenter import Segmenter
from . import benchmark
from .interruption import interruption
from .plan import is_video, plan, video_targets
from .segment_images import segment_images

# A video may lack this many frames without an error. For .mkv and .webm, the number of frames is computed from the
# duration. This number is too high if the sound lasts longer than the pictures.
UNCERTAIN_FRAMES = 3

_EXAMPLES = """\
examples:
  edge-segmenter segment --model segmenter_int8.tflite --input photos --output out
  edge-segmenter segment --model segmenter_int8.tflite --camera 0 --output out
  edge-segmenter benchmark --model segmenter_int8.tflite"""
_SEGMENT_USAGE = "edge-segmenter segment --model FILE --input PATH ... --output DIR [flags]"
_RESULTS = """\
Writes results of the size of the image:
  DIR/masks/NAME.png    255 where the probability exceeds the threshold, else 0
  DIR/cutouts/NAME.png  the image with the probability (no threshold) as its alpha
  DIR/blurred/NAME.png  the image with its background blurred
For a video: masks/NAME.mp4, blurred/NAME.mp4, cutouts/NAME/000000.png and so on."""
_SEGMENT_EXAMPLES = """\
Exit status: 0 success, 1 an image failed, 2 an error. All rules: README.md

examples:
  edge-segmenter segment --model segmenter_int8.tflite --input photos --output out
  edge-segmenter segment --model segmenter_int8.tflite --input clip.mp4 \\
    --output out --kind mask blurred"""
_BENCHMARK_EXAMPLES = """\
example:
  edge-segmenter benchmark --model segmenter_int8.tflite --input photos"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """A formatter for --help. Keeps the line breaks of descriptions and examples, and writes "PATH ..." for paths."""

    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        if action.nargs == argparse.ONE_OR_MORE:
            return f"{action.metavar} ..."
        return super()._format_args(action, default_metavar)


class _CommandParser(argparse.ArgumentParser):
    """A parser that reports misspelt flags first. argparse alone would only report a missing required flag."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        known = self._option_string_actions
        for word in args or ():
            flag = word.split("=")[0]
            if flag.startswith("--") and not any(name.startswith(flag) for name in known):
                near = difflib.get_close_matches(flag, known, 1)
                self.error(f"unrecognized arguments: {word}" + "".join(f"; did you mean {name}?" for name in near))
        return super().parse_known_args(args, namespace)


def run(argv: Sequence[str] | None = None) -> int:
    """Runs the command line. Returns the exit status."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path may contain bytes that stdout cannot encode
    try:
        return arguments.run(arguments)
    except (ValueError, OSError, ImportError) as error:
        say(f"{parser.prog}: error: {error}", sys.stderr)
        return 2


def _path(text: str) -> pathlib.Path:
    """Returns a path with its tilde expanded, because the shell does not expand a tilde after "--input="."""
    return pathlib.Path(text if os.path.lexists(text) else os.path.expanduser(text))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edge-segmenter", description=__doc__, epilog=_EXAMPLES, formatter_class=_Help
    )
    texts: dict[str, Any] = {"title": "commands", "metavar": "segment|benchmark"}
    commands = parser.add_subparsers(required=True, parser_class=_CommandParser, **texts)
    _add_segment(commands, help="write masks, cut-outs or blurred backgrounds")
    _add_benchmark(commands, help="print latency and peak memory")
    return parser


def _add_segment(commands: "argparse._SubParsersAction[_CommandParser]", help: str) -> None:
    texts: dict[str, Any] = {
        "help": help,
        "usage": _SEGMENT_USAGE,
        "description": _RESULTS,
        "epilog": _SEGMENT_EXAMPLES,
    }
    parser = commands.add_parser("segment", formatter_class=_Help, **texts)
    group = parser.add_argument_group("what to segment")
    source = group.add_mutually_exclusive_group(required=True)
    suffixes = f"one video, or images and folders of images ({' '.join(SUFFIXES)})"
    source.add_argument("--input", type=_path, nargs="+", metavar="PATH", help=suffixes)
    source.add_argument("--camera", type=int, metavar="N", help="index of a camera, instead of --input; the first is 0")
    _add_model(parser)
    group = parser.add_argument_group("results")
    group.add_argument("--output", type=_path, required=True, metavar="DIR", help="a folder, made if missing")
    kinds = "one or more of mask, cutout and blurred; default: mask and cutout for images, mask for a video or a camera"
    group.add_argument("--kind", nargs="+", choices=FOLDERS, metavar="KIND", help=kinds)
    threshold = "probability above which a pixel is in the mask, 0 to 1, default 0.5"
    group.add_argument("--threshold", type=float, default=results.THRESHOLD, metavar="P", help=threshold)
    radius = f"radius of the blur in pixels, default {results.RADIUS}"
    group.add_argument("--radius", type=float, default=results.RADIUS, metavar="R", help=radius)
    sharpen = "correct each mask by the colours and edges of its image; takes more time"
    group.add_argument("--sharpen", action="store_true", help=sharpen)
    parser.set_defaults(run=_segment)


def _add_benchmark(commands: "argparse._SubParsersAction[_CommandParser]", help: str) -> None:
    description = "Measures the time of the model alone, and of all work from image file to mask.\nWrites nothing."
    texts: dict[str, Any] = {"help": help, "description": description, "epilog": _BENCHMARK_EXAMPLES}
    parser = commands.add_parser("benchmark", formatter_class=_Help, **texts)
    _add_model(parser)
    group = parser.add_argument_group("what to measure")
    images = "an image or a folder of images; default: a random image"
    group.add_argument("--input", type=_path, metavar="PATH", help=images)
    group.add_argument("--runs", type=int, default=200, metavar="N", help="number of timed calls, default 200")
    group.add_argument("--batch", type=int, default=1, metavar="N", help="images in each call of the model, default 1")
    parser.set_defaults(run=_benchmark)


def _add_model(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    group.add_argument("--model", type=_path, required=True, metavar="FILE", help="a .tflite file")
    group.add_argument("--threads", type=int, default=1, metavar="N", help="threads of the model, default 1")


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
        done, failed, replaced = segment_images(segmenter, jobs, makers, stop)
    end = f", {replaced} replaced earlier results" if replaced else ""
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
        return 0 if is_camera and stop.is_set() else 1  # a camera that ends without Ctrl-C has lost its connection
    return _status_of_a_whole_video(source, count, promised)


def _status_of_a_whole_video(source: pathlib.Path, count: int, promised: int) -> int:
    if count < promised:
        message = f"warning: {source} ends early: {count} frames could be read, but its header states {promised}"
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
