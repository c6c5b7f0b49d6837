"""Evaluates a trained run: measures its GAN, its segmenter and the baselines."""

import os

from ml_collections import ConfigDict

from tf_layered_gan.evaluation import gan_figures
from tf_layered_gan.reporting.run_figures import report_run
from tf_layered_gan.runs import restarts, workdir_lock
from tf_layered_gan.runs.restore import restore_run
from tf_layered_gan.runs.run_photos import load_run_photos


def evaluate(config: ConfigDict, workdir: str | os.PathLike) -> dict:
    """Evaluates the segmenter of a run and the baselines on the test photos.

    Writes metrics.json, report.html and test/.

    Returns:
        dict, the content of metrics.json:
            "seed", "restarts": the run's seed, and its earlier attempts (see `restarts.history`).
            "images_seen": number of photos shown to D, or to the segmenter of a supervised run.
            "segmenter_steps", "training_seconds".
            "photos": the number of photos in each split.
            "test": see `report.write_report`.
            A supervised run does not have the keys below:
            "synthetic": see `gan_figures.evaluate_synthetic_masks`.
            "synthesis": only if `metrics.inception` is set, see `gan_figures.evaluate_fid`.
            "clusters": only if `data.classes` is set, see `gan_figures.evaluate_clusters`. Its "classes_by" is
            `data.classes`.
            If this call does not compute "synthesis" or "clusters", and the earlier metrics.json describes the same
            state of the GAN, the item is copied from that file.

    Raises:
        FileNotFoundError: the run has no checkpoint.
        ValueError: `metrics.inception` is not a file with Inception weights, or another command is at work in the
            workdir.
    """
    inception = gan_figures.build_inception(config)
    gan, segmenter, checkpointer = restore_run(config, workdir)
    config = restarts.attempt(config, workdir)
    with workdir_lock.locked(workdir):
        splits = load_run_photos(config, workdir)
        return report_run(config, workdir, splits, gan, segmenter, checkpointer, inception)
