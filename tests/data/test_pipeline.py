import itertools

import numpy as np
import pytest
import tensorflow as tf

from tf_layered_gan.data.photos import FOREGROUND, UNLABELLED, Photos
from tf_layered_gan.data.pipeline import Share, photo_batch

PLAIN = {"resolution": 2, "crop_scale": (1.0, 1.0), "flip": False}
AUGMENTED = {"resolution": 3, "crop_scale": (0.5, 1.0), "flip": True}


def numbered(count):
    """Returns photos. Photo i is grey with the value i."""
    greys = np.arange(count, dtype=np.uint8)[:, None, None, None]
    return Photos(np.tile(greys, (1, 2, 2, 3)), None, tuple(map(str, range(count))))


def noise(count=5, width=4):
    values = np.random.default_rng(0).integers(0, 256, (count, width, width, 3), np.uint8)
    return Photos(values, None, tuple(map(str, range(count))))


def function(photos, share=None, **settings):
    """Returns a function that takes the number of a step and returns the batch of this step."""
    settings = {"batch_size": 4, "seed": (7, 9)} | settings
    batch, share = photo_batch(photos, **settings), share or Share(0, settings["batch_size"])
    return lambda step: batch(step, share)


def batches(photos, **settings):
    return tf.data.Dataset.counter().map(function(photos, **settings))


def elements(photos, count, first_step=0, **settings):
    """Returns the batches of the given steps.

    The batches are computed without a graph, because tracing would take longer.
    """
    batch = function(photos, **settings)
    steps = tf.range(first_step, first_step + count, dtype=tf.int64)
    return [{name: values.numpy() for name, values in batch(step).items()} for step in steps]


def order(photos, count, **settings):
    """Returns the numbers of the photos in the order of the batches."""
    dataset = batches(photos, **PLAIN | settings).take(count).as_numpy_iterator()
    images = np.concatenate([element["image"] for element in dataset])
    return np.round((images[:, 0, 0, 0] + 1) * 127.5).astype(int).tolist()


def test_a_dataset_gives_the_same_with_a_static_batch():
    dataset = batches(noise(), **AUGMENTED)
    assert dataset.element_spec == {"image": tf.TensorSpec([4, 3, 3, 3], tf.float32)}
    for one, other in zip(dataset.take(2), elements(noise(), 2, **AUGMENTED), strict=True):
        np.testing.assert_allclose(one["image"], other["image"], atol=1e-6)


def test_pixels_become_minus_one_to_one():
    images = np.array([0, 255], np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    result = elements(Photos(images, None, ("black", "white")), 1, batch_size=2, **PLAIN)[0]["image"]
    assert sorted(result[:, 0, 0, 0]) == [-1, 1]


@pytest.mark.parametrize("settings", [PLAIN, AUGMENTED], ids=["plain", "augmented"])
def test_resumes_exactly(settings):
    whole, resumed = elements(noise(), 6, **settings)[5], elements(noise(), 3, first_step=3, **settings)[2]
    np.testing.assert_array_equal(whole["image"], resumed["image"])


@pytest.mark.parametrize("count", [1, 2, 10, 23])
def test_every_epoch_has_each_photo_once(count):
    # An epoch has `count` photos, so `count` batches of 4 photos are 4 epochs. With 10 and 23 photos, some epochs begin
    # in the middle of a batch. With 1 and 2 photos, a batch is longer than an epoch.
    epochs = np.reshape(order(numbered(count), count), [4, count])
    np.testing.assert_array_equal(np.sort(epochs), np.tile(np.arange(count), (4, 1)))


def test_epochs_do_not_repeat_after_256():
    # RandomIndexShuffle uses only the low 8 bits of its seeds.
    numbers = np.reshape(order(numbered(20), 300, batch_size=20), [300, 20])
    assert len({tuple(epoch) for epoch in numbers}) == 300


def test_another_seed_is_another_order():
    orders = [order(numbered(20), 5, seed=seed) for seed in ((7, 9), (7, 10), (7 + 256, 9), 7)]
    assert len(set(map(tuple, orders))) == len(orders)


def test_a_photo_looks_different_every_time():
    images = np.concatenate([e["image"] for e in elements(noise(count=1), 2, batch_size=2, **AUGMENTED)])
    assert min(abs(a - b).max() for a, b in itertools.combinations(images, 2)) > 0.01


def test_masks_are_flipped_and_cropped_like_their_photos():
    images = noise().images[..., :1].repeat(3, axis=-1) // 128 * 255  # black and white, and masks cover white pixels
    photos = Photos(images, images[..., 0] // 255, tuple("abcde"))
    for element in elements(photos, 3, **AUGMENTED):
        assert element["mask"].shape == (4, 3, 3, 1)
        np.testing.assert_allclose(element["mask"][..., 0], (element["image"][..., 0] + 1) / 2, atol=1e-6)
        assert 0 < element["mask"].mean() < 1
        np.testing.assert_allclose(element["labelled"], 1, atol=1e-6)


def test_unlabelled_pixels_are_flipped_and_cropped_like_their_photos():
    images = noise().images[..., :1].repeat(3, axis=-1) // 128 * 255  # black and white, and white pixels are unlabelled
    photos = Photos(images, np.where(images[..., 0] == 255, UNLABELLED, FOREGROUND).astype(np.uint8), tuple("abcde"))
    for element in elements(photos, 3, **AUGMENTED):
        np.testing.assert_allclose(element["labelled"][..., 0], (1 - element["image"][..., 0]) / 2, atol=1e-6)
        # All labelled pixels are foreground.
        np.testing.assert_allclose(element["mask"], element["labelled"], atol=1e-6)


def test_photos_are_not_constants_in_the_graph():
    small, big = (batches(noise(count), **PLAIN) for count in (5, 200))
    sizes = [len(tf.raw_ops.DatasetToGraphV2(input_dataset=d._variant_tensor).numpy()) for d in (small, big)]
    assert abs(sizes[0] - sizes[1]) < 100


def test_shares_make_up_the_batch():
    (whole,) = elements(noise(), 1, **AUGMENTED)
    parts = [elements(noise(), 1, share=Share(first, count), **AUGMENTED)[0] for first, count in ((0, 1), (1, 3))]
    np.testing.assert_array_equal(np.concatenate([part["image"] for part in parts]), whole["image"])


def test_a_share_reads_only_its_own_photos():
    class Counted(np.ndarray):
        def __getitem__(self, places):
            read.append(len(places))
            return np.asarray(self)[places]

    photos, read = noise(), []
    elements(Photos(photos.images.view(Counted), None, photos.names), 1, share=Share(1, 2), **PLAIN)
    assert set(read) == {2}


@pytest.mark.parametrize("count, batch_size", [(0, 4), (5, 0)])
def test_no_photo_and_no_batch_are_refused(count, batch_size):
    with pytest.raises(ValueError, match=f"must be at least 1, got {count} and {batch_size}"):
        elements(noise(count), 1, batch_size=batch_size, **PLAIN)
