"""Runs the edge command with a model that marks all bright pixels as foreground, and lists the files it wrote."""

import contextlib
import io
import os
import pathlib
import signal
import subprocess
import sys
import time

import keras
import numpy as np

from edge_segmenter.command.main import main

EDGE = pathlib.Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(EDGE)}
RESOLUTION = 16


def bright_network(resolution=RESOLUTION, channels=1):
    """A network with the logits 4 (r + g + b). White has the probability sigmoid(12) = 0.999994. Black has 0.000006."""
    image = keras.Input((resolution, resolution, 3))
    model = keras.Model(image, keras.layers.Conv2D(channels, 1)(image))
    model.set_weights([np.full((1, 1, 3, channels), 4.0), np.zeros(channels)])
    return model


def command(model, source, output, *options):
    """Returns the command line that segments images or a video, as a list of words."""
    arguments = "segment", "--model", model, "--input", source, "--output", output, *options
    return [sys.executable, "-m", "edge_segmenter", *map(str, arguments)]


def run(model, source, output, *options):
    """Runs the command on images or a video in this process. Returns a result like that of `subprocess.run`."""
    return run_main(*command(model, source, output, *options)[3:])


def run_main(*arguments):
    """Runs the command with any arguments in this process."""
    printed = [io.TextIOWrapper(io.BytesIO(), errors=errors) for errors in ("strict", "backslashreplace")]
    with contextlib.redirect_stdout(printed[0]), contextlib.redirect_stderr(printed[1]):
        try:
            status = main(list(map(str, arguments)))
        except SystemExit as error:
            status = error.code
    out, err = (stream.detach().getvalue().decode() for stream in printed)
    return subprocess.CompletedProcess(arguments, status, out, err)


def run_until_ctrl_c(file, model, source, output, *options):
    """Runs the command in another process and presses Ctrl-C as soon as a file exists."""
    arguments = command(model, source, output, *options)
    with subprocess.Popen(arguments, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        while not file.exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    return subprocess.CompletedProcess(arguments, process.returncode, printed)


def files(folder):
    """Returns the relative paths of all files in a folder, without hidden files."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("[!.]*") if path.is_file())
