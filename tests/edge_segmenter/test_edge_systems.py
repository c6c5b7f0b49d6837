"""Tests of the edge command on systems that lack modules, or whose terminal is closed."""

import os
import subprocess
import sys

from edge_command import ENVIRONMENT, command, run
from edge_images import half_white, results

from edge_segmenter.files.printing import say


def test_a_system_without_litert_is_told_so_in_one_line(model, photos, tmp_path, monkeypatch):
    half_white().save(photos / "a.png")
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    finished = run(model, photos, tmp_path / "out")
    assert finished.returncode == 2 and len(finished.stderr.splitlines()) == 1
    assert "error: ai_edge_litert cannot be imported on this system: " in finished.stderr


MISSING = """
import os, signal, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios", "readline"):
    sys.modules[name] = None
for module, names in {os: ("posix_fallocate", "mkfifo", "geteuid", "getuid"), signal: ("SIGHUP", "SIGALRM")}.items():
    for name in names:
        delattr(module, name)
from edge_segmenter.command.main import main
sys.exit(main())
"""


def test_it_runs_without_the_modules_that_windows_or_macos_lack(model, photos, tmp_path):
    half_white().save(photos / "a.jpg")
    arguments = command(model, photos, tmp_path / "out")[3:]
    finished = subprocess.run(
        [sys.executable, "-c", MISSING, *arguments], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    assert results(tmp_path / "out") == ["a.png"]


def test_a_closed_terminal_is_no_error(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as stream:
        say("nobody reads this", stream)
