import numpy as np
import pytest

from tf_layered_gan.data import labels
from tf_layered_gan.data.labels import labelled_photos, photo_classes
from tf_layered_gan.data.photos import Photos, Splits


def photos(*names, label=None):
    """Returns photos with these names. If a label is given, the photos have masks, and every pixel has this label."""
    masks = None if label is None else np.full((len(names), 4, 4), label, np.uint8)
    return Photos(np.zeros((len(names), 4, 4, 3), np.uint8), masks, names)


def test_classes_are_those_of_training_validation_and_test_photos():
    splits = Splits(photos("a1", "b1", "b2"), photos("a2"), photos("b3"))
    assert photo_classes(splits, "^[ab]") == ["a", "b", "b", "a", "b"]


def test_refuses_a_name_without_a_class():
    with pytest.raises(ValueError, match="finds no class in the name 'x'"):
        photo_classes(Splits(photos("a1"), photos("x"), photos("b3")), "[ab]")


def test_refuses_a_pattern_that_takes_too_long(monkeypatch):
    monkeypatch.setattr(labels, "_MATCHING_SECONDS", 0.2)
    slow = photos("a" * 40)  # (a+)+ can match this name in 2**39 ways
    message = r"data.classes is '\(a\+\)\+b', allowed: a pattern that needs at most 0.2 seconds for"
    with pytest.raises(ValueError, match=message):
        photo_classes(Splits(slow, slow, slow), "(a+)+b")


@pytest.mark.parametrize("label, expected", [(None, "validation"), (1, "train")])
def test_labelled_photos_are_the_training_photos_if_they_have_masks(label, expected):
    splits = Splits(photos("train", label=label), photos("validation", label=1), photos("test", label=1))
    assert labelled_photos(splits).names == (expected,)


@pytest.mark.parametrize(
    "label, message", [(None, "no photo has a true mask"), (255, "no pixel of the true masks has a label")]
)
def test_refuses_photos_without_labels_to_learn_from(label, message):
    same = photos("a", label=label)
    with pytest.raises(ValueError, match=message):
        labelled_photos(Splits(same, same, same))
