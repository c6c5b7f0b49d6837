"""What there is to know of an exported segmenter, for its metadata and its model card."""

import tf_layered_gan

from .tflite.signatures import ANY_SIZE, FIXED_SIZE

NOT_STATED = "not stated"
CLASSES = ("background", "foreground")
SOURCES = {
    "folder": "a folder of photos",
    "shapes": "pictures that the program painted itself",
    "cub": "CUB-200-2011",
    "dogs": "Stanford Dogs",
    "cars": "Stanford Cars",
    "apc": "Amazon Picking Challenge",
}
_PREDICTED = "predicted by another segmenter"
_TEST_MASKS = {
    "folder": "from a folder",
    "shapes": "painted with the pictures",
    "cub": "given with the dataset",
    "dogs": _PREDICTED,
    "cars": _PREDICTED,
    "apc": "given with the dataset",
}


def run_facts(source, *, photos, supervised, rounds, images_seen, segmenter_steps, test_masks):
    """Says how a run was trained, but for anything that is private, such as paths and names.

    Args:
        source: a name of `SOURCES`.
        photos: dict from "train", "validation" and "test" to numbers of photos.
        supervised: whether the segmenter learnt from photos' masks.
        rounds: of GAN and segmenter, int.
        images_seen: real pictures seen by the discriminator, or by a supervised segmenter, int.
        segmenter_steps: int.
        test_masks: str, see `mask_facts`, or None where there are none.

    Returns:
        dict.
    """
    return {
        "data": SOURCES[source],
        "photos": photos,
        "learnt_from": "photos and their masks" if supervised else "photos without masks",
        "rounds": 0 if supervised else rounds,
        "images_seen": images_seen,
        "segmenter_steps": segmenter_steps,
        "test_masks": test_masks,
    }


def mask_facts(source, made=None):
    """Says where the masks of the test photos are from.

    Args:
        source: a name of `SOURCES`.
        made: str, how they were made, or None where nobody says.

    Returns:
        str.
    """
    made = made or (f"how they were made is {NOT_STATED}" if source == "folder" else None)
    return _TEST_MASKS[source] + (f" ({made})" if made else "")


def student_facts(settings):
    """Says how a student of a run was trained.

    Args:
        settings: `student.Student`.

    Returns:
        dict.
    """
    weights = {"pairs": settings.gamma_segmentation, "photos": settings.gamma_consistency}
    return {
        "network": settings.network,
        "width": settings.width,
        "steps": settings.steps,
        "learnt_from": " and ".join(f"the run's {name}" for name, weight in weights.items() if weight),
    }


def segmenter_facts(training, licence=None):
    """Says what is true of every format.

    Args:
        training: dict, see `run_facts`; of a student also "student", see `student_facts`.
        licence: str, or None where none is stated.
    """
    return {
        "program": "tf-layered-gan",
        "version": tf_layered_gan.__version__,
        "licence": licence or NOT_STATED,
        "classes": list(CLASSES),
        "training": training,
    }


def figure_facts(figures, keras_model):
    """Says how good a format is, rounded to what the test photos can tell.

    Args:
        figures: dict, of the format, see `verify.Reference.compare`.
        keras_model: dict, see `verify.Reference.figures`.
    """
    facts = {
        "iou_with_test_masks": figures["true_iou"],
        "keras_model_iou_with_test_masks": keras_model["true_iou"],
        "centred_disc_iou_with_test_masks": keras_model["centred_disc_true_iou"],
        "iou_with_keras_model": figures["iou"],
    }
    facts = {name: figure if figure is None else round(figure, 4) for name, figure in facts.items()}
    return {"test_photos": keras_model["pictures"]} | facts


def signature_facts(resolution, *, integer=False, batch=1):
    """Says what a format takes and gives.

    Args:
        resolution: R, pixels.
        integer: whether it is the full-int8 file.
        batch: how many pictures of its own size it takes in a call, or a word where that is open.

    Returns:
        dict from each signature's name to its "input" and "output".
    """
    picture = {"type": "uint8", "colour_order": "RGB", "range": [0, 255]}
    sizes = (f"the model's own, {resolution} x {resolution}", "any; resized inside")
    meaning = "probability of the foreground"
    probability = {"type": "float32", "range": [0, 1], "meaning": meaning}
    if integer:
        probability |= {"type": "uint8", "range": [0, 255], "meaning": f"{meaning} times 256"}
    above_half = "128 and more where it is above one half"
    mask = {"type": "uint8", "range": [0, 255], "meaning": f"{meaning} times 255, rounded; {above_half}"}
    shape = [batch, resolution, resolution]
    return {
        FIXED_SIZE: {
            "input": {"name": "pixels", "shape": [*shape, 3], **picture, "size": sizes[0]},
            "output": {"name": "probability", "shape": [*shape, 1], **probability},
        },
        ANY_SIZE: {
            "input": {"name": "picture", "shape": [1, "height", "width", 3], **picture, "size": sizes[1]},
            "output": {"name": "mask", "shape": [1, "height", "width", 1], **mask},
        },
    }
