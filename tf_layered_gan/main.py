"""The training binary: python -m tf_layered_gan.main --config=configs/shapes.py --workdir=runs/shapes"""

import tensorflow as tf
from absl import app, flags, logging
from ml_collections import config_flags

from tf_layered_gan import synthesize, train
from tf_layered_gan.config import validate
from tf_layered_gan.runs import config_record

_CONFIG = config_flags.DEFINE_config_file(
    "config",
    None,
    "The run's configuration; but to train, that of the run in the workdir unless given.",
    lock_config=True,
)
_WORKDIR = flags.DEFINE_string("workdir", None, "Where checkpoints, logs and figures go.")
_MODE = flags.DEFINE_enum(
    "mode",
    "train",
    ["train", "evaluate", "synthesize"],
    "train: Algorithm 1, from the last checkpoint if there is one. evaluate: the trained segmenter and the baselines "
    "on the test pictures. synthesize: write image-mask pairs to WORKDIR/synthetic.",
)
_COUNT = flags.DEFINE_integer("count", 1_000, "synthesize: number of pairs.", lower_bound=1)
# Those by which absl and ml_collections say what they have against a flag.
_ERRORS_IN_WORDS = (flags.Error, AttributeError, LookupError, TypeError, ValueError, OSError)


def main(argv):
    """Runs the mode that the flags name."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    logging.use_absl_handler()
    if _MODE.value == "train" and _CONFIG.value is None:
        raise app.UsageError("to train takes a config: --config=configs/folder.py, for one")
    if not _WORKDIR.value:
        raise app.UsageError("--workdir is empty, allowed: a directory")
    try:
        config = _CONFIG.value or config_record.load_config(_WORKDIR.value)
        validate(config)
        if _MODE.value == "train":
            train.train(config, _WORKDIR.value)
        elif _MODE.value == "evaluate":
            train.evaluate(config, _WORKDIR.value)
        else:
            synthesize.write_dataset(config, _WORKDIR.value, _COUNT.value)
    except (ValueError, OSError, FloatingPointError) as error:
        raise SystemExit(f"error: {error}") from error
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise SystemExit(f"error: the memory does not suffice for this config: {error}") from error


def parse_flags(argv):
    """Parses the command line; says in words that a config file cannot be read, or a field of it not be set.

    Args:
        argv: list of str, the program's name first.

    Returns:
        list of str, what is left of them.
    """
    try:
        left = flags.FLAGS(argv)
        getattr(_CONFIG.value, "lock", None)  # any attribute of a config whose file could not be read says why
        return left
    except Exception as error:  # a config file is a program, and may raise anything
        raise SystemExit(f"error: {_in_words(error)}") from error


def _in_words(error):
    """What an error says, on one line and without a traceback, which ml_collections puts into some."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)  # else quoted and escaped
    lines = [line for line in text.splitlines() if line.strip()] or ["nothing more is known"]
    words = (lines[-1] if "Traceback" in text else " ".join(lines))[:1000]
    return words if isinstance(error, _ERRORS_IN_WORDS) else f"{type(error).__name__}: {words}"


if __name__ == "__main__":
    flags.mark_flag_as_required("workdir")
    app.run(main, flags_parser=parse_flags)
