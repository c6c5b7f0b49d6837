"""Tests that the GitHub workflow and the pre-commit hooks run only commands that exist."""

import re

import tiny
import yaml  # comes with ml_collections


def test_the_workflow_runs_the_scripts_of_the_repository():
    workflow = yaml.safe_load((tiny.ROOT / ".github/workflows/ci.yml").read_text())
    assert {"push", "pull_request", "schedule"} <= workflow[True].keys()  # YAML 1.1 reads the key `on` as True
    commands = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    install = ["python -m pip install .", "cd / && tf-layered-gan --help"]
    assert commands == ["bash .ci/run", *install, "make test-slow", "make test-web"]
    assert (tiny.ROOT / ".ci/run").exists()
    for target in ("test-slow", "test-web"):
        assert re.search(f"^{target}:", (tiny.ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_hooks_run_what_make_test_runs():
    (hooks,) = yaml.safe_load((tiny.ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    makefile = (tiny.ROOT / "Makefile").read_text()
    for hook in hooks["hooks"]:
        command = re.sub(r"^\.venv/bin/python|--force-exclude", "", hook["entry"]).split()
        assert f"$(PY) {' '.join(command)}" in makefile
