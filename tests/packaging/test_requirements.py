"""Tests of the requirements of the packages, the pinned versions, and the version of the project."""

import pathlib
import re
import tomllib

import pytest

import tf_layered_gan

ROOT = pathlib.Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EDGE = tomllib.loads((ROOT / "edge_segmenter/pyproject.toml").read_text())["project"]


def pins(file):
    """Returns a dict from the packages in a requirements file to their versions."""
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / file).read_text(), re.MULTILINE))


def lower_bounds(requirements):
    return dict(requirement.split(">=") for requirement in requirements)


def numbers(version):
    return tuple(map(int, version.split(".")))


@pytest.mark.parametrize(
    "file, requirements",
    [
        ("requirements.txt", PROJECT["dependencies"]),
        ("requirements-dev.txt", PROJECT["optional-dependencies"]["dev"]),
    ],
)
def test_the_pinned_packages_are_those_of_pyproject(file, requirements):
    pinned, lowest = pins(file), lower_bounds(requirements)
    assert pinned.keys() == lowest.keys()
    for name, version in lowest.items():
        assert numbers(pinned[name]) >= numbers(version), name


def test_the_pinned_versions_satisfy_the_edge_package():
    for name, version in lower_bounds(EDGE["dependencies"] + EDGE["optional-dependencies"]["video"]).items():
        assert numbers(pins("requirements.txt")[name]) >= numbers(version), name


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt", "requirements-web.txt"])
def test_constraints_have_the_same_versions(file):
    assert pins(file).items() <= pins("constraints.txt").items()


def test_the_version_is_the_same_everywhere():
    assert EDGE["version"] == tf_layered_gan.__version__
    newest = re.search(r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest[1] == tf_layered_gan.__version__
