"""Code that all commands share: flags for paths, error messages, interruptions, output and --help."""

import contextlib
import errno
import inspect
import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from absl import app, flags

from tf_layered_gan import interruption, startup  # noqa: F401 - startup hides tracebacks of imports
from tf_layered_gan.files.paths import resolved

flags.disclaim_key_flags()  # --help lists a flag under the module that calls `define_path`


def define_path(name: str, help_string: str, *, exists: bool = False, **settings: Any) -> flags.FlagHolder[str]:
    """Defines a flag whose value is a path, see `files.paths.resolved`.

    Args:
        name, help_string: the name of the flag, and its text for --help. The default of the flag is None.
        exists: whether the path must exist. If True, a pattern such as *.jpg is an error, see `resolved`.
        **settings: further arguments of `flags.DEFINE_string`, such as `required`.
    """

    class Parser(flags.ArgumentParser):
        def parse(self, argument: str) -> str:
            return resolved(argument, f"--{name}", exists=exists)

    return flags.DEFINE(Parser(), name, None, help_string, **settings)


def run_command(
    main: Callable[..., None],
    *arguments: str,
    flags_parser: Callable[[list[str]], list[str]] = app.parse_flags_with_usage,
) -> None:
    """Runs a command whose flags are already defined, and ends the program.

    Args:
        main: the function of the command. After the flags are parsed, the function is called with the values of
            `arguments` as str. `--help` prints the docstring of the function's module. Then it prints the flags of this
            module that the docstring does not mention.
        *arguments: names of the positional arguments, in capitals, such as "FILE". All of them are required.
        flags_parser: parses the command line, see `absl.app.run`.
    """
    _open_streams()
    sys.modules["__main__"].__doc__ = sys.modules[main.__module__].__doc__  # absl prints this text for --helpfull

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

    with ended_by_signals(), lenient_output():
        app.run(checked_main, flags_parser=parse)


def _help(module: str) -> str:
    about = inspect.cleandoc(sys.modules[module].__doc__ or "")
    others = [flag for flag in flags.FLAGS.get_key_flags_for_module(module) if f"--{flag.name}" not in about]
    lines = [f"  --{flag.name}: {flag.help}" for flag in others if flag.name not in about]
    return "\n".join([about, "", *lines, *([""] if lines else []), "--helpfull prints all flags with their defaults."])


def _open_streams() -> None:
    """Opens standard streams that the caller has closed (`2>&-`).

    Otherwise the next file that the program opens would take the place of the closed stream.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - as long as the program runs


@contextlib.contextmanager
def command_errors() -> Iterator[None]:
    """Ends the program with a message and without a traceback, if the error is one that the user can fix.

    Raises:
        SystemExit: the `with` block raised a ValueError, an OSError or a FloatingPointError, or ran out of memory. The
            message starts with "error: ".
    """
    try:
        yield
    except (ValueError, OSError, FloatingPointError) as error:
        raise SystemExit(f"error: {error}") from error
    except _memory_errors() as error:
        raise SystemExit(f"error: not enough memory: {error}") from error


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Ends the program after SIGINT, SIGTERM or SIGHUP, with one line and the exit code 128 + signal number.

    Raises:
        interruption.Interrupted: after a signal, even if the command itself handled the signal.
    """
    try:
        with interruption.handled(interruption.end_with_a_line):
            yield
    except interruption.Interrupted as stopped:
        with contextlib.suppress(OSError):  # the terminal may be closed
            print(f"stopped by {stopped.name}; to go on, run the same command again", file=sys.stderr, flush=True)
        raise


@contextlib.contextmanager
def lenient_output() -> Iterator[None]:
    """Lets a command finish its work even if nobody reads its output (`| head`) or if a file name cannot be printed."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
        sys.stdout = _Output(sys.stdout)  # type: ignore[assignment]
    yield


class _Output:
    """A text stream that discards all output after its reader has closed the pipe."""

    def __init__(self, stream: io.TextIOWrapper):
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._reader_may_be_gone():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._reader_may_be_gone():
            self._stream.flush()

    @contextlib.contextmanager
    def _reader_may_be_gone(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EIO):  # EIO: the terminal was closed
                raise
            with open(os.devnull, "wb") as nothing:
                os.dup2(nothing.fileno(), self._stream.fileno())


def _memory_errors() -> tuple[type[Exception], ...]:
    """Returns the classes of exceptions that report a lack of memory.

    Does not import TensorFlow, because some commands run without TensorFlow.
    """
    tensorflow = sys.modules.get("tensorflow")
    return (MemoryError, tensorflow.errors.ResourceExhaustedError) if tensorflow else (MemoryError,)
