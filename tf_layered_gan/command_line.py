"""Starts a program in the same way from `python -m` and from the command that pip installs."""

import sys
from collections.abc import Callable

from absl import app, flags


def start(
    main: Callable[[list[str]], None], flags_parser: Callable[[list[str]], list[str]] = app.parse_flags_with_usage
) -> None:
    """Parses the flags and calls `main`. --help prints the docstring and the flags of the module of `main`.

    absl looks for both in `__main__`, which for an installed command is a script that pip wrote.

    Args:
        main: receives the program's name and the arguments that are not flags.
        flags_parser: receives the program's name and all arguments, and returns what `main` receives.
    """
    program = sys.modules[main.__module__]
    sys.modules["__main__"].__doc__ = program.__doc__
    for flag in flags.FLAGS.get_key_flags_for_module(program):
        flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)
    app.run(main, flags_parser=flags_parser)
