"""Prints the test figures of one config's runs, a line a seed, and their mean and spread.

python -m benchmarks.seeds runs/demo-seed*
"""

import json
import pathlib

import numpy as np
from absl import app

_COLUMNS = {"IoU": "iou", "IoU/image": "iou_per_image"}


def summary(workdirs):
    """Reads the runs' metrics.json.

    Args:
        workdirs: directories of finished runs that were evaluated on the same test pictures.

    Returns:
        str, Markdown: a row a run with the segmenter's figures; their mean and standard deviation (of the population);
        a row for each baseline.

    Raises:
        ValueError: if there is no run, one is not finished or has no figures, or their baselines differ.
    """
    runs = [_read(pathlib.Path(workdir)) for workdir in workdirs]
    if not runs:
        raise ValueError("no run was given: name directories with a metrics.json")
    first = _baselines(runs[0])
    if any(_baselines(run) != first for run in runs):
        raise ValueError("the runs were evaluated on different pictures: their baselines differ")
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


def _read(workdir):
    path = workdir / "metrics.json"
    if not path.exists():
        raise ValueError(f"{path} does not exist: the run is not finished")
    run = json.loads(path.read_text())
    if run["test"] is None:
        raise ValueError(f"{path} has no figures: the run had no true masks")
    return run


def _baselines(run):
    return {name: metrics for name, metrics in run["test"].items() if name != "segmenter"}


def main(argv):
    """Prints the summary of the runs that the arguments name."""
    try:
        print(summary(argv[1:]))
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    app.run(main)
