import numpy as np
import pytest
from discs import RESOLUTION, grey, pixel_network

from export.verify import agreement, reference, true_iou
from tf_layered_gan.data.photos import Photos


def test_agreement_by_hand():
    # Of four pictures the Keras model calls the last three foreground, the other model the first two. Intersection 1
    # of 4 pictures, union 4 of 4: IoU 0.25. They differ most at the first, by 0.9 - 0.3.
    pixel = np.ones((1, RESOLUTION, RESOLUTION, 1))
    expected, actual = (np.reshape(p, (4, 1, 1, 1)) * pixel for p in ([0.3, 0.8, 0.6, 0.6], [0.9, 0.9, 0.1, 0.1]))
    figures = agreement(expected, actual)
    assert figures["iou"] == 0.25 and figures["max_difference"] == pytest.approx(0.6)


def test_agreement_of_empty_masks_is_one():
    answers = np.zeros((1, RESOLUTION, RESOLUTION, 1))
    assert agreement(answers, answers)["iou"] == 1.0


@pytest.mark.parametrize("answers", [np.full((1, 32, 32, 1), np.nan), np.zeros((1, 32, 32))])
def test_agreement_refuses_what_is_no_probability(answers):
    with pytest.raises(ValueError, match="finite probabilities"):
        agreement(np.zeros((1, 32, 32, 1)), answers)


def test_what_is_lost_on_true_masks_by_hand():
    # True masks: the first picture of two. The Keras model finds it alone, IoU 1; the other both, IoU 1 / 2.
    masks = np.zeros((2, RESOLUTION, RESOLUTION), "uint8")
    masks[0] = 1
    keras_model = reference(pixel_network([1.0, 0.0, 0.0]), Photos(grey(255, 0), masks, ("a", "b")))
    figures = keras_model.compare(lambda pixels: np.ones((2, RESOLUTION, RESOLUTION, 1)))
    assert (figures["iou"], figures["true_iou"], figures["true_iou_loss"]) == (0.5, 0.5, 0.5)
    assert keras_model.figures()["true_iou"] == 1 and keras_model.figures()["foreground"] == 0.5
    assert true_iou(np.ones((2, RESOLUTION, RESOLUTION, 1), bool), None) is None
