"""Runs the edge command, and makes a model for it, whose foreground is whatever is bright."""

import contextlib
import io
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np

from edge_segmenter.command import main

EDGE = pathlib.Path(__file__).parents[1]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(EDGE)}
RESOLUTION = 16


def bright_network(resolution=RESOLUTION, channels=1):
    """Logits 4 (r + g + b): probability sigmoid(12) = 0.999994 where white, as much below 1 where black."""
    image = keras.Input((resolution, resolution, 3))
    model = keras.Model(image, keras.layers.Conv2D(channels, 1)(image))
    model.set_weights([np.full((1, 1, 3, channels), 4.0), np.zeros(channels)])
    return model


def command(model, source, output, *options):
    """Returns what a user types to segment images or a video."""
    arguments = "segment", "--model", model, "--input", source, "--output", output, *options
    return [sys.executable, "-m", "edge_segmenter", *map(str, arguments)]


def run(model, source, output, *options):
    """Runs the command on images or a video in this process, as `subprocess.run` would in another."""
    arguments = command(model, source, output, *options)[3:]
    printed = [io.TextIOWrapper(io.BytesIO(), errors=errors) for errors in ("strict", "backslashreplace")]
    with contextlib.redirect_stdout(printed[0]), contextlib.redirect_stderr(printed[1]):
        try:
            status = main(arguments)
        except SystemExit as error:
            status = error.code
    out, err = (stream.detach().getvalue().decode() for stream in printed)
    return subprocess.CompletedProcess(arguments, status, out, err)
