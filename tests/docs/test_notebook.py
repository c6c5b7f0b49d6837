"""A test that runs the notebook from top to bottom in a new Python process, at a small size.

The test makes a script of the code cells. Three things differ from Jupyter:

- `%pip` is skipped, because the test runs in an environment that has the package.
- `!command` runs the module that pip installs under the command's name. {NAME} stands for a variable.
- After the cell with the tag "parameters", the script has one more cell, which sets smaller values.
"""

import json
import re

import pages
import pytest
import tiny

NOTEBOOK = pages.ROOT / "docs/own_photos.ipynb"
HELPERS = f"""
import subprocess, sys
def run(command):
    program, *arguments = command.split()
    module = {pages.PROGRAMS!r}[program]
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)
"""
SMALL = f"""
SETTINGS = {tiny.RUN | tiny.ONE_STEP | {"networks.background_canvas": 1}}
DRAWN, MAX_IOU_LOSS = 16, 1
"""


def cells(kind):
    return [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == kind]


def script():
    parts = [HELPERS]
    for cell in cells("code"):
        code = re.sub(r"^(\s*)%pip .*$", r"\1pass", "".join(cell["source"]), flags=re.M)
        parts.append(re.sub(r"^(\s*)!(.*)$", r'\1run(f"\2")', code, flags=re.M))
        parts += [SMALL] if "parameters" in cell["metadata"].get("tags", []) else []
    return "\n".join(parts)


def test_notebook_has_the_format_of_jupyter():
    notebook = json.loads(NOTEBOOK.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    code, text = (set(map(frozenset, cells(kind))) for kind in ("code", "markdown"))
    common = {"id", "cell_type", "metadata", "source"}
    assert text == {frozenset(common)} and code == {frozenset(common | {"outputs", "execution_count"})}
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    assert not any(cell["outputs"] for cell in cells("code"))  # outputs may show photos, which must not be published


def test_notebook_is_python_with_known_commands():
    compile(script(), "notebook", "exec")
    assert set(re.findall(r'run\(f"(\S+)', script())) <= pages.PROGRAMS.keys()


@pytest.mark.slow
def test_notebook_runs_from_top_to_bottom(tmp_path):
    (tmp_path / "notebook.py").write_text(script())
    code = f"import os, runpy; os.chdir({str(tmp_path)!r}); runpy.run_path('notebook.py')"
    status, printed = tiny.finish(tiny.python("-c", code, PYTHONPATH=str(pages.ROOT)))
    assert status == 0, printed[-3000:]
    assert "drawing 16 images of shapes" in printed and "the largest difference" in printed
    assert (tmp_path / "runs/mine/export/segmenter_float32.tflite").exists()
