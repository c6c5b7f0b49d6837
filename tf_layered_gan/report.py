"""A new report of a run, from its newest checkpoint.

The run may be unfinished, and other runs may be shown beside it.
"""

import os
import pathlib
from collections.abc import Sequence

from absl import logging
from ml_collections import ConfigDict

from tf_layered_gan.reporting.measured import NOTHING, Measured, measure
from tf_layered_gan.reporting.page import write_page
from tf_layered_gan.reporting.run_figures import clustering_network
from tf_layered_gan.runs import passes, restarts
from tf_layered_gan.runs.restore import restore_run
from tf_layered_gan.runs.run_photos import load_run_photos


def rebuild_report(config: ConfigDict, workdir: str | os.PathLike, others: Sequence[str] = ()) -> pathlib.Path:
    """Writes WORKDIR/report.html from the newest checkpoint.

    If there is no checkpoint, or the photos are gone, the report has no masks. The workdir is not locked, so the
    function works while a run is still training.

    Args:
        config: the run's config.
        workdir: the run's directory.
        others: the directories of other runs to show beside this one.

    Returns:
        the path of the file.

    Raises:
        ValueError: one of `others` is not the directory of a run.
    """
    for other in others:
        if not any((pathlib.Path(other) / name).exists() for name in ("config.json", "student.json")):
            raise ValueError(f"compare is {other}, which has no config.json, allowed: directories of runs")
    measured, missing = _measured(config, workdir)
    file = write_page(workdir, measured, others, missing)
    logging.info("the report is %s: open it in a browser", file)
    return file


def _measured(config: ConfigDict, workdir: str | os.PathLike) -> tuple[Measured, list[str]]:
    try:
        gan, segmenter, _ = restore_run(config, workdir)
        config = restarts.attempt(config, workdir)
        splits = load_run_photos(config, workdir)
        if passes.final_pass(config, workdir, segmenter) is None and not passes.is_trained(segmenter):
            return NOTHING, ["There are no masks: no segmenter has been trained yet."]
        network = passes.final_network(config, workdir, segmenter)
        return measure(network, splits, clustering_network(config, gan)), []
    except (OSError, ValueError) as error:
        return NOTHING, [f"No masks could be made: {error}."]
