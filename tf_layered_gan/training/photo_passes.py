"""Passes over photos: a segmenter learns masks that were made for the photos themselves.

These passes are not in the paper. Pass 0, the bootstrap, comes before the GAN. Its segmenter learns masks from
GrabCut, or from a labeller if the config names one (see `labeller.mask_finder`). In a run with a labeller, the labeller
replaces GrabCut everywhere in this module.

The other passes come after the GAN, because a segmenter forgets what it learned from photos if it then learns from
pairs. Each of these passes has teachers: one or two earlier segmenters. The pass predicts masks with its teachers, and
uses the colours of each photo to sharpen its mask. Then a copy of the last teacher learns the sharpened masks.

No pass uses a true mask. The teachers of the first pass are the segmenters with the highest steadiness. Steadiness is
the mean IoU (intersection over union) between the predicted and the sharpened masks of the validation photos.
Sharpening changes poor masks more than good masks, because poor masks cross the edges of objects.

If the bootstrap is trusted, GrabCut decides whether a pass is kept. GrabCut makes different errors in each photo, so
the better of two segmenters usually agrees more with GrabCut. A pass is not kept if its segmenter agrees less with
GrabCut than the teachers do, and if the difference is large enough. The difference must be more than 0.02, and more
than two standard errors of the mean over the photos. Steadiness cannot decide whether a pass is kept, because each pass
makes all masks steadier, even wrong masks. A pass with two teachers is always kept, because otherwise the run would
need both teachers.

WORKDIR/passes/NUMBER holds the checkpoints of a pass and its labels (labels.npz). When the pass has ended, the folder
also holds the pass's record (pass.json):

    pass          its number
    labels        "rectangle": masks from GrabCut; "labeller": masks from a labeller; "colour": sharpened masks
    photos        number of photos that the segmenter learned from; 0 if there were too few to train a segmenter
    left_out      number of photos that were left out, see `labels.plausible`
    seconds       time for making the masks and for the training steps
    agreement     mean IoU of the segmenter's masks with GrabCut's masks, on the validation photos
    trusted       bootstrap: whether the agreement is high enough for the GAN to use the segmenter
    teachers      other passes: the names of the teachers
    change        other passes: mean IoU of the segmenter's masks with the teachers' masks
    kept          other passes, after a trusted bootstrap: whether the pass is kept
"""

import pathlib
import time
from typing import Any

import cv2
import keras
import numpy as np
from absl import logging
from ml_collections import ConfigDict

from edge_segmenter.files.atomic import replacing
from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.evaluation.segmentation import THRESHOLD, predict_probabilities
from tf_layered_gan.files.records import read_record, write_record
from tf_layered_gan.labelling import labels
from tf_layered_gan.labelling.rejected import rejected_photos
from tf_layered_gan.models import build
from tf_layered_gan.models.segmenter import Segmenter
from tf_layered_gan.runs import passes
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.training import labeller
from tf_layered_gan.training.phases import photo_phase
from tf_layered_gan.training.run import Run

Teachers = dict[str, keras.Model]  # from a name, such as "bootstrap", "pairs" or "pass 1", to a segmenter

# Least agreement of a trusted bootstrap with GrabCut. If the agreement is lower, colours do not separate the objects
# from the backgrounds.
_TRUSTED = 0.5
_SETTLED = 0.97  # if two passes in a row agree at least this much, another pass would change little
_STANDARD_ERRORS = 2  # a mean difference below this many standard errors may be chance
# A smaller fall of the agreement is ignored. For example, a pass on cars raised the IoU, although its agreement fell by
# 0.013, see benchmarks/README.md.
_FALL = 0.02
_FEWEST = 8  # a segmenter cannot learn from fewer photos


def bootstrap(run: Run) -> None:
    """Round 0: trains a segmenter on the masks of GrabCut or of a labeller.

    If this segmenter is trusted, the GAN uses it from the first step on, or no GAN is trained (see `Run.rounds`).
    """
    network, record = _take_pass(run, 0, {})
    finder = labeller.name_of(run.config)
    if record["trusted"]:
        run.background_judge = network
        if not run.rounds:
            logging.info("%s finds the objects (agreement %.2f), so no GAN is trained", finder, record["agreement"])
            run.checkpointer.save()  # other commands need a checkpoint, even of an untrained GAN
    elif network is not None:
        logging.warning(
            "%s does not find the objects (agreement %.2f), so the GAN trains without the bootstrap",
            finder,
            record["agreement"],
        )


def refine(run: Run) -> None:
    """Runs the passes over photos that follow the GAN.

    Stops when the masks of a pass hardly differ from the masks of its teachers, when a pass is not kept, or when a pass
    has too few photos.
    """
    passes.discard_stale(run.workdir, run.checkpointer.position)
    teachers = _first_teachers(run) if run.config.refine.passes else {}
    for number in range(1, run.config.refine.passes + 1):
        network, record = _take_pass(run, number, teachers)
        if network is None or record["change"] >= _SETTLED or not record.get("kept", True):
            return
        teachers = {f"pass {number}": network}


def _first_teachers(run: Run) -> Teachers:
    """Returns the teachers with the steadiest masks.

    The candidates are the segmenter that learned from pairs, the segmenter of a trusted bootstrap, or both together.
    """
    pairs, bootstrapped = {"pairs": run.segmenter.average_network}, {"bootstrap": run.background_judge}
    if run.background_judge is None:
        return pairs
    if not run.rounds:
        return bootstrapped
    candidates = [pairs, bootstrapped, pairs | bootstrapped]
    steadiness = [_steadiness(run, teachers) for teachers in candidates]
    for teachers, value in zip(candidates, steadiness, strict=True):
        logging.info("steadiness of the masks of %s: %.3f", " and ".join(teachers), value)
    return candidates[int(np.argmax(steadiness))]


def _steadiness(run: Run, teachers: Teachers) -> float:
    """Returns the mean IoU between the teachers' masks and the sharpened masks."""
    images = run.splits.validation.images
    probabilities = _probabilities(teachers, images)
    sharpened = labels.sharpen_masks(images, probabilities)
    return float(labels.agreements(probabilities > THRESHOLD, sharpened).mean())


def _take_pass(run: Run, number: int, teachers: Teachers) -> tuple[keras.Model | None, dict[str, Any]]:
    """Trains the segmenter of a pass, from its last checkpoint if there is one.

    Returns:
        (network, record): the averaged network and the content of pass.json. The network is None if there were too few
        photos.
    """
    folder, name = passes.folder(run.workdir, number), passes.pass_name(number)
    with run.strategy.scope():
        segmenter = build.build_photo_segmenter(run.config, number)
    checkpointer = Checkpointer(folder, None, segmenter)
    restored = checkpointer.restore()
    if not (folder / "pass.json").exists():
        if not restored:
            _initialise(run.config, segmenter, teachers)
        photos, left_out, seconds = _labelled_photos(run, folder, teachers)
        kind = "colour" if teachers else "rectangle" if run.config.refine.labeller is None else "labeller"
        facts = {"pass": number, "labels": kind, "photos": len(photos), "left_out": left_out}
        facts |= {"teachers": list(teachers)} if teachers else {}
        if len(photos) < _FEWEST:
            offered = len(photos) + left_out
            message = "%s: only %d of %d photos have a mask to learn from, so the pass is left out"
            logging.warning(message, name, len(photos), offered)
            facts |= {"photos": 0, "trusted": False}
        else:
            _train(run, folder, name, photos, segmenter, checkpointer)
            facts |= _agreements(run, {name: segmenter.average_network}, teachers)
        facts["seconds"] = seconds + float(checkpointer.seconds)
        write_record(folder / "pass.json", facts)
    record = read_record(folder / "pass.json")
    return segmenter.average_network if record["photos"] else None, record


def _initialise(config: ConfigDict, segmenter: Segmenter, teachers: Teachers) -> None:
    """Sets the initial weights of a pass.

    A pass with teachers begins with the weights of its last teacher. In measurements, the IoU fell after passes that
    began with new weights. The bootstrap begins with new weights, or with a pretrained encoder if the config names one.
    """
    if not teachers:
        build.load_encoder(config, segmenter)
        return
    for network in (segmenter.network, segmenter.average_network):
        network.set_weights(list(teachers.values())[-1].get_weights())


def _train(
    run: Run, folder: pathlib.Path, name: str, photos: Photos, segmenter: Segmenter, checkpointer: Checkpointer
) -> None:
    splits = Splits(photos, run.splits.validation, run.splits.test)
    inner = Run(run.config, folder, splits, run.strategy, run.gan, segmenter, checkpointer, run.sigterm, plan=run.plan)
    for attempt in inner.attempts():
        with attempt:
            attempt.take(photo_phase(attempt, name))
            break
    run.validate(name, segmenter.average_network)


def _agreements(run: Run, learner: Teachers, teachers: Teachers) -> dict[str, Any]:
    """Compares the masks of a pass with the masks of its teachers and of GrabCut, on the validation photos."""
    (name,), images = learner, run.splits.validation.images
    learned = _masks(learner, images)
    if not teachers:
        agreement = float(labels.agreements(learned, run.found_masks).mean())
        return {"agreement": agreement, "trusted": agreement >= _TRUSTED}
    taught = _masks(teachers, images)
    facts: dict[str, Any] = {"change": float(labels.agreements(learned, taught).mean())}
    if run.background_judge is None:
        return facts
    before, after = (labels.agreements(masks, run.found_masks) for masks in (taught, learned))
    several = len(teachers) > 1  # without the pass, the run would need all teachers of the pass
    kept = several or not _falls(before, after)
    if not kept:
        finder = labeller.name_of(run.config)
        logging.info("%s is not kept: its masks agree less with %s than the masks of its teachers do", name, finder)
    return facts | {"agreement": float(after.mean()), "kept": kept}


def _falls(before: np.ndarray, after: np.ndarray) -> bool:
    """Returns whether the agreement of a pass has fallen so much that the pass is not kept.

    Args:
        before: the teachers' agreement with GrabCut, float [photo].
        after: the agreement of the pass with GrabCut, float [photo].
    """
    fall = before - after
    return bool(fall.mean() > max(_FALL, _STANDARD_ERRORS * fall.std() / len(fall) ** 0.5))


def _labelled_photos(run: Run, folder: pathlib.Path, teachers: Teachers) -> tuple[Photos, int, float]:
    """Makes the masks of a pass, or reads them if an earlier start of the run has made them.

    Returns:
        (photos, left_out, seconds): the photos with their masks, the number of photos that were left out, and the
        seconds that it took to make the masks.
    """
    train, refine, file = run.splits.train, run.config.refine, folder / "labels.npz"
    photos = labels.evenly_chosen(train, refine.photos, rejected_photos(refine.rejected, train.names))
    if not file.exists():
        logging.info("pass %s: making masks of %d photos", folder.name, len(photos))
        started = time.time()
        if teachers:
            probabilities = _probabilities(teachers, photos.images)
            found = None if run.background_judge is None else _bootstrap_masks(run, photos)
            masks, rough = labels.sharpen_masks(photos.images, probabilities, found), probabilities > THRESHOLD
        else:
            masks, rough = run.find_masks(photos.images), None
        chosen = labels.plausible(masks, rough, run.config.refine.mask_size)
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            packed = np.packbits(masks, axis=-1)
            names, seconds = np.array(photos.names), time.time() - started
            np.savez_compressed(temporary, names=names, masks=packed, chosen=chosen, seconds=seconds)
    with np.load(file) as kept:
        masks, chosen = _unpacked(kept["masks"], photos), kept["chosen"]
        seconds = float(kept["seconds"]) if "seconds" in kept else 0.0  # earlier versions wrote no seconds
    return labels.with_masks(photos, masks, chosen), int((~chosen).sum()), seconds


def _bootstrap_masks(run: Run, photos: Photos) -> np.ndarray:
    """Returns the masks of photos that `Run.find_masks` finds, with GrabCut or with the labeller.

    If the bootstrap had the same photos, its masks are read from its file, and are not made again.
    """
    with np.load(passes.folder(run.workdir, 0) / "labels.npz") as kept:
        if "names" in kept and tuple(kept["names"]) == photos.names:
            return _unpacked(kept["masks"], photos)
    return run.find_masks(photos.images)


def _unpacked(packed: np.ndarray, photos: Photos) -> np.ndarray:
    return np.unpackbits(packed, axis=-1, count=photos.images.shape[2]).astype(bool)


def _probabilities(teachers: Teachers, images: np.ndarray) -> np.ndarray:
    """Predicts foreground probabilities, averaged over the teachers, and over each photo and its mirror image.

    Returns:
        float32 [photo, width, width], at the size of the photos.
    """
    networks, width = list(teachers.values()), images.shape[1]
    size = networks[0].input_shape[1]
    small = np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images])
    answers = np.mean([_mirrored_mean(network, small) for network in networks], axis=0)
    return np.stack([cv2.resize(answer, (width, width), interpolation=cv2.INTER_LINEAR) for answer in answers])


def _mirrored_mean(network: keras.Model, images: np.ndarray) -> np.ndarray:
    mirrored = predict_probabilities(network, images[:, :, ::-1])[:, :, ::-1]
    return (predict_probabilities(network, images) + mirrored) / 2


def _masks(teachers: Teachers, images: np.ndarray) -> np.ndarray:
    return _probabilities(teachers, images) > THRESHOLD
