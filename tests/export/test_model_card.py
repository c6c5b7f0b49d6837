import pytest

from edge_segmenter.fit import FITS
from export.documentation.facts import mask_facts, run_facts, segmenter_facts
from export.documentation.model_card import model_card

FIGURES = {"pictures": 423, "foreground": 0.2884, "true_iou": 0.6338, "centred_disc_true_iou": 0.6028}
FORMATS = {
    "saved_model": {"refused": None, "bytes": 3303253, "iou": 1.0, "true_iou": 0.6338, "true_iou_loss": -1e-9},
    "segmenter_int8.tflite": {
        "refused": "its IoU is 0.9814",
        "bytes": 641552,
        "iou": 0.9814,
        "true_iou": 0.6315,
        "true_iou_loss": 0.0023,
    },
    "segmenter_dynamic.tflite": {"refused": None, "bytes": 10, "fine_tuned": 2000, "iou": 0.5, "true_iou": 0.5},
    "segmenter_float16.tflite": {"refused": "TensorFlow cannot convert the model"},
}


def card(
    source="folder",
    supervised=False,
    licence=None,
    fit="crop",
    rounds=3,
    passes=0,
    encoder="none",
    labeller=False,
    **figures,
):
    counts = {"photos": {"train": 5140, "validation": 42, "test": 423}, "rounds": rounds, "passes": passes}
    counts |= {"test_masks": mask_facts(source), "encoder": encoder, "labeller": labeller}
    training = run_facts(source, fit=fit, supervised=supervised, images_seen=48000, segmenter_steps=600, **counts)
    result = {"keras_model": FIGURES | figures, "formats": FORMATS}
    return model_card(segmenter_facts(training, licence), 64, {"max_iou_loss": 0.02, "min_agreement": 0.9} | result)


def test_training():
    text = card(licence="CC0-1.0")
    assert "data: a folder of photos; 5,140 training photos" in text
    assert "rounds of GAN and segmenter: 3" in text and "real images seen in training: 48,000" in text
    assert "Licence: CC0-1.0." in text and "Licence: not stated." in card()


def test_a_pretrained_encoder_has_seen_labels():
    assert "its encoder (efficientnet_lite0) learnt from ImageNet's photos and labels" in card(
        encoder="efficientnet_lite0"
    )
    assert "encoder" not in card()


def test_table_has_every_format_with_its_outcome():
    lines = card().splitlines()
    assert "| saved_model | 3,303,253 | 1.0000 | 0.6338 | +0.0000 | written |" in lines
    assert "| segmenter_int8.tflite | 641,552 | 0.9814 | 0.6315 | -0.0023 | refused |" in lines
    assert "| segmenter_dynamic.tflite | 10 | 0.5000 | 0.5000 |  | written, tuned on 2,000 photos |" in lines
    assert "| segmenter_float16.tflite |  |  |  |  | refused |" in lines
    assert "if it loses more than 0.02 of IoU with the test masks" in card()
    assert "with the masks of the Keras model is below 0.9." in card()


def test_figures():
    text = card()
    words = " ".join(text.split())
    assert "with the test masks, from a folder (how they were made is not stated), is 0.6338" in words
    assert "A disc in the middle" in words and "0.6028" in words
    assert "with the test masks, predicted by another segmenter, is" in card(source="cars")
    assert "There are no test masks" in card(true_iou=None, centred_disc_true_iou=None)


def test_a_run_with_a_labeller_learnt_from_masks():
    text = card(rounds=0, passes=2, labeller=True)
    assert "learnt from photos, with masks that another segmenter predicted" in text
    assert "It learnt from masks, and repeats the mistakes in them." in text and "never saw a mask" not in text


def test_a_run_without_a_gan_learnt_from_masks_that_the_program_made():
    text = card(rounds=0, passes=3)
    assert "masks that the program made: 3" in text and "GrabCut found the object" in text
    assert "passes over" not in card() and "GrabCut" not in card()


@pytest.mark.parametrize("supervised", [False, True])
def test_learnt_with_or_without_masks(supervised):
    text = card(supervised=supervised)
    assert ("It never saw a mask" in text) != supervised
    assert ("It learnt from masks" in text) == supervised
    assert ("rounds of GAN" in text) != supervised


@pytest.mark.parametrize(
    "fit, square, resizing",
    [
        ("crop", "the central square of a photo", "resizes the longer side to 64 pixels"),
        ("squeeze", "a whole photo squeezed into a square", "resizes both sides to 64 pixels"),
        ("pad", "a whole photo, padded to a square", "resizes the longer side to 64 pixels"),
    ],
)
def test_fit(fit, square, resizing):
    words = " ".join(card(fit=fit).split())
    assert f"Each is {square}" in words and f"The model {resizing}" in words
    assert ("pixels along each side" in words) == (fit == "squeeze")


@pytest.mark.parametrize("fit", FITS)
def test_no_placeholder_is_left(fit):
    assert not set("{}") & set(card(fit=fit))
