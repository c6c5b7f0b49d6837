"""The parts that all commands share: error messages and --help."""

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator

from absl import app, flags


def run_command(
    main: Callable[..., None],
    *arguments: str,
    flags_parser: Callable[[list[str]], list[str]] = app.parse_flags_with_usage,
) -> None:
    """Runs a command whose flags are already defined, and ends the program.

    Args:
        main: the command, called with the values of `arguments` as str once the flags are parsed. `--help` prints the
            docstring of its module, and the flags of the module that the docstring does not name.
        *arguments: names of the positional arguments, in capitals, such as "FILE". All are required.
        flags_parser: parses the command line, see `absl.app.run`.
    """
    sys.modules["__main__"].__doc__ = sys.modules[main.__module__].__doc__  # absl shows it with --helpfull

    def parse(argv: list[str]) -> list[str]:
        if {"-h", "-help", "--help"} & set(argv):
            print(_help(main.__module__))
            raise SystemExit(0)
        return flags_parser(argv)

    def checked_main(argv: list[str]) -> None:
        if len(argv) != 1 + len(arguments):
            raise app.UsageError(f"arguments are {argv[1:]}, allowed: {' '.join(arguments) or 'none'}")
        with command_errors():
            main(*argv[1:])

    app.run(checked_main, flags_parser=parse)


def _help(module: str) -> str:
    about = inspect.cleandoc(sys.modules[module].__doc__ or "")
    others = [flag for flag in flags.FLAGS.get_key_flags_for_module(module) if f"--{flag.name}" not in about]
    lines = [f"  --{flag.name}: {flag.help}" for flag in others if flag.name not in about]
    return "\n".join([about, "", *lines, *([""] if lines else []), "Every flag, with its default: --helpfull"])


@contextlib.contextmanager
def command_errors() -> Iterator[None]:
    """Ends the program with a message instead of a traceback for errors that the user can fix.

    Raises:
        SystemExit: in place of a ValueError, an OSError, a FloatingPointError or an error for lack of memory. Its
            message starts with "error: ".
    """
    try:
        yield
    except (ValueError, OSError, FloatingPointError) as error:
        raise SystemExit(f"error: {error}") from error
    except _memory_errors() as error:
        raise SystemExit(f"error: not enough memory: {error}") from error


def _memory_errors() -> tuple[type[Exception], ...]:
    """Returns the errors for lack of memory, without importing TensorFlow: some commands run without it."""
    tensorflow = sys.modules.get("tensorflow")
    return (MemoryError, tensorflow.errors.ResourceExhaustedError) if tensorflow else (MemoryError,)
