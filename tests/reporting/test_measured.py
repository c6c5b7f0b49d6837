import numpy as np
import pytest
import reports
from edge_command import bright_network

from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.evaluation.baselines import BASELINES
from tf_layered_gan.reporting.measured import measure, order_by_doubt, thirds_by_area


@pytest.fixture(scope="module")
def measured():
    return reports.measured()


def test_each_test_photo_is_measured(measured):
    answers = measured.held_out
    assert answers.ious.tolist() == [0.5] * 4  # the object is half of the square
    assert answers.areas.tolist() == [4 * width / 256 for width in (3, 4, 5, 6)]
    assert answers.certainties.tolist() == [1.0] * 4  # the network looks at each pixel alone


def test_training_photos_are_resized_to_the_network(measured):
    assert measured.training.images.shape == (5, 16, 16, 3) and measured.training.ious is None
    assert measured.training.names[0] == reports.HOSTILE


def test_baselines_see_the_same_photos(measured):
    assert measured.baselines.keys() == BASELINES.keys()
    assert {masks.shape for masks in measured.baselines.values()} == {(4, 16, 16)}
    assert 0 <= measured.grabcut_agreement <= 1


def test_an_empty_mask_is_the_most_doubtful():
    black, square = np.zeros((1, 16, 16, 3), np.uint8), reports.photos(1).images
    test = Photos(np.concatenate([square, black]), None, ("square", "black"))
    answers = measure(bright_network(), Splits(test, test, test), None).held_out
    assert answers.certainties.tolist() == [1, 0] and order_by_doubt(answers).tolist() == [1, 0]


def test_objects_are_compared_by_size(measured):
    assert dict(thirds_by_area(measured.held_out)) == {"small": 0.5, "medium-sized": 0.5, "large": 0.5}


def test_no_photo_to_train_on_and_no_true_mask():
    measured = reports.measured(masks=False, training=0, test=1)
    assert measured.training is None and measured.held_out.ious is None
