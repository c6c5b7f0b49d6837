"""Tests of the commands in the README, docs/ and the README of edge_segmenter.

All commands are parsed, and most are run at a small size.
"""

import argparse
import contextlib
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
import warnings

import numpy as np
import pages
import pytest
import tiny
from absl import app, flags
from PIL import Image

from tf_layered_gan.config import validate
from tf_layered_gan.data import shapes

OWN_PACKAGES = ("tf_layered_gan", "export", "edge_segmenter", "benchmarks")

# A dict from the first words of a command to the reason why the command is not run here.
OUTSIDE = {
    "pip download": "needs a package index",
    "unzip": "unpacks a wheel that pip has fetched",
    "pip install": "needs a package index; tests/edge_segmenter/test_edge_install.py installs the edge's package",
    "python3 -m venv": "makes the reader's environment",
    ".venv/bin/pip install": "needs a package index",
    ".venv/bin/python mask.py": "run by test_guides.py",
    "LITERT=": "sets a variable of the reader's shell; test_guides.py finds the library itself",
    "g++": "test_guides.py runs it with other flags",
    "./segment": "run by test_guides.py",
    "export TF_CONFIG=": "sets a variable of the reader's shell",
    "tensorboard": "TensorFlow's own program, which runs until it is stopped",
    ".venv/bin/python -m pytest": "runs other tests",
    "curl": "needs the network",
    "tar": "unpacks an archive that curl has fetched",
    "cd export/web": "changes the reader's directory",
    "npm ci": "needs a package index; make test-web runs it",
    "cp ../../runs/mine/export/segmenter_float32.tflite": "copies a file",
    "python3 -m http.server": "runs until it is stopped; tests/devices/web/conftest.py serves the page",
}

# A dict from a pattern in a command to the reason why the command is parsed but not run.
NOT_RUN = {
    r"--config=(cub|dogs)\b": "downloads a dataset",
    r"--camera": "needs a camera",
    r"--input clip\.mp4": "needs a video; tests/edge_segmenter/test_edge_video.py makes one",
    r"inception": "needs the weights of FID's network; tests/evaluation/test_inception_weights.py makes some",
    r"encoder": "needs a published file; tests/models/test_encoder_weights.py makes one",
    r"paper\.experiments": "trains three runs of each row; tests/paper/test_experiments.py runs a table",
}

COMMANDS = list(dict.fromkeys(command for page in pages.GUIDES for command in pages.commands(page)))


def program(command):
    """Returns the module and the arguments of one of our commands, or None for any other command."""
    first, *rest = command.words
    if first in pages.PROGRAMS:
        return pages.PROGRAMS[first], rest
    if first == "python" and rest[0] == "-m" and rest[1].split(".")[0] in OWN_PACKAGES:
        return rest[1], rest[2:]
    return None


OURS = [command for command in COMMANDS if program(command)]
MADE = [command for command in COMMANDS if command.words[0] == "make"]
OTHERS = [command for command in COMMANDS if command not in OURS and command not in MADE]
ROUNDS, PASSES = "--config.schedule.rounds", ("--config.refine.bootstrap", "--config.refine.passes")
SMALL_RUN = {
    f"--config.{field}": value for field, value in (tiny.RUN | tiny.ONE_STEP | {"networks.residual_blocks": 0}).items()
}
SMALL = {
    "tf_layered_gan.distill": {"--steps": 3},
    "export.main": {"--max_iou_loss": 1},  # a network that has hardly learnt loses much IoU in the export
    "benchmarks.speed.calls": {"--rounds": 2},
}
BEGUN = {}  # the settings of the latest run in each workdir
RUN = {command.words: command for command in OURS if not any(re.search(why, str(command)) for why in NOT_RUN)}


class Parsed(BaseException):
    """The exception that ends a program once its arguments have been parsed."""


@contextlib.contextmanager
def no_flags():
    """Hides all defined flags while the `with` block runs, because several of our programs define the same flags."""
    before = dict(vars(flags.FLAGS))
    vars(flags.FLAGS).clear()
    vars(flags.FLAGS).update(vars(flags.FlagValues()))
    yield
    vars(flags.FLAGS).clear()
    vars(flags.FLAGS).update(before)


@pytest.fixture
def only_parsing(monkeypatch):
    """Makes programs end with `Parsed` as soon as their parser has read the arguments."""

    def run(main, argv=None, flags_parser=flags.FLAGS):
        flags_parser(sys.argv)
        if "config" in flags.FLAGS and flags.FLAGS.config is not None:
            validate(flags.FLAGS.config)
        raise Parsed

    parse = argparse.ArgumentParser.parse_known_args  # `parse_args` calls this method too

    def parse_and_stop(parser, args=None, namespace=None):
        found, unknown = parse(parser, args, namespace)
        if " " in parser.prog:  # only the name of a subcommand's parser has a space
            return found, unknown
        assert not unknown
        raise Parsed

    monkeypatch.setattr(app, "run", run)
    monkeypatch.setattr(argparse.ArgumentParser, "parse_known_args", parse_and_stop)
    monkeypatch.chdir(pages.ROOT)
    with no_flags(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*found in sys.modules", RuntimeWarning)
        yield


@pytest.mark.parametrize("command", OURS, ids=str)
def test_programs_take_the_arguments(command, only_parsing, monkeypatch):
    module, arguments = program(command)
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    with pytest.raises(Parsed):
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def test_programs_are_those_that_pip_installs():
    scripts = tomllib.loads((pages.ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert pages.PROGRAMS.keys() == scripts.keys()


@pytest.mark.parametrize("command", MADE, ids=str)
def test_make_has_the_target(command):
    result = subprocess.run(["make", "-n", *command.words[1:]], cwd=pages.ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_all_other_commands_are_known():
    unknown = [str(command) for command in OTHERS if not " ".join(command.words).startswith(tuple(OUTSIDE))]
    assert unknown == []


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory with all photos, masks, models and workdirs that the commands name."""
    place = tmp_path_factory.mktemp("reader")
    photos = shapes.load(train=16, held_out=8, resolution=32, storage_size=32)
    for folder in ("DIR", "MASKS", "runs"):
        (place / folder).mkdir()
    (place / "rejected.json").write_text('{"rejected": ["000.png"]}')
    for i, image in enumerate(np.concatenate([photos.train.images, photos.test.images])):
        Image.fromarray(image).save(place / "DIR" / f"{i:03}.png")
    for i, mask in enumerate(photos.test.masks, start=len(photos.train)):
        Image.fromarray(mask * 255).save(place / "MASKS" / f"{i:03}.png")
    export = place / "runs/mine/export"
    links = {"MODEL": export / "segmenter_float32.tflite", "segmenter_int8.tflite": export / "segmenter_int8.tflite"}
    links |= {"runs/other": place / "runs/mine", "runs/third": place / "runs/mine"}
    for name, target in (
        links | {"photos": place / "DIR", "photo.png": place / "DIR/000.png", "configs": pages.ROOT / "configs"}
    ).items():
        (place / name).symlink_to(target)
    return place


def is_training(module, arguments):
    """Returns whether a command trains a GAN. A command that does not train takes the config from the workdir."""
    return module == "tf_layered_gan.main" and any(argument.startswith("--config=") for argument in arguments)


def small(module, arguments):
    """Returns the arguments with flags that make the command run quickly.

    A given number of rounds is kept. If the command sets a field of the passes over photos, its passes are kept.
    """
    flags_set = SMALL_RUN if is_training(module, arguments) else SMALL.get(module, {})
    if any(argument.startswith("--config.refine.") for argument in arguments):
        flags_set = {flag: value for flag, value in flags_set.items() if flag not in PASSES}
    flags_given = [argument.partition("=")[0] for argument in arguments]
    values = {flag: value for flag, value in flags_set.items() if flag != ROUNDS or flag not in flags_given}
    changed = [
        f"{flag}={values[flag]}" if flag in values else argument
        for flag, argument in zip(flags_given, arguments, strict=True)
    ]
    return changed + [f"{flag}={value}" for flag, value in values.items() if flag not in flags_given]


def make_way(place, arguments):
    """Empties the workdir of a command if the run in it began with different settings.

    The export in the workdir is kept, because later commands name it.
    """
    workdir = next(argument.partition("=")[2] for argument in arguments if argument.startswith("--workdir="))
    free = ("--config.schedule.", "--config.metrics.", "--config.monitoring.", "--config.data.classes")
    free += ("--workdir", "--dry_run")
    settings = {argument for argument in arguments if not argument.startswith(free)}
    if BEGUN.setdefault(workdir, settings) != settings:
        for entry in set((place / workdir).iterdir()) - {place / workdir / "export"}:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        BEGUN[workdir] = settings


@pytest.mark.slow
@pytest.mark.parametrize("command", RUN.values(), ids=str)
def test_commands_run_one_after_another(command, place):
    module, arguments = program(command)
    if is_training(module, arguments):
        make_way(place, arguments)
    result = subprocess.run(
        [sys.executable, "-m", module, *small(module, arguments)],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(pages.ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr[-3000:]
