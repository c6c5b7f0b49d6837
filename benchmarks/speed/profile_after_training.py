"""The CPU time of a task after training, split by its parts.

    python -m benchmarks.speed.profile_after_training --task=synthesize --workdir=WORKDIR
    python -m benchmarks.speed.profile_after_training --task=evaluate --workdir=WORKDIR
    python -m benchmarks.speed.profile_after_training --task=export --workdir=WORKDIR

The tasks are those of `tf_layered_gan.main --mode=synthesize`, `tf_layered_gan.main --mode=evaluate` and `export.main`.
They write the same files into the directory of a finished run. The command prints a Markdown table. CPU time is the
time of all threads of the process, so other work on the machine hardly changes it.

The parts are functions of the project. If a part calls another part, the time of the call counts only for the part that
is called. The row *rest* is the time outside all parts. If a function of a part no longer exists, the command fails.
"""

import contextlib
import functools
import inspect
import os
import pkgutil
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from unittest import mock

from absl import flags

from tf_layered_gan.command_line import define_path, run_command

Parts = Mapping[str, Sequence[str]]  # from the name of a part to its functions, "MODULE:FUNCTION"
IMPORTS, REST = "start-up: imports", "rest"
_START_UP = {
    "start-up: building models": (
        "tf_layered_gan.models.build:build_gan",
        "tf_layered_gan.models.build:build_segmenter",
        "tf_layered_gan.models.build:build_photo_segmenter",
    ),
    "start-up: reading checkpoints": ("tf_layered_gan.runs.checkpoints:Checkpointer.restore",),
}
_PHOTOS = {"reading photos": ("tf_layered_gan.runs.run_photos:load_run_photos",)}
_SYNTHESIS: Parts = _START_UP | {
    "tracing the generators": ("tf_layered_gan.models.layered_gan:LayeredGAN.synthesize",),
    "painting pairs": ("tf_layered_gan.synthesize:_paint",),
    "writing PNG files": ("PIL.Image:Image.save",),
}
_BASELINES = ("all_foreground", "centred_disc", "otsu", "two_colours", "pooled_hues")
_EVALUATION: Parts = (
    _START_UP
    | _PHOTOS
    | {
        "GAN: masks and their metrics": ("tf_layered_gan.evaluation.gan_figures:evaluate_synthetic_masks",),
        "GAN: FID": ("tf_layered_gan.evaluation.gan_figures:evaluate_fid",),
        "GAN: clusters of E_x": ("tf_layered_gan.evaluation.gan_figures:photo_clusters",),
        "masks of the segmenters": ("tf_layered_gan.evaluation.segmentation:predict_probabilities",),
        "sharpening": ("tf_layered_gan.labelling.labels:sharpen_each",),
        "baseline: GrabCut": ("tf_layered_gan.evaluation.baselines:grabcut",),
        "other baselines": tuple(f"tf_layered_gan.evaluation.baselines:{name}" for name in _BASELINES),
        "metrics": ("tf_layered_gan.evaluation.metrics.segmentation:segmentation_metrics",),
        "images in the folder test": ("tf_layered_gan.evaluation.report:_write_images",),
        "report": ("tf_layered_gan.reporting.page:try_to_write_page",),
    }
)
_EXPORT: Parts = (
    _START_UP
    | _PHOTOS
    | {
        "masks of the Keras model": ("export.verify:reference",),
        "SavedModel: writing": ("export.serving.savedmodel:write_savedmodel",),
        "float32: conversion": ("export.tflite.convert:to_tflite_float32",),
        "float16: conversion": ("export.tflite.convert:to_tflite_float16",),
        "dynamic: conversion": ("export.tflite.convert:to_tflite_dynamic",),
        "int8: centring of the threshold": ("export.quantization.centring:centre_threshold",),
        "int8: calibration": ("tensorflow.lite.python.optimize.calibrator:Calibrator.calibrate",),
        "int8: conversion": ("export.tflite.convert:to_tflite_int8",),
        "int8: fine-tuning": ("export.quantization.quantization_aware:fine_tune",),
        "signatures for any size": ("export.tflite.signatures:add_signatures",),
        "verification: loading the SavedModel": ("tf_layered_gan.labelling.any_segmenter:load_savedmodel",),
        "verification: masks": ("export.verify:verify",),
        "metrics": ("tf_layered_gan.evaluation.metrics.segmentation:segmentation_metrics",),
        "metadata and model card": (
            "export.documentation.metadata:add_metadata",
            "export.documentation.metadata:write_savedmodel_metadata",
            "export.documentation.model_card:model_card",
        ),
    }
)


class Task(NamedTuple):
    """A task after training.

    Attributes:
        function: the function that does the task, "MODULE:FUNCTION".
        arguments: its arguments: "config", the run's config; "workdir", the run's directory; "count", number of pairs.
        parts: the parts of the task.
    """

    function: str
    arguments: tuple[str, ...]
    parts: Parts


TASKS = {
    "synthesize": Task("tf_layered_gan.synthesize:write_dataset", ("config", "workdir", "count"), _SYNTHESIS),
    "evaluate": Task("tf_layered_gan.evaluate:evaluate", ("config", "workdir"), _EVALUATION),
    "export": Task("export.export_run:export_run", ("workdir",), _EXPORT),
}


class Stopwatch:
    """Charges CPU time to the part that runs.

    Attributes:
        seconds: CPU seconds of each part so far, and of `REST`.
        calls: number of calls of each part so far. A call from within the same part counts too.
    """

    def __init__(self, parts: Parts):
        self.seconds = dict.fromkeys([*parts, REST], 0.0)
        self.calls = dict.fromkeys(parts, 0)
        self._running = [REST]
        self._since = time.process_time()

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Charges the time of the `with` block to a part, except for the time of other parts in the block."""
        self.charge()
        self._running.append(name)
        try:
            yield
        finally:
            self.charge()
            self._running.pop()

    def charge(self) -> None:
        """Charges the time since the last charge to the part that runs."""
        now = time.process_time()
        self.seconds[self._running[-1]] += now - self._since
        self._since = now

    def timed(self, name: str, function: Callable) -> Callable:
        """Returns a function that does the same, and charges its time to a part."""

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls[name] += 1
            with self.part(name):
                return function(*args, **kwargs)

        @functools.wraps(function)
        def iterate(*args: Any, **kwargs: Any) -> Generator:
            self.calls[name] += 1
            items = function(*args, **kwargs)
            while True:
                with self.part(name):
                    try:
                        item = next(items)
                    except StopIteration:
                        return
                yield item

        return iterate if inspect.isgeneratorfunction(function) else call


@contextlib.contextmanager
def measured(parts: Parts) -> Iterator[Stopwatch]:
    """Measures the parts in the `with` block.

    Each function of a part is replaced in every imported module that has it, also as a value of a dict of the module.
    Methods are replaced in their class. At the end of the block, the functions are put back.

    Raises:
        AttributeError, ImportError: a function of a part does not exist. The message names it.
    """
    functions = {path: pkgutil.resolve_name(path) for paths in parts.values() for path in paths}
    watch = Stopwatch(parts)
    with contextlib.ExitStack() as stack:
        for name, paths in parts.items():
            for path in paths:
                timed = watch.timed(name, functions[path])
                for place in _places(path, functions[path]):
                    stack.enter_context(place(timed))
        yield watch
        watch.charge()


def _places(path: str, function: Callable) -> list[Callable[[Callable], Any]]:
    """Returns functions that replace a function in one place, as context managers."""
    owner, _, name = path.rpartition(".")
    if ":" in owner:  # a method
        return [functools.partial(mock.patch.object, pkgutil.resolve_name(owner), name)]
    places: list[Callable[[Callable], Any]] = []
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is function:
                places.append(functools.partial(mock.patch.object, module, name))
            elif type(value) is dict and not name.startswith("__"):
                places += [functools.partial(_patched_item, value, key) for key in value if value[key] is function]
    return places


def _patched_item(values: dict, key: Any, value: Any) -> Any:
    return mock.patch.dict(values, {key: value})


def format_table(seconds: Mapping[str, float], calls: Mapping[str, int]) -> str:
    """Formats a Markdown table.

    Args:
        seconds: CPU seconds of each part.
        calls: number of calls of the parts that are functions.
    """
    total = sum(seconds.values())
    rows = [
        f"| {name} | {calls.get(name, '')} | {found:.1f} | {found / total:.0%} |" for name, found in seconds.items()
    ]
    return "\n".join(
        ["| part | calls | CPU, s | share |", "| --- | ---: | ---: | ---: |", *rows, f"| all | | {total:.1f} | 100% |"]
    )


def profile(task: Task, workdir: str | os.PathLike, count: int) -> tuple[dict[str, float], dict[str, int]]:
    """Does a task and measures its parts.

    Args:
        task: the task.
        workdir: the directory of a finished run. The task writes into it.
        count: number of pairs, if the task paints pairs.

    Returns:
        the CPU seconds of each part, and the number of calls of each part. The seconds of `IMPORTS` are counted from
        the start of the process.
    """
    for path in (task.function, *(path for paths in task.parts.values() for path in paths)):
        pkgutil.resolve_name(path)  # imports its module
    from tf_layered_gan.runs.config_record import load_config  # imported here, so that --help is fast

    function = pkgutil.resolve_name(task.function)
    given = {"config": load_config(workdir), "workdir": workdir, "count": count}
    imports = time.process_time()
    with measured(task.parts) as watch:
        function(*(given[name] for name in task.arguments))
    return {IMPORTS: imports} | watch.seconds, watch.calls


def main() -> None:
    """Does the task that the flags name, and prints the table of its parts."""
    given = flags.FLAGS
    print(format_table(*profile(TASKS[given.task], given.workdir, given.count)))


if __name__ == "__main__":
    flags.DEFINE_enum("task", "evaluate", list(TASKS), "The task to measure.")
    flags.DEFINE_integer("count", 1_000, "synthesize: number of pairs.", lower_bound=1)
    define_path("workdir", "The directory of a finished run.", exists=True, required=True)
    run_command(main)
