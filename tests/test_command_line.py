import sys

import pytest
import tensorflow as tf
import tiny

from tf_layered_gan.command_line import command_errors

TOOL = """
from absl import flags
from tf_layered_gan.command_line import run_command

def main(file):
    raise ValueError(f"{file} has size {flags.FLAGS.size}")

def run():
    flags.DEFINE_integer("size", 1, "The size.")
    run_command(main, "FILE")
"""


@pytest.fixture
def tool(tmp_path):
    """Runs an installed command: the program my-tool, whose module is named tool. Does not import TensorFlow."""
    (tmp_path / "tool.py").write_text(TOOL)

    def run(*arguments):
        code = f"import sys; sys.path.append({str(tmp_path)!r}); sys.argv = {['/bin/my-tool', *arguments]}; "
        code += "import tool; sys.modules['tensorflow'] = None; tool.run()"
        return tiny.finish(tiny.python("-c", code))

    return run


def test_help_lists_the_flags_of_an_installed_command(tool):
    status, printed = tool("--help")
    assert status == 0 and "--size: The size." in printed


def test_error_is_a_message(tool):
    assert tool("photo.png", "--size=3") == (1, "error: photo.png has size 3\n")


@pytest.mark.parametrize("arguments", [[], ["one", "two"]])
def test_other_arguments_are_refused(tool, arguments):
    status, printed = tool(*arguments)
    assert status == 1 and f"arguments are {arguments}, allowed: FILE" in printed


@pytest.mark.parametrize(
    "error, message",
    [
        (ValueError("size is 3"), "error: size is 3"),
        (FileNotFoundError("no run"), "error: no run"),
        (FloatingPointError("loss is nan"), "error: loss is nan"),
        (MemoryError("4 GB"), "error: not enough memory: 4 GB"),
        (tf.errors.ResourceExhaustedError(None, None, "4 GB"), "error: not enough memory: 4 GB"),
    ],
)
def test_errors_that_the_user_can_fix_have_no_traceback(error, message):
    with pytest.raises(SystemExit) as raised, command_errors():
        raise error
    assert raised.value.code == message


def test_other_errors_keep_their_traceback(monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow")
    with pytest.raises(KeyError), command_errors():
        raise KeyError("a bug")
