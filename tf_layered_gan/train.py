"""Alternate training of the layered GAN and the segmenter (paper, Algorithm 1)."""

import pathlib

from absl import logging

from tf_layered_gan.data import labels, sources
from tf_layered_gan.evaluation import gan_figures
from tf_layered_gan.evaluation.report import write_report
from tf_layered_gan.files.records import read_record
from tf_layered_gan.models import build, sampling
from tf_layered_gan.models.memory import check_memory
from tf_layered_gan.runs import restarts, workdir_lock
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import check_config, config_facts, record_config
from tf_layered_gan.runs.photo_record import check_photos, photo_facts
from tf_layered_gan.runs.restore import restore_run
from tf_layered_gan.training import distribution, preemption
from tf_layered_gan.training.loop import TrainingLoop, phases

_FID = (
    "FID %(fid).2f, bg-FID %(bg_fid).2f (%(samples)d pictures against %(reference_pictures)d, %(reference)s; "
    "%(resize)s; weights %(inception_sha256).12s)"
)


def train(config, workdir):
    """Runs Algorithm 1, from the newest checkpoint in `workdir` if there is one, and evaluates the result.

    Args:
        config: a validated ConfigDict, see tf_layered_gan/config/fields.py.
        workdir: directory for checkpoints, TensorBoard events, sample pictures and metrics.json.

    Returns:
        dict, what metrics.json holds (see `evaluate`).

    Raises:
        ValueError: for data that cannot be used, a config that takes more memory than there is, a workdir begun with
            another config or in use by another run, or workers that differ in their config, their photos or what they
            go on from.
        FloatingPointError: if a loss is no longer finite.
        OSError: if the disk is full, or another worker is lost; checkpoints already written are left.
        preemption.Preempted: after SIGTERM to any worker, once the step that was being taken is saved.
    """
    strategy = distribution.build_strategy(config)  # first: workers find one another before TensorFlow does anything
    with preemption.preemptible() as sigterm:
        try:
            with distribution.lost_workers_named(strategy):
                return _train(config, workdir, strategy, sigterm)
        except ConnectionError as error:
            if sigterm.requested:  # outside of steps no worker waits for another that was told to stop, too
                raise preemption.Preempted from error
            raise


def _train(config, workdir, strategy, sigterm):
    chief = distribution.is_chief(strategy)
    check_config(config, workdir)
    check_memory(config, config.batch_size // strategy.num_replicas_in_sync)
    with distribution.chief_first(strategy):  # all may see one disk, where it cannot be done by several at once
        sources.prepare_photos(config)
    splits = _load(config, cache=pathlib.Path(workdir) / "photos" if chief else None)
    distribution.check_agreement(strategy, config_facts(config) | {"photos": photo_facts(splits)})
    inception = gan_figures.build_inception(config)
    with workdir_lock.output(workdir, chief) as output:  # not before: what cannot be trained must not bind it
        check_config(config, output)  # again, as another run may have begun it while the photos were read
        record_config(config, output)
        check_photos(splits, output)
        while True:
            try:
                return _attempt(config, workdir, output, strategy, chief, splits, inception, sigterm)
            except restarts.Collapsed as collapse:
                logging.warning("%s The run begins again with another seed.", collapse)
                if chief:
                    restarts.put_aside(workdir, restarts.attempt(config, workdir).seed, collapse)
                distribution.wait_for_all(strategy)  # or another worker would go on from what is put aside


def _load(config, cache):
    """Loads the photos, and refuses what could not be trained on or measured in the end."""
    splits = sources.load_photos(config, cache)
    if config.segmenter.supervised:
        labels.labelled_photos(splits)
    elif not len(splits.train):
        raise ValueError("every photo has a mask, so none is left to train on: photos with masks are for evaluation")
    if config.data.classes:
        labels.photo_classes(splits, config.data.classes)
    return splits


def _attempt(config, workdir, output, strategy, chief, splits, inception, sigterm):
    """Trains from the last checkpoint, if there is one, to the end, or to a collapse after which to begin again."""
    may_restart = len(restarts.history(workdir)) < config.monitoring.restarts
    config = restarts.attempt(config, workdir)
    with strategy.scope():
        segmenter = build.build_segmenter(config)
        gan = build.build_gan(config, segmenter)
    checkpointer = Checkpointer(workdir, gan, segmenter, saves=chief)
    if checkpointer.restore():
        logging.info("going on from step %d", checkpointer.gan_step.numpy())
    distribution.check_agreement(strategy, {"seed": config.seed, **checkpointer.position})
    loop = TrainingLoop(config, output, splits, strategy, gan, segmenter, checkpointer, sigterm, may_restart)
    loop.train(phases(config))
    return _report(config, output, gan, segmenter, splits, checkpointer, inception)


def evaluate(config, workdir):
    """Evaluates a run's segmenter and the baselines on the test pictures.

    Args:
        config: the ConfigDict that the run was begun with.
        workdir: the run's directory; metrics.json and the folder test are written there.

    Returns:
        dict, what metrics.json holds (see `report.write_report`): the run's "seed"; its "restarts", see
        `restarts.history`; "images_seen", real pictures seen
        by D, or by a supervised segmenter; "segmenter_steps"; "training_seconds"; "photos", how many each split has;
        "test". But for a supervised run also "synthetic", see `evaluation.evaluate_synthetic_masks`, "synthesis", see
        `gan_evaluation.evaluate_fid`, where `metrics.inception` names weights, and "clusters", see
        `evaluation.evaluate_clusters`, with the `data.classes` that they were held against, "classes_by"; both also
        where an earlier command asked for them and the GAN has not trained since.

    Raises:
        FileNotFoundError: if the run has no checkpoint.
        ValueError: if `metrics.inception` names a file that does not hold the weights, or another run is at work here.
    """
    inception = gan_figures.build_inception(config)
    gan, segmenter, checkpointer = restore_run(config, workdir)
    config = restarts.attempt(config, workdir)
    with workdir_lock.locked(workdir):
        splits = sources.load_photos(config, cache=pathlib.Path(workdir) / "photos")
        check_photos(splits, workdir)
        return _report(config, workdir, gan, segmenter, splits, checkpointer, inception)


def _report(config, workdir, gan, segmenter, splits, checkpointer, inception):
    state, supervised = checkpointer, config.segmenter.supervised
    run = {
        "seed": config.seed,
        "restarts": restarts.history(workdir),
        "images_seen": int(state.final_step if supervised else state.gan_step) * config.batch_size,
        "segmenter_steps": int(state.segmenter_step) + int(state.final_step),
        "training_seconds": round(float(state.seconds), 1),
        "photos": {name: len(getattr(splits, name)) for name in ("train", "validation", "test")},
    }
    if not supervised:  # else there is no GAN to look at
        run |= _earlier_figures(workdir, run) | _report_gan(config, workdir, gan, splits, inception)
    return write_report(workdir, segmenter.average_network, splits.test, run)


def _earlier_figures(workdir, run):
    """FID and NMI of this very GAN in metrics.json, which a command that does not ask for them must not cost."""
    file = pathlib.Path(workdir) / "metrics.json"
    try:
        earlier = read_record(file) if file.exists() else {}
    except ValueError as error:  # it is about to be written anew
        logging.warning("%s", error)
        return {}
    is_of_this_gan = all(earlier.get(name) == run[name] for name in ("seed", "restarts", "images_seen"))
    return {name: earlier[name] for name in ("synthesis", "clusters") if is_of_this_gan and name in earlier}


def _report_gan(config, workdir, gan, splits, inception):
    sample = sampling.build_sampler(config, sampling.SYNTHESIS_STREAM)
    run = {"synthetic": gan_figures.evaluate_synthetic_masks(gan, sample)}
    logging.info("the GAN's masks cover %(mask_mean).3f of a picture, give or take %(mask_spread).3f", run["synthetic"])
    if config.data.classes:
        classes = labels.photo_classes(splits, config.data.classes)
        clusters = gan_figures.evaluate_clusters(gan.discriminator, splits, classes)
        run["clusters"] = clusters | {"classes_by": config.data.classes}
        logging.info(
            "E_x's clusters: NMI (%(normalised_by)s) %(nmi).3f, by chance %(nmi_by_chance).3f, of %(photos)d photos",
            run["clusters"],
        )
    if inception is None:
        logging.info("no FID computed: metrics.inception names no weights (README.md says where they are)")
    else:
        run["synthesis"] = gan_figures.evaluate_fid(
            gan, sample, splits, inception, samples=config.metrics.fid_samples, cache=pathlib.Path(workdir) / "fid"
        )
        logging.info(_FID, run["synthesis"])
    return run
