"""The training command: python -m tf_layered_gan.main --config=configs/shapes.py --workdir=runs/shapes"""

from absl import app, flags, logging

from tf_layered_gan import evaluate, synthesize, train
from tf_layered_gan.command_line import define_path, run_command
from tf_layered_gan.config import resolve_paths, shipped, validate
from tf_layered_gan.runs import config_record

_CONFIG = shipped.define_flag(
    "The run's settings. Needed to train; evaluate and synthesize use the settings in the workdir."
)
_WORKDIR = define_path("workdir", "Directory for checkpoints, logs and figures.")
_PHOTOS = define_path("photos", "New place of the photos; the same as --config.data.path.", exists=True)
_MASKS = define_path("masks", "New place of the masks; the same as --config.data.masks.", exists=True)
_MODE = flags.DEFINE_enum(
    "mode",
    "train",
    ["train", "evaluate", "synthesize"],
    "train: Algorithm 1, from the last checkpoint if there is one. evaluate: measure the trained segmenter and the "
    "baselines on the test photos. synthesize: write pairs of image and mask to WORKDIR/synthetic.",
)
_COUNT = flags.DEFINE_integer("count", 1_000, "synthesize: number of pairs.", lower_bound=1)
# absl and ml_collections raise these for a wrong flag; other errors come from the config file, which is a program.
_FLAG_ERRORS = (flags.Error, AttributeError, LookupError, TypeError, ValueError, OSError)


def main() -> None:
    """Runs the mode that the flags name."""
    logging.use_absl_handler()
    if _MODE.value == "train" and _CONFIG.value is None:
        raise app.UsageError("training needs a config, such as --config=folder")
    if not _WORKDIR.value:
        raise app.UsageError("--workdir is empty, allowed: a directory")
    config = _CONFIG.value or config_record.load_config(_WORKDIR.value)
    validate(config)
    if _CONFIG.value is not None:
        resolve_paths(config)
    config_record.move_photos(config, _PHOTOS.value, _MASKS.value)
    if _MODE.value == "train":
        train.train(config, _WORKDIR.value)
    elif _MODE.value == "evaluate":
        evaluate.evaluate(config, _WORKDIR.value)
    else:
        synthesize.write_dataset(config, _WORKDIR.value, _COUNT.value)


def parse_flags(argv: list[str]) -> list[str]:
    """Parses the command line; ends the program with a message if a config file or a field is wrong.

    Returns:
        the arguments that are not flags, after the program's name.
    """
    try:
        rest = flags.FLAGS(argv)
        getattr(_CONFIG.value, "lock", None)  # reading any attribute raises the error of an unreadable config file
        return rest
    except Exception as error:  # a config file is a program and may raise anything
        raise SystemExit(f"error: {_on_one_line(error)}") from error


def _on_one_line(error: Exception) -> str:
    """Returns an error's message without the traceback that ml_collections puts into some."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)  # str(KeyError) is quoted
    lines = [line for line in text.splitlines() if line.strip()] or ["no message"]
    words = (lines[-1] if "Traceback" in text else " ".join(lines))[:1000]
    return words if isinstance(error, _FLAG_ERRORS) else f"{type(error).__name__}: {words}"


def run() -> None:
    """Runs the console command."""
    flags.mark_flag_as_required("workdir")
    run_command(main, flags_parser=parse_flags)


if __name__ == "__main__":
    run()
