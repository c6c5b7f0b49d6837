"""Tests of the photos of a folder that go to training, validation and test."""

from folder_photos import SIZES, save, save_mask

from tf_layered_gan.data.folder import reading


def test_holdout_is_evenly_spaced_and_its_neighbours_close_up(photos):
    for name in "abc":
        (photos / f"{name}.png").unlink()
    for number in range(40):
        save(photos / f"{number:02}.png", (number, 0, 0))
    splits = reading.load(photos, **SIZES)
    assert splits.train.images.shape == (36, 6, 6, 3)
    assert splits.validation.images.shape == splits.test.images.shape == (2, 4, 4, 3)
    # A tenth of the 40 photos is held out: the middle photo of each of four groups of ten.
    assert splits.validation.names == ("05.png", "25.png") and splits.test.names == ("15.png", "35.png")
    assert splits.validation.images[:, 0, 0, 0].tolist() == [5, 25]
    assert splits.train.images[:, 0, 0, 0].tolist() == [n for n in range(40) if n not in (5, 15, 25, 35)]
    assert splits.train.names == tuple(f"{n:02}.png" for n in range(40) if n not in (5, 15, 25, 35))
    assert splits.validation.masks is None and splits.test.masks is None


def test_holdout_bounds_a_tenth(photos):
    for number in range(60):
        save(photos / f"{number:02}.png")
    splits = reading.load(photos, holdout=4, **SIZES)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (59, 2, 2)


def test_of_many_photos_some_are_chosen_evenly_and_all_with_masks(photos, masks, warnings):
    for number in range(9):
        save(photos / f"z{number}.png")
    splits = reading.load(photos, masks=masks, most_photos=4, **SIZES)
    # The photos are a to c and z0 to z8. They form 4 groups of 3 photos, and the middle photo of each group is chosen.
    assert splits.train.names == ("b.png", "z1.png", "z4.png", "z7.png")
    assert splits.validation.names + splits.test.names == ("d.png", "f.png", "e.png")
    (line,) = warnings
    assert line.startswith("8 of 12 photos are left out, because data.most_photos is smaller")


def test_photos_with_masks_go_to_validation_and_test_in_turn(photos, masks):
    splits = reading.load(photos, masks=masks, **SIZES)
    assert splits.train.names == ("a.png", "b.png", "c.png") and splits.train.masks is None
    assert splits.validation.names == ("d.png", "f.png") and splits.test.names == ("e.png",)
    assert splits.validation.images[:, 0, 0, 0].tolist() == [ord("d"), ord("f")]
    assert splits.test.masks.tolist() == [[[1, 1, 0, 0]] * 4]


def test_all_photos_may_have_masks(photos, masks):
    for name in "abc":
        save_mask(masks / f"{name}.png", [[255] * 8] * 8)
    splits = reading.load(photos, masks=masks, **SIZES)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (0, 3, 3)
