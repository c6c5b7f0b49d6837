"""The facts about an exported segmenter, for its metadata and its model card."""

from typing import Any

import tf_layered_gan
from tf_layered_gan.config.student import Student

from ..tflite.signatures import ANY_SIZE, FIXED_SIZE

NOT_STATED = "not stated"
CLASSES = ("background", "foreground")
SOURCES = {
    "folder": "a folder of photos",
    "shapes": "images of shapes that the program drew",
    "cub": "CUB-200-2011",
    "dogs": "Stanford Dogs",
    "cars": "Stanford Cars",
    "apc": "Amazon Picking Challenge",
}
_PREDICTED = "predicted by another segmenter"
_TEST_MASKS = {
    "folder": "from a folder",
    "shapes": "drawn with the images",
    "cub": "given with the dataset",
    "dogs": _PREDICTED,
    "cars": _PREDICTED,
    "apc": "given with the dataset",
}
_LABELLED = "photos, with masks that another segmenter predicted"


def run_facts(
    source: str,
    *,
    fit: str,
    photos: dict[str, int],
    supervised: bool,
    encoder: str,
    rounds: int,
    images_seen: int,
    segmenter_steps: int,
    passes: int,
    test_masks: str | None,
    labeller: bool = False,
) -> dict:
    """Describes the training of a run. Leaves out private facts such as paths and file names.

    Args:
        source: a key of `SOURCES`.
        fit: how photos became squares, see `edge_segmenter.fit`.
        photos: dict of the number of photos in "train", "validation" and "test".
        supervised: whether the segmenter learnt from the masks that the photos came with.
        labeller: whether a segmenter that was trained elsewhere made the masks for the bootstrap, see
            `training.labeller`.
        encoder: the segmenter's pretrained encoder, see the field `networks.encoder`.
        rounds: number of rounds of GAN and segmenter.
        images_seen: number of real images in all batches of the discriminator, or of the segmenter if it is supervised.
        segmenter_steps: number of training steps of the segmenter, without the steps in passes over photos.
        passes: number of passes over photos, including the bootstrap, see `training.photo_passes`.
        test_masks: the text from `mask_facts`, or None if there are no test masks.

    Returns:
        dict for `segmenter_facts`.
    """
    return {
        "data": SOURCES[source],
        "fit": fit,
        "photos": photos,
        "learnt_from": "photos and their masks" if supervised else _LABELLED if labeller else "photos without masks",
        "encoder": encoder,
        "rounds": 0 if supervised else rounds,
        "images_seen": images_seen,
        "segmenter_steps": segmenter_steps,
        "passes": passes,
        "test_masks": test_masks,
    }


def mask_facts(source: str, made: str | None = None) -> str:
    """Describes the origin of the test masks.

    Args:
        source: a key of `SOURCES`.
        made: how the masks were made, or None if this is not stated.
    """
    made = made or (f"how they were made is {NOT_STATED}" if source == "folder" else None)
    return _TEST_MASKS[source] + (f" ({made})" if made else "")


def student_facts(settings: Student) -> dict:
    """Describes the training of a student.

    Returns:
        dict. It is the entry "student" in the argument `training` of `segmenter_facts`.
    """
    weights = {"pairs": settings.gamma_segmentation, "photos": settings.gamma_consistency}
    return {
        "network": settings.network,
        "width": settings.width,
        "steps": settings.steps,
        "learnt_from": " and ".join(f"the run's {name}" for name, weight in weights.items() if weight),
    }


def segmenter_facts(training: dict, licence: str | None = None) -> dict:
    """Lists the facts that are the same for every format.

    Args:
        training: see `run_facts`. For a student, it also has the entry "student", see `student_facts`.
        licence: the model's licence, or None if it is not stated.
    """
    return {
        "program": "tf-layered-gan",
        "version": tf_layered_gan.__version__,
        "licence": licence or NOT_STATED,
        "classes": list(CLASSES),
        "training": training,
    }


def figure_facts(figures: dict, keras_model: dict) -> dict:
    """Lists the IoU values of a format on the test photos, rounded to four digits.

    Args:
        figures: the format's metrics, see `verify.Reference.compare`.
        keras_model: the Keras model's metrics, see `verify.Reference.figures`.
    """
    facts = {
        "iou_with_test_masks": figures["true_iou"],
        "keras_model_iou_with_test_masks": keras_model["true_iou"],
        "centred_disc_iou_with_test_masks": keras_model["centred_disc_true_iou"],
        "iou_with_keras_model": figures["iou"],
    }
    facts = {name: figure if figure is None else round(figure, 4) for name, figure in facts.items()}
    return {"test_photos": keras_model["pictures"]} | facts


def signature_facts(resolution: int, *, integer: bool = False, batch: int | str = 1) -> dict[str, dict[str, Any]]:
    """Describes the inputs and outputs of a format.

    Args:
        resolution: R, pixels.
        integer: whether the format is the full-int8 file.
        batch: number of images in a call of the signature "serving_default", or "batch" if any number is allowed.

    Returns:
        dict from a signature to a dict with "input" and "output".
    """
    image = {"type": "uint8", "colour_order": "RGB", "range": [0, 255]}
    own_size, any_size = f"the model's own, {resolution} x {resolution}", "any; the model resizes it"
    meaning = "probability of the foreground"
    probability = {"type": "float32", "range": [0, 1], "meaning": meaning}
    if integer:
        probability |= {"type": "uint8", "range": [0, 255], "meaning": f"{meaning} times 256"}
    above_half = "128 or more where it is above one half"
    mask = {"type": "uint8", "range": [0, 255], "meaning": f"{meaning} times 255, rounded; {above_half}"}
    shape = [batch, resolution, resolution]
    return {
        FIXED_SIZE: {
            "input": {"name": "pixels", "shape": [*shape, 3], **image, "size": own_size},
            "output": {"name": "probability", "shape": [*shape, 1], **probability},
        },
        ANY_SIZE: {
            "input": {"name": "picture", "shape": [1, "height", "width", 3], **image, "size": any_size},
            "output": {"name": "mask", "shape": [1, "height", "width", 1], **mask},
        },
    }
