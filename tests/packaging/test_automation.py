"""The files that start checks name commands that exist."""

import pathlib
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def make_targets(text):
    """The targets that commands in a text start with make."""
    return re.findall(r"^\s*make ((?:[a-z-]+ ?)+)", text, re.MULTILINE)


def commands(workflow):
    jobs = yaml.safe_load(workflow.read_text())["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def assert_makes(text):
    for targets in make_targets(text):
        finished = subprocess.run(["make", "--dry-run", *targets.split()], cwd=ROOT, capture_output=True, text=True)
        assert finished.returncode == 0, finished.stderr


def test_there_is_a_workflow():
    assert WORKFLOWS


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_run_what_exists(workflow):
    for command in commands(workflow):
        for script in re.findall(r"bash (\S+)", command):
            assert (ROOT / script).is_file(), script
        assert_makes(command)


def test_the_ci_script_makes_what_exists():
    assert_makes((ROOT / ".ci/run").read_text())


def test_hooks_run_what_make_test_runs():
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    makefile = (ROOT / "Makefile").read_text()
    for hook in local["hooks"]:
        python, *module = hook["entry"].removesuffix(" --force-exclude").split(" ", maxsplit=1)
        assert python == ".venv/bin/python"
        assert f"$(PY) {module[0]}" in makefile, hook["id"]
