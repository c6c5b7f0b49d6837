"""Alternating training of the layered GAN and the segmenter (paper, Algorithm 1)."""

import os

from ml_collections import ConfigDict

from tf_layered_gan.training.phases import final_phase, gan_phase, segmenter_phase, supervised_phase
from tf_layered_gan.training.photo_passes import bootstrap, refine
from tf_layered_gan.training.session import open_session


def train(config: ConfigDict, workdir: str | os.PathLike) -> dict:
    """Runs Algorithm 1, from the newest checkpoint in `workdir` if there is one, and evaluates the result.

    Args:
        config: a valid config, see `config.validate`.
        workdir: directory for checkpoints, TensorBoard events, sample grids and metrics.json.

    Returns:
        dict, the content of metrics.json, see `evaluate.evaluate`.

    Raises:
        ValueError, OSError, preemption.Preempted: see `session.open_session`.
        FloatingPointError: a loss is not finite, even after a second attempt from the last checkpoint.
    """
    with open_session(config, workdir) as session:
        for run in session.attempts():  # there is another attempt after a collapse or a loss that is not finite
            with run:
                if config.segmenter.supervised:
                    run.take(supervised_phase(run))
                    return run.report()
                if config.refine.bootstrap:
                    bootstrap(run)  # round 0, which is not in the paper
                for k in run.rounds:
                    run.take(gan_phase(run, k))  # lines 2 to 5: N_gan steps
                    run.take(segmenter_phase(run, k))  # lines 6 to 8: N_seg steps
                if run.rounds and config.schedule.final_segmenter_steps:
                    run.take(final_phase(run))  # appendix C.3
                refine(run)  # passes over photos, which are not in the paper
                return run.report()
    raise AssertionError("unreachable: the attempts go on until one of them returns or raises")
