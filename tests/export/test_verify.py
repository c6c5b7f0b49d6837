import numpy as np
import pytest
from discs import RESOLUTION, grey, pixel_network, unlabelled

from export.verify import Reference, loss_refusal, reference, signature_refusal
from tf_layered_gan.data.photos import Photos


def probabilities(*values):
    """Returns one map of probabilities for each value, filled with this value."""
    return np.ones((1, RESOLUTION, RESOLUTION), "float32") * np.reshape(values, (-1, 1, 1))


def test_figures_without_test_masks_by_hand():
    # There are four photos. The Keras model marks the last three, and the other model marks the first two. The
    # intersection is 1 photo and the union is 4 photos, so IoU is 0.25. The largest difference is 0.9 - 0.3, in the
    # first photo.
    figures = Reference(unlabelled(grey(0, 0, 0, 0)), probabilities(0.3, 0.8, 0.6, 0.6)).compare(
        probabilities(0.9, 0.9, 0.1, 0.1)
    )
    assert figures == {
        "iou": 0.25,
        "max_difference": pytest.approx(0.6),
        "true_iou": None,
        "true_iou_loss": None,
    }


def test_agreement_of_empty_masks_is_one():
    assert Reference(unlabelled(grey(0)), probabilities(0)).compare(probabilities(0))["iou"] == 1.0


def test_figures_with_test_masks_by_hand():
    # The test masks mark only the first of two photos. The Keras model marks the same photo, so its IoU is 1. The other
    # model marks both photos, so its IoU is 1 / 2.
    masks = np.zeros((2, RESOLUTION, RESOLUTION), "uint8")
    masks[0] = 1
    keras_model = reference(pixel_network([1.0, 0.0, 0.0]), Photos(grey(255, 0), masks, ("a", "b")))
    figures = keras_model.compare(probabilities(1, 1))
    assert (figures["iou"], figures["true_iou"], figures["true_iou_loss"]) == (0.5, 0.5, 0.5)
    assert keras_model.figures["true_iou"] == 1 and keras_model.figures["foreground"] == 0.5


@pytest.mark.parametrize(
    "iou, true_iou, keras_true_iou, max_iou_loss, reason",
    [
        (0.9, 0.495, 0.5, 0.01, None),  # true_iou is 0.005 below keras_true_iou
        (1.0, 0.48, 0.5, 0.01, "test masks is 0.4800, 0.02 below the IoU of the Keras model, allowed: 0.01"),
        (1.0, 0.49996, 0.5, 0, "test masks is 0.5000, 4e-05 below the IoU of the Keras model, allowed: 0"),
        # The masks differ from the Keras model's masks, but both have the same IoU with the test masks.
        (0.89999, 0.5, 0.5, 0.01, "Keras model's masks is 0.89999, allowed: 0.9 or more"),
        (0.8, 0.5, 0.5, 0.3, None),
        (0.98, None, None, 0.01, "Keras model's masks is 0.98, allowed: 0.99 or more"),
        (0.99, None, None, 0.01, None),
    ],
)
def test_allowed_loss(iou, true_iou, keras_true_iou, max_iou_loss, reason):
    refusal = loss_refusal({"iou": iou, "true_iou": true_iou}, keras_true_iou, max_iou_loss)
    assert refusal == (reason and f"its IoU with the {reason}")


def test_signatures_may_differ_by_one_step():
    masks = np.full((1, 2, 2), 100, "uint8")
    assert signature_refusal(masks, np.full((1, 2, 2), 100.9 / 255)) is None
    refusal = signature_refusal(masks, np.full((1, 2, 2), 103 / 255))
    assert refusal == "its signatures serving_default and any_size differ by 3 of 255 steps, allowed: 1"
