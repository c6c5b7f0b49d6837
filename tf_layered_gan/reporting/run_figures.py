"""The last part of a run: facts about the run, metrics of its segmenter and its GAN, and its report."""

import os
import pathlib

import keras
from absl import logging
from ml_collections import ConfigDict

from tf_layered_gan.data import labels
from tf_layered_gan.data.photos import Splits
from tf_layered_gan.evaluation import gan_figures
from tf_layered_gan.evaluation.metrics.fid import InceptionFeatures
from tf_layered_gan.evaluation.report import write_report
from tf_layered_gan.files.records import read_record
from tf_layered_gan.models import sampling
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.models.segmenter import Segmenter
from tf_layered_gan.reporting.page import try_to_write_page
from tf_layered_gan.runs import passes, restarts
from tf_layered_gan.runs.checkpoints import Checkpointer

_FID = (
    "FID %(fid).2f, bg-FID %(bg_fid).2f (%(samples)d synthetic images against %(reference_pictures)d photos, "
    "%(reference)s; %(resize)s; weights %(inception_sha256).12s)"
)


def report_run(
    config: ConfigDict,
    workdir: str | os.PathLike,
    splits: Splits,
    gan: LayeredGAN,
    segmenter: Segmenter,
    checkpointer: Checkpointer,
    inception: InceptionFeatures | None,
) -> dict:
    """Measures the models of a run. Writes metrics.json, the folder test and report.html.

    Args:
        config: the run's config, with the seed of this attempt.
        workdir: the run's directory.
        splits: the photos.
        gan, segmenter, checkpointer: the models, and the checkpointer, which holds the number of their training steps.
        inception: the network for FID, or None.

    Returns:
        dict, the content of metrics.json, see `evaluate.evaluate`.
    """
    supervised = config.segmenter.supervised
    facts = {
        "seed": config.seed,
        "restarts": restarts.history(workdir),
        "images_seen": int(checkpointer.final_step if supervised else checkpointer.gan_step) * config.batch_size,
        "segmenter_steps": int(checkpointer.segmenter_step) + int(checkpointer.final_step),
        "training_seconds": round(float(checkpointer.seconds) + passes.training_seconds(config, workdir), 1),
        "photos": {name: len(getattr(splits, name)) for name in ("train", "validation", "test")},
    }
    if passes.is_trained(gan):
        facts |= _earlier_figures(workdir, facts) | _gan_figures(config, workdir, gan, splits, inception)
    networks = passes.pass_networks(config, workdir)
    if networks:
        facts["passes"] = list(passes.records(config, workdir))
    others = {passes.pass_name(number): network for number, network in networks.items()}
    number = passes.final_pass(config, workdir, segmenter)
    network = segmenter.average_network if number is None else networks[number]
    if number is not None and passes.is_trained(segmenter):
        others["pairs alone"] = segmenter.average_network
    result = write_report(workdir, network, splits.test, facts, others)
    try_to_write_page(workdir, network, splits, clustering_network(config, gan))
    return result


def clustering_network(config: ConfigDict, gan: LayeredGAN) -> keras.Model | None:
    """Returns the network of D and E_x. Returns None if the network is not trained, or E_x has no categories."""
    return gan.discriminator if passes.is_trained(gan) and config.codes.prior == "categorical" else None


def _earlier_figures(workdir: str | os.PathLike, facts: dict) -> dict:
    """Returns the FID and NMI of this GAN from an earlier metrics.json, because their computation takes long."""
    file = pathlib.Path(workdir) / "metrics.json"
    try:
        earlier = read_record(file) if file.exists() else {}
    except ValueError as error:  # a damaged file does not matter, because it is replaced next
        logging.warning("%s", error)
        return {}
    is_of_this_gan = all(earlier.get(name) == facts[name] for name in ("seed", "restarts", "images_seen"))
    return {name: earlier[name] for name in ("synthesis", "clusters") if is_of_this_gan and name in earlier}


def _gan_figures(
    config: ConfigDict,
    workdir: str | os.PathLike,
    gan: LayeredGAN,
    splits: Splits,
    inception: InceptionFeatures | None,
) -> dict:
    sample = sampling.build_sampler(config, sampling.SYNTHESIS_STREAM)
    figures = {"synthetic": gan_figures.evaluate_synthetic_masks(gan, sample)}
    logging.info(
        "the GAN's masks cover %(mask_mean).3f of an image on average, with a standard deviation of %(mask_spread).3f",
        figures["synthetic"],
    )
    if config.data.classes:
        classes = labels.photo_classes(splits, config.data.classes)
        clusters = gan_figures.evaluate_clusters(gan.discriminator, splits, classes)
        figures["clusters"] = clusters | {"classes_by": config.data.classes}
        logging.info(
            "E_x's clusters: NMI (%(normalised_by)s) %(nmi).3f, by chance %(nmi_by_chance).3f, of %(photos)d photos",
            figures["clusters"],
        )
    if inception is None:
        logging.info("no FID computed: metrics.inception names no weights (see docs/evaluating.md)")
    else:
        cache = pathlib.Path(workdir) / "fid"
        samples = config.metrics.fid_samples
        figures["synthesis"] = gan_figures.evaluate_fid(gan, sample, splits, inception, samples=samples, cache=cache)
        logging.info(_FID, figures["synthesis"])
    return figures
