"""Passes over photos: a segmenter learns masks that were made for the photos themselves. Not in the paper.

Pass 0, the bootstrap, comes before the GAN: its segmenter learns the masks that GrabCut finds. The other passes come
last, because a segmenter forgets photos when it learns pairs again. Each pass sharpens the masks of the earlier
segmenters by the colours of each photo. Then a copy of the last segmenter learns the sharpened masks.

No pass looks at a true mask. The segmenters with the highest steadiness teach the first pass. Steadiness is the mean
intersection over union of their masks and the same masks sharpened, on the validation photos. Poor masks cross the
edges of objects, so sharpening changes them more.

WORKDIR/passes/NUMBER holds the checkpoints of a pass, its labels (labels.npz) and, once it has ended, its record
(pass.json):

    pass          its number
    labels        "rectangle", GrabCut's masks, or "colour", sharpened masks
    photos        how many photos it learned from. If there were too few, this is 0, and the pass has no segmenter
    left_out      how many were left out, see `labels.plausible`
    agreement     bootstrap: mean intersection over union of its masks and GrabCut's, on the validation photos
    trusted       bootstrap: whether the agreement is high enough for the GAN to use its segmenter
    change        other passes: the same mean, of its masks and the masks before the pass
"""

import pathlib
from typing import Any

import cv2
import keras
import numpy as np
from absl import logging

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
from tf_layered_gan.training.phases import photo_phase
from tf_layered_gan.training.run import Run

_TRUSTED = 0.5  # least agreement with GrabCut: below it, colours do not tell objects from backgrounds
_SETTLED = 0.97  # if two consecutive passes agree this much, another pass would change nothing
_FEWEST = 8  # least number of photos that a segmenter can learn from


def bootstrap(run: Run) -> None:
    """Round 0: trains a segmenter on GrabCut's masks.

    If it is trusted, the GAN uses it from its first step on, or there is no GAN, see `Run.rounds`.
    """
    network, record = _take_pass(run, 0, [])
    if record["trusted"]:
        run.background_judge = network
        if not run.rounds:
            logging.info("GrabCut finds the objects (agreement %(agreement).2f), so no GAN is trained", record)
            run.checkpointer.save()  # other commands restore the models of a run even if they are not trained
    elif network is not None:
        logging.warning("GrabCut does not find the objects (agreement %(agreement).2f); the GAN does without", record)


def refine(run: Run) -> None:
    """Runs the passes after the GAN, until two consecutive ones agree."""
    passes.discard_stale(run.workdir, run.checkpointer.position)
    teachers = _first_teachers(run) if run.config.refine.passes else []
    for number in range(1, run.config.refine.passes + 1):
        network, record = _take_pass(run, number, teachers)
        if network is None or record["change"] >= _SETTLED:
            return
        teachers = [network]


def _first_teachers(run: Run) -> list[keras.Model]:
    """Returns the steadiest choice: the segmenter that learned pairs, that of a trusted bootstrap, or both together."""
    pairs, bootstrapped = run.segmenter.average_network, run.background_judge
    if bootstrapped is None:
        return [pairs]
    if not run.rounds:
        return [bootstrapped]
    candidates = {"pairs": [pairs], "bootstrap": [bootstrapped], "both": [pairs, bootstrapped]}
    steadiness = {name: _steadiness(run, networks) for name, networks in candidates.items()}
    chosen = max(candidates, key=steadiness.__getitem__)
    found = ", ".join(f"{name} {value:.3f}" for name, value in steadiness.items())
    logging.info("pass 1 learns from: %s (steadiness: %s)", chosen, found)
    return candidates[chosen]


def _steadiness(run: Run, networks: list[keras.Model]) -> float:
    """Returns the mean intersection over union of the networks' masks and the same masks sharpened."""
    images = run.splits.validation.images
    probabilities = _probabilities(networks, images)
    sharpened = labels.sharpen_masks(images, probabilities)
    return float(labels.agreements(probabilities > THRESHOLD, sharpened).mean())


def _take_pass(run: Run, number: int, teachers: list[keras.Model]) -> tuple[keras.Model | None, dict[str, Any]]:
    """Trains the segmenter of a pass, from its last checkpoint if there is one; returns it and the pass's record."""
    folder, name = passes.folder(run.workdir, number), f"pass {number}" if number else "bootstrap"
    with run.strategy.scope():
        segmenter = build.build_photo_segmenter(run.config, number)
    for network in (segmenter.network, segmenter.average_network) if teachers else ():
        network.set_weights(teachers[-1].get_weights())  # with new weights, the passes lost more than they gained
    checkpointer = Checkpointer(folder, None, segmenter)
    checkpointer.restore()
    if not (folder / "pass.json").exists():
        photos, left_out = _labelled_photos(run, folder, teachers)
        kind = "colour" if teachers else "rectangle"
        facts = {"pass": number, "labels": kind, "photos": len(photos), "left_out": left_out}
        if len(photos) < _FEWEST:
            offered = len(photos) + left_out
            logging.warning("%s: only %d of %d photos have a mask to learn from; left out", name, len(photos), offered)
            facts |= {"photos": 0, "trusted": False}
        else:
            _train(run, folder, name, photos, segmenter, checkpointer)
            facts |= _agreements(run, segmenter.average_network, teachers)
        write_record(folder / "pass.json", facts)
    record = read_record(folder / "pass.json")
    return segmenter.average_network if record["photos"] else None, record


def _train(
    run: Run, folder: pathlib.Path, name: str, photos: Photos, segmenter: Segmenter, checkpointer: Checkpointer
) -> None:
    splits = Splits(photos, run.splits.validation, run.splits.test)
    inner = Run(run.config, folder, splits, run.strategy, run.gan, segmenter, checkpointer, run.sigterm)
    for attempt in inner.attempts():
        with attempt:
            attempt.take(photo_phase(attempt, name))
            break
    run.validate(name, segmenter.average_network)


def _agreements(run: Run, network: keras.Model, teachers: list[keras.Model]) -> dict[str, Any]:
    if teachers:
        return {"change": _mean_agreement(run, [network], teachers)}
    images = run.splits.validation.images
    masks = labels.find_masks(images)
    agreement = float(labels.agreements(_masks([network], images), masks).mean())
    return {"agreement": agreement, "trusted": agreement >= _TRUSTED}


def _mean_agreement(run: Run, networks: list[keras.Model], others: list[keras.Model]) -> float:
    """Returns the mean intersection over union of two masks of each validation photo."""
    images = run.splits.validation.images
    return float(labels.agreements(_masks(networks, images), _masks(others, images)).mean())


def _labelled_photos(run: Run, folder: pathlib.Path, teachers: list[keras.Model]) -> tuple[Photos, int]:
    """Returns the photos of a pass with their masks, and how many were left out. The masks are made once and stored."""
    train, refine, file = run.splits.train, run.config.refine, folder / "labels.npz"
    photos = labels.evenly_chosen(train, refine.photos, rejected_photos(refine.rejected, train.names))
    if not file.exists():
        logging.info("pass %s: making masks of %d photos", folder.name, len(photos))
        if teachers:
            probabilities = _probabilities(teachers, photos.images)
            masks, rough = labels.sharpen_masks(photos.images, probabilities), probabilities > THRESHOLD
        else:
            masks, rough = labels.find_masks(photos.images), None
        chosen = labels.plausible(masks, rough, run.config.refine.mask_size)
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            np.savez_compressed(temporary, masks=np.packbits(masks, axis=-1), chosen=chosen)
    with np.load(file) as kept:
        masks, chosen = np.unpackbits(kept["masks"], axis=-1, count=photos.images.shape[2]).astype(bool), kept["chosen"]
    return labels.with_masks(photos, masks, chosen), int((~chosen).sum())


def _probabilities(networks: list[keras.Model], images: np.ndarray) -> np.ndarray:
    """Returns the mean probabilities of some networks on the photos and their mirror images, at the photos' size."""
    size, width = networks[0].input_shape[1], images.shape[1]
    small = np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images])
    answers = np.mean([_mirrored_mean(network, small) for network in networks], axis=0)
    return np.stack([cv2.resize(answer, (width, width), interpolation=cv2.INTER_LINEAR) for answer in answers])


def _mirrored_mean(network: keras.Model, images: np.ndarray) -> np.ndarray:
    mirrored = predict_probabilities(network, images[:, :, ::-1])[:, :, ::-1]
    return (predict_probabilities(network, images) + mirrored) / 2


def _masks(networks: list[keras.Model], images: np.ndarray) -> np.ndarray:
    return _probabilities(networks, images) > THRESHOLD
