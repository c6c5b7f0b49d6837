"""Tests of the package as pip installs it: its files and its commands, in any working directory."""

import ast
import os
import pathlib
import shutil
import subprocess
import sys
import tomllib
import venv

import pytest

import tf_layered_gan
from tf_layered_gan.config import shipped

ROOT = pathlib.Path(__file__).parents[2]
SOURCES = {"tf_layered_gan": "tf_layered_gan", "edge_segmenter": "edge_segmenter"}
SOURCES |= {"export": "tf_layered_gan/export", "configs": "tf_layered_gan/configs"}
COMMANDS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
# These commands train, distil, export and segment. The training is far too short to learn anything.
USE = [
    [
        *("tf-layered-gan", "--config=shapes", "--workdir=run"),
        *("--config.data.train_pictures=16", "--config.data.held_out_pictures=4", "--config.schedule.rounds=1"),
        *("--config.schedule.annealed_rounds=0", "--config.schedule.gan_images_per_round=16"),
        *("--config.schedule.segmenter_steps_per_round=1", "--config.schedule.final_segmenter_steps=1"),
    ],
    ["tf-layered-gan-distill", "--workdir=run", "--student=small", "--width=4", "--steps=1"],
    ["tf-layered-gan-export", "--workdir=run", "--max_iou_loss=1"],
    [
        *("edge-segmenter", "segment", "--model=run/export/segmenter_float32.tflite"),
        *("--input=run/test/images", "--output=segmented"),
    ],
]


def copy_project(target):
    """Copies the files that a build reads, without .git and the files of earlier builds."""
    built = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", "node_modules", "runtime")
    for name in SOURCES:
        shutil.copytree(ROOT / name, target / name, ignore=built)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, target)
    return target


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    subprocess.run(command, check=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the installed package, built with the setuptools of this environment."""
    source, site = copy_project(tmp_path_factory.mktemp("source")), tmp_path_factory.mktemp("site")
    pip("install", "--no-deps", "--no-build-isolation", "--no-index", "--target", site, source)
    return site


@pytest.fixture
def elsewhere(tmp_path):
    """A working directory whose folders have the same names as our packages."""
    for name in ("configs", "export"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('imported from the working directory')")
        (tmp_path / name / "folder.py").write_text("raise ImportError('imported from the working directory')")
    return tmp_path


def run(*command, cwd, **environment):
    """Runs a command. Returns its exit code and its output."""
    environment = {"PATH": os.environ["PATH"], "TF_CPP_MIN_LOG_LEVEL": "2"} | environment
    finished = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return finished.returncode, finished.stdout


def python_files(folder, installed_as):
    files = [path.relative_to(folder) for path in folder.rglob("*.py")]
    return {f"{installed_as}/{file.as_posix()}" for file in files if file.parts[0] != "build"}


def test_the_wheel_has_every_module_and_no_other(site):
    expected = set().union(*(python_files(ROOT / name, installed_as) for name, installed_as in SOURCES.items()))
    assert python_files(site, ".") == {f"./{name}" for name in expected}


def test_the_wheel_has_the_data_and_the_licence(site):
    assert (site / "tf_layered_gan/data/paper_datasets/cub_split.txt").read_bytes()
    (metadata,) = site.glob("tf_layered_gan-*.dist-info")
    assert metadata.name == f"tf_layered_gan-{tf_layered_gan.__version__}.dist-info"
    assert any("Apache License" in path.read_text() for path in metadata.rglob("LICENSE"))
    assert sorted(path.name for path in (site / "bin").iterdir() if path.is_file()) == sorted(COMMANDS)


def test_shipped_configs_are_found_from_anywhere(site, elsewhere):
    program = "from tf_layered_gan.config import shipped; print(*shipped.names(), shipped.find('folder'))"
    code, output = run(sys.executable, "-c", program, cwd=elsewhere, PYTHONPATH=str(site))
    assert code == 0, output
    assert output.split() == [*shipped.names(), f"{site}/tf_layered_gan/configs/folder.py"]


def test_a_command_shows_its_own_flags_from_anywhere(site, elsewhere):
    _, output = run(site / "bin/tf-layered-gan-export", "--help", cwd=elsewhere, PYTHONPATH=str(site))
    description = ast.get_docstring(ast.parse((ROOT / "export/main.py").read_text()))
    assert description.splitlines()[0] in output and "--max_iou_loss" in output, output


@pytest.mark.slow  # downloads every package, and starts TensorFlow seven times
def test_installed_from_the_index_the_commands_work_from_anywhere(tmp_path, elsewhere):
    source, environment = copy_project(tmp_path / "source"), tmp_path / "environment"
    venv.create(environment, symlinks=True)
    install = "--python", environment / "bin/python", "install", "-c", ROOT / "constraints.txt"
    pip(*install, source)
    for command in COMMANDS:
        _, output = run(environment / "bin" / command, "--help", cwd=elsewhere)
        assert "--workdir" in output or command == "edge-segmenter" and "benchmark" in output, output
    for command, *arguments in USE:
        code, output = run(environment / "bin" / command, *arguments, cwd=elsewhere)
        assert code == 0, output
    pip(*install, "--no-deps", "--editable", source)
    program = "import tf_layered_gan.export.main as main; print(main.__file__)"
    code, output = run(environment / "bin/python", "-c", program, cwd=elsewhere)
    assert code == 0 and output.splitlines()[-1] == str(source / "export/main.py")
