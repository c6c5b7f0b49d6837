"""Test figures of runs that differ in their seed: a line for each run, and their mean and standard deviation.

python -m benchmarks.seeds runs/demo-seed*
"""

import json
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from absl import app

from tf_layered_gan.command_line import command_errors

_COLUMNS = {"IoU": "iou", "IoU/image": "iou_per_image"}


def summary(workdirs: Iterable[str | pathlib.Path]) -> str:
    """Returns a Markdown table of finished runs that were evaluated on the same test photos.

    Returns:
        str: a row with the segmenter's figures for each run, a row with their mean and (population) standard deviation,
        and a row for each baseline.

    Raises:
        ValueError: if there is no run, a run is not finished or has no figures, or the baselines differ.
    """
    runs = [_read(pathlib.Path(workdir)) for workdir in workdirs]
    if not runs:
        raise ValueError("no run was given: pass one or more directories that contain a metrics.json")
    first = _baselines(runs[0])
    if any(_baselines(run) != first for run in runs):
        raise ValueError("the runs were evaluated on different photos: their baselines differ")
    rows = [["", "images seen", "training, s", *_COLUMNS], ["---"] * (3 + len(_COLUMNS))]
    figures = np.array([[run["test"]["segmenter"][key] for key in _COLUMNS.values()] for run in runs])
    for run, values in zip(runs, figures, strict=True):
        about = (f"seed {run['seed']}", f"{run['images_seen']:,}", f"{run['training_seconds']:.0f}")
        rows.append([*about, *(f"{value:.3f}" for value in values)])
    spread = [f"{m:.3f} ± {s:.3f}" for m, s in zip(figures.mean(0), figures.std(0), strict=True)]
    rows.append([f"mean of {len(runs)}", "", "", *spread])
    for name, metrics in first.items():
        rows.append([name.replace("_", " "), "", "", *(f"{metrics[key]:.3f}" for key in _COLUMNS.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _read(workdir: pathlib.Path) -> dict[str, Any]:
    path = workdir / "metrics.json"
    if not path.exists():
        raise ValueError(f"{path} does not exist: the run is not finished")
    run = json.loads(path.read_text())
    if run["test"] is None:
        raise ValueError(f"{path} has no figures: the test photos have no masks")
    return run


def _baselines(run: dict[str, Any]) -> dict[str, dict[str, float]]:
    return {name: metrics for name, metrics in run["test"].items() if name != "segmenter"}


def main(argv: list[str]) -> None:
    """Prints the summary of the runs that the arguments name."""
    with command_errors():
        print(summary(argv[1:]))


if __name__ == "__main__":
    app.run(main)
