"""Learns to cut objects out of photos. It needs only photos, and no masks.

Usage: tf-layered-gan --config=CONFIG --workdir=WORKDIR [--config.FIELD=VALUE ...]    to train
       tf-layered-gan --mode=MODE --workdir=WORKDIR                                   to use a trained run

What to do:
  --mode=train         train (the default), from the last checkpoint if there is one
  --mode=evaluate      measure the segmenter and the baselines on the test photos
  --mode=synthesize    write --count=1000 pairs of image and mask to WORKDIR/synthetic
  --mode=explore       write images to WORKDIR/explore that show what the GAN's codes mean; --photo=FILE adds your photo
  --mode=report        write WORKDIR/report.html again; --compare=DIR,DIR also shows other runs on the page
  --dry_run            check photos, settings and memory, and estimate time and disk; nothing is trained or written

Where:
  --workdir=WORKDIR    directory for the run's checkpoints, samples, TensorBoard logs and figures
  --photos=DIR         new place of a run's photos, if they were moved
  --masks=DIR          new place of a run's masks, if they were moved

Settings for training; the other modes take them from the workdir:
  --config=CONFIG      apc, cars, cub, default, dogs, folder, perturbgan, shapes, small, or the path of a .py file
  --config.FIELD=VALUE changes one field. The most used fields:
      data.path            folder of photos
      data.masks           folder of masks, used only to measure the result
      resolution           width of the images in pixels, a power of two
      schedule.rounds      number of rounds of GAN and segmenter; more rounds can be added to a finished run
      schedule.gan_images_per_round, schedule.final_segmenter_steps
      networks.generator_width, networks.background_width, networks.discriminator_width
      seed                 seed of all random numbers; another seed gives another run

Examples:
  tf-layered-gan --config=shapes --workdir=runs/shapes
  tf-layered-gan --config=folder --config.data.path=DIR --workdir=runs/mine --dry_run
  tf-layered-gan --config=folder --config.data.path=DIR --workdir=runs/mine
  tf-layered-gan --mode=explore --workdir=runs/mine
"""

import re
from typing import Any

from absl import app, flags, logging

from tf_layered_gan.command_line import define_path, run_command
from tf_layered_gan.config import resolve_paths, shipped, validate
from tf_layered_gan.console.names import did_you_mean
from tf_layered_gan.files.paths import resolved
from tf_layered_gan.runs import config_record

_CONFIG = shipped.define_flag("The run's settings. Needed to train; the other modes use the settings in the workdir.")
_WORKDIR = define_path("workdir", "Directory for checkpoints, logs and figures.")
_PHOTOS = define_path("photos", "New place of the photos; the same as --config.data.path.", exists=True)
_MASKS = define_path("masks", "New place of the masks; the same as --config.data.masks.", exists=True)
_MODE = flags.DEFINE_enum(
    "mode",
    "train",
    ["train", "evaluate", "synthesize", "explore", "report"],
    "train: run the paper's Algorithm 1, from the last checkpoint if there is one. evaluate: measure the trained "
    "segmenter and the baselines on the test photos. synthesize: write pairs of image and mask to WORKDIR/synthetic. "
    "explore: write images to WORKDIR/explore that show what the codes mean. report: write WORKDIR/report.html again.",
)
_COMPARE = flags.DEFINE_list(
    "compare", [], "report: the directories of other runs to show beside this run, separated by commas."
)
_COUNT = flags.DEFINE_integer("count", 1_000, "synthesize: number of pairs.", lower_bound=1)
_PHOTO = define_path("photo", "explore: also put the object of this photo on new backgrounds.", exists=True)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "train: check everything and estimate time and disk, but do not train.")
# absl and ml_collections raise these errors for a wrong flag. Any other error comes from the code of the config file.
_FLAG_ERRORS = (flags.Error, AttributeError, LookupError, TypeError, ValueError, OSError)


def main() -> None:
    """Runs the mode that the flags name."""
    logging.use_absl_handler()
    if _MODE.value == "train" and _CONFIG.value is None:
        raise app.UsageError("training needs a config, such as --config=folder")
    if _MODE.value != "train" and _DRY_RUN.value:
        raise app.UsageError(f"--dry_run is given with --mode={_MODE.value}, allowed: --mode=train")
    if not _WORKDIR.value:
        raise app.UsageError("--workdir is empty, allowed: a directory")
    config = _CONFIG.value or config_record.load_config(_WORKDIR.value)
    validate(config)
    if _CONFIG.value is not None:
        resolve_paths(config)
    config_record.move_photos(config, _PHOTOS.value, _MASKS.value)
    # Imported here, because TensorFlow takes seconds to import. For --help or a wrong flag, TensorFlow is not needed.
    if _DRY_RUN.value:
        from tf_layered_gan.training import dry_run

        dry_run.dry_run(config, _WORKDIR.value)
    elif _MODE.value == "train":
        from tf_layered_gan import train

        _print_figures(train.train(config, _WORKDIR.value))
    elif _MODE.value == "evaluate":
        from tf_layered_gan import evaluate

        _print_figures(evaluate.evaluate(config, _WORKDIR.value))
    elif _MODE.value == "explore":
        from tf_layered_gan import explore

        explore.explore(config, _WORKDIR.value, _PHOTO.value)
    elif _MODE.value == "report":
        from tf_layered_gan import report

        others = [resolved(path, "--compare", exists=True) for path in _COMPARE.value]
        report.rebuild_report(config, _WORKDIR.value, others)
    else:
        from tf_layered_gan import synthesize

        synthesize.write_dataset(config, _WORKDIR.value, _COUNT.value)


def _print_figures(result: dict[str, Any]) -> None:
    from tf_layered_gan.evaluation.report import format_figures

    print(format_figures(result, _WORKDIR.value), flush=True)


def parse_flags(argv: list[str]) -> list[str]:
    """Parses the command line. Ends the program with a message if a config file or a field is wrong.

    Returns:
        the program's name, and then the arguments that are not flags.
    """
    try:
        shipped.check_fields(argv)
        rest = flags.FLAGS(argv)
        getattr(_CONFIG.value, "lock", None)  # reading any attribute raises the error of an unreadable config file
        return rest
    except Exception as error:  # a config file is Python code and may raise anything
        raise SystemExit(f"error: {_missing(_with_nearest(_on_one_line(error)))}") from error


def _on_one_line(error: Exception) -> str:
    """Returns an error's message without the traceback that ml_collections adds to some messages."""
    # For a KeyError, str(error) would put quotes around the message.
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    lines = [line for line in text.splitlines() if line.strip()] or ["no message"]
    words = (lines[-1] if "Traceback" in text else " ".join(lines))[:1000]
    return words if isinstance(error, _FLAG_ERRORS) else f"{type(error).__name__}: {words}"


def _with_nearest(message: str) -> str:
    """Adds the nearest allowed value to absl's error message about a flag with a wrong value."""
    wrong = re.match(r"flag --\w+=(\S+): value should be one of <(\S+)>", message)
    return message + did_you_mean(wrong[1], wrong[2].split("|")) if wrong else message


def _missing(message: str) -> str:
    """Replaces absl's error message about a missing flag."""
    missing = re.match(r"flag --(\w+)=None: Flag --\w+ must have a value other than None", message)
    return f"--{missing[1]} is missing; --help shows examples" if missing else message


def run() -> None:
    """Runs the console command."""
    flags.mark_flag_as_required("workdir")
    run_command(main, flags_parser=parse_flags)


if __name__ == "__main__":
    run()
