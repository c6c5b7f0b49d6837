"""Tests of the device package edge_segmenter, installed and run in environments without TensorFlow."""

import importlib.metadata
import json
import pathlib
import shutil
import subprocess
import sys
import venv

import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
EDGE = ROOT / "edge_segmenter"
NEEDED = ("ai-edge-litert", "flatbuffers", "numpy", "pillow")  # LiteRT requires flatbuffers
BUILDERS = ("packaging", "setuptools", "wheel")
EXAMPLE = """
import importlib.util, json, sys
from edge_segmenter import Segmenter
segmenter = Segmenter(sys.argv[1])
mask, cutout = segmenter.mask(sys.argv[2]), segmenter.cutout(sys.argv[2])
found = [name for name in ("tensorflow", "keras", "cv2", "export") if importlib.util.find_spec(name)]
print(json.dumps([mask.size, mask.getextrema(), cutout.mode, found]))
"""


def run(*command, cwd, code=0):
    """Runs a command without environment variables. Returns its output, or its error messages if `code` is not 0."""
    finished = subprocess.run(list(map(str, command)), cwd=cwd, env={}, capture_output=True, text=True, check=False)
    assert finished.returncode == code, finished.stderr
    return finished.stdout if code == 0 else finished.stderr


def link_packages(site, names):
    """Makes links to installed packages, without their dependencies, in the site-packages of another environment."""
    for name in names:
        for part in {pathlib.Path(file).parts[0] for file in importlib.metadata.files(name)} - {".."}:
            (site / part).symlink_to(importlib.metadata.distribution(name).locate_file(part))


def install(environment, *options):
    """Installs the package from a copy of its folder, because setuptools writes into the folder that it builds."""
    built = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    source = shutil.copytree(EDGE, environment / "source", ignore=built)
    pip = sys.executable, "-m", "pip", "--python", environment / "bin/python", "--disable-pip-version-check"
    subprocess.run([*pip, "install", "-q", *options, source], check=True)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An environment with the package and its dependencies. It is made without a download."""
    path = tmp_path_factory.mktemp("environment")
    venv.create(path, symlinks=True)
    (site,) = path.glob("lib/python*/site-packages")
    link_packages(site, NEEDED + BUILDERS)
    install(path, "--no-deps", "--no-index", "--no-build-isolation")
    return path


def assert_segments(environment, model, folder):
    image = Image.new("RGB", (40, 20))
    image.paste((255, 255, 255), (20, 0, 40, 20))
    image.save(folder / "half.png")
    printed = run(environment / "bin/python", "-I", "-c", EXAMPLE, model, "half.png", cwd=folder)
    assert json.loads(printed) == [[40, 20], [0, 255], "RGBA", []]
    options = "segment", "--model", model, "--input", "half.png", "--output", "out"
    assert run(environment / "bin/edge-segmenter", *options, cwd=folder).startswith("1 of 1 images segmented")
    with Image.open(folder / "out/masks/half.png") as mask:
        assert mask.getpixel((5, 10)) == 0 and mask.getpixel((35, 10)) == 255
    options = "edge_segmenter", "benchmark", "--model", model, "--runs", 20
    printed = run(environment / "bin/python", "-m", *options, cwd=folder)
    assert "end to end" in printed and "peak memory" in printed


def test_installed_it_runs_without_tensorflow_or_opencv(environment, model, tmp_path):
    assert_segments(environment, model, tmp_path)


def test_a_video_is_refused_with_a_message_without_opencv(environment, model, tmp_path):
    options = "segment", "--model", model, "--camera", 0, "--output", tmp_path / "out"
    printed = run(environment / "bin/edge-segmenter", *options, cwd=tmp_path, code=2)
    assert printed.splitlines()[-1].startswith("edge-segmenter: error: videos and cameras need OpenCV: pip install ")


@pytest.mark.slow  # downloads packages
def test_installed_from_the_index_it_runs(model, tmp_path):
    venv.create(tmp_path / "environment", symlinks=True)
    install(tmp_path / "environment", "-c", ROOT / "constraints.txt")
    assert_segments(tmp_path / "environment", model, tmp_path)
