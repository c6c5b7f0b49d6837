"""Tests of Ctrl-C and of other signals that end the edge command."""

import os
import signal
import subprocess
import sys
from multiprocessing.pool import ThreadPool

import pytest
from edge_command import ENVIRONMENT, run, run_until_ctrl_c
from edge_images import half_white, results

from edge_segmenter.command.interruption import interruption


def test_ctrl_c_ends_after_an_image(model, photos, tmp_path):
    half_white(400, 300).save(tmp_path / "image.png")
    for number in range(300):
        os.link(tmp_path / "image.png", photos / f"{number:03d}.png")
    finished = run_until_ctrl_c(tmp_path / "out" / "cutouts" / "000.png", model, photos, tmp_path / "out")
    masks, cutouts = results(tmp_path / "out"), results(tmp_path / "out", "cutouts")
    assert finished.returncode == 1 and masks == cutouts and 0 < len(masks) < 300
    assert finished.stdout == f"{len(masks)} of 300 images segmented into {tmp_path / 'out'}, 0 failed, stopped\n"


def test_in_another_thread_the_command_runs_without_signals(model, photos, tmp_path):
    half_white().save(photos / "a.jpg")
    with ThreadPool(1) as pool:
        assert pool.apply(run, (model, photos, tmp_path / "out")).returncode == 0


def test_a_second_ctrl_c_has_its_usual_effect():
    with pytest.raises(KeyboardInterrupt), interruption() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks_for_the_end(number):
    before = signal.getsignal(number)
    with interruption() as stop:
        assert not stop.is_set()
        signal.raise_signal(number)
        assert stop.is_set()
    assert signal.getsignal(number) is before


IMPORT_INTERRUPTED = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == "numpy":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Finder())
from edge_segmenter.command.main import main
sys.exit(main())
"""


def test_ctrl_c_while_the_program_starts_is_one_line():
    finished = subprocess.run(
        [sys.executable, "-c", IMPORT_INTERRUPTED], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert (finished.returncode, finished.stderr) == (1, "edge-segmenter: stopped\n")
