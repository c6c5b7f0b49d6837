"""The masks of a run's segmenter for photos, and the IoU and certainty of each mask, for the report."""

import dataclasses
from collections.abc import Iterable

import cv2
import keras
import numpy as np

from tf_layered_gan.data.photos import FOREGROUND, Photos, Splits
from tf_layered_gan.evaluation import gan_figures
from tf_layered_gan.evaluation.baselines import BASELINES, grabcut
from tf_layered_gan.evaluation.metrics.segmentation import confusion_matrices, foreground_iou
from tf_layered_gan.evaluation.segmentation import THRESHOLD, predict_probabilities
from tf_layered_gan.labelling.labels import agreements, evenly_chosen

_MOST_PHOTOS = 1_000  # if a split has more photos, this number of evenly spaced photos is used
_MOST_GRABCUT = 64
_BASELINE_PHOTOS = 6


@dataclasses.dataclass(frozen=True)
class Answers:
    """Photos with the segmenter's masks.

    Attributes:
        images: uint8 [photo, height, width, rgb].
        names: the photos' names.
        masks: bool [photo, height, width].
        certainties: float [photo] in [0, 1]. The mirrored photo is segmented too, and its mask is mirrored back. The
            certainty is the IoU of the two masks; 0 if the photo's mask is empty.
        truth: uint8 [photo, height, width], see `Photos`; or None.
        ious: float [photo], the IoU with the true mask; None without true masks.
        areas: float [photo], the fraction of the labelled pixels that the true mask covers. Without true masks, the
            fraction of all pixels that the predicted mask covers.
    """

    images: np.ndarray
    names: tuple[str, ...]
    masks: np.ndarray
    certainties: np.ndarray
    truth: np.ndarray | None
    ious: np.ndarray | None
    areas: np.ndarray


@dataclasses.dataclass(frozen=True)
class Measured:
    """The masks and metrics of a run's models for the report.

    If the run lacks a model or photos, the fields that need them are None or empty.

    Attributes:
        held_out: the test photos, at most 1,000.
        training: the training photos, at most 1,000, without their true masks.
        baselines: dict from a baseline's name to its masks of the photos in `baseline_photos`, bool [photo, height,
            width].
        baseline_photos: indices in `held_out` of the photos whose masks are in `baselines`.
        grabcut_agreement: the mean IoU of the segmenter's masks with GrabCut's masks, on at most 64 test photos.
        clusters: the most likely category of each photo in `training` according to E_x, int [photo].
    """

    held_out: Answers | None
    training: Answers | None
    baselines: dict[str, np.ndarray]
    baseline_photos: np.ndarray
    grabcut_agreement: float | None
    clusters: np.ndarray | None


NOTHING = Measured(None, None, {}, np.zeros(0, int), None, None)


def measure(network: keras.Model, splits: Splits, discriminator: keras.Model | None) -> Measured:
    """Measures a segmenter on the test photos, and segments the training photos.

    Args:
        network: maps images to logits, see `predict_probabilities`.
        splits: the photos.
        discriminator: D with a categorical E_x, or None.
    """
    held_out = _answers(network, splits.test) if len(splits.test) else None
    training = _answers(network, splits.train) if len(splits.train) else None
    places, agreement, baselines = np.zeros(0, int), None, dict[str, np.ndarray]()
    if held_out is not None:
        places = _evenly(len(held_out.images), _BASELINE_PHOTOS)
        baselines = {name: baseline(held_out.images[places]) for name, baseline in BASELINES.items()}
        few = _evenly(len(held_out.images), _MOST_GRABCUT)
        agreement = float(agreements(held_out.masks[few], grabcut(held_out.images[few])).mean())
    clusters = None
    if discriminator is not None and training is not None:
        clusters = gan_figures.photo_clusters(discriminator, [training.images])
    return Measured(held_out, training, baselines, places, agreement, clusters)


def order_by_doubt(answers: Answers) -> np.ndarray:
    """Returns the indices of the photos, sorted so that the least certain masks come first."""
    return np.argsort(answers.certainties, kind="stable")


def thirds_by_area(answers: Answers) -> Iterable[tuple[str, float]]:
    """Yields the mean IoU of the photos with small, medium and large objects. Yields nothing for fewer than 3
    photos."""
    if answers.ious is not None and len(answers.ious) >= 3:
        parts = np.array_split(np.argsort(answers.areas, kind="stable"), 3)
        for name, places in zip(("small", "medium-sized", "large"), parts, strict=True):
            yield name, float(answers.ious[places].mean())


def _evenly(count: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))


def _answers(network: keras.Model, photos: Photos) -> Answers:
    places = _evenly(len(photos), _MOST_PHOTOS)
    chosen, truth = evenly_chosen(photos, _MOST_PHOTOS), None if photos.masks is None else photos.masks[places]
    size = network.input_shape[1]
    images = chosen.images
    if images.shape[1] != size:  # training photos are larger than the input of the network
        images = np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images])
        truth = None
    masks = predict_probabilities(network, images) > THRESHOLD
    mirrored = predict_probabilities(network, images[:, :, ::-1])[:, :, ::-1] > THRESHOLD
    ious, areas = _against(truth, masks)
    return Answers(
        images,
        chosen.names,
        masks,
        agreements(masks, mirrored) * masks.any((1, 2)),
        truth,
        ious,
        areas,
    )


def _against(truth: np.ndarray | None, masks: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    if truth is None:
        return None, masks.mean((1, 2))
    confusions = confusion_matrices(masks, truth)
    labelled = np.maximum(confusions.sum((1, 2)), 1)
    return foreground_iou(confusions), confusions[:, FOREGROUND].sum(1) / labelled
