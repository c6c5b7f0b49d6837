import json

import numpy as np
import pytest
import tensorflow as tf
import tiny
from mean_colour import MeanColour

from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.evaluation import gan_figures
from tf_layered_gan.evaluation.gan_figures import evaluate_fid, reference_photos
from tf_layered_gan.evaluation.metrics import fid


@pytest.fixture(scope="module")
def gan():
    return tiny.layered_gan()


def photos(count, size, seed):
    images = np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)
    return Photos(images, None, tuple(map(str, range(count))))


SPLITS = Splits(photos(5, 20, 0), photos(2, tiny.RESOLUTION, 1), photos(3, tiny.RESOLUTION, 2))


def test_reference_photos_have_one_size(monkeypatch):
    monkeypatch.setattr(gan_figures, "_BATCH_SIZE", 2)
    reference = reference_photos(SPLITS, tiny.RESOLUTION)
    assert reference.shape == (10, 16, 16, 3) and reference.dtype == np.uint8
    np.testing.assert_array_equal(reference[5:7], SPLITS.validation.images)
    np.testing.assert_array_equal(reference[7:], SPLITS.test.images)
    # The photos are resized without a crop, so their means stay the same.
    np.testing.assert_allclose(reference[:5].mean((1, 2)), SPLITS.train.images.mean((1, 2)), atol=2)


def test_fid_of_composed_images_and_of_backgrounds(gan, tmp_path, eagerly):
    inception = MeanColour()

    def sample(step):
        return tiny.draws(seed=tf.stack([tf.constant(5, tf.int64), step]))

    result = evaluate_fid(gan, sample, SPLITS, inception, samples=6, cache=tmp_path / "fid")
    drawn = [gan.synthesize(sample(tf.constant(step, tf.int64))) for step in (0, 1)]
    for name, layer in (("fid", "composed"), ("bg_fid", "background")):
        synthetic = np.concatenate([draws[layer].numpy() for draws in drawn])[:6]  # two batches of four images
        pixels = np.round((synthetic + 1) * 127.5).astype(np.uint8)
        two_sets = (fid.image_statistics(MeanColour(), images) for images in (pixels, reference_photos(SPLITS, 16)))
        assert result[name] == pytest.approx(fid.frechet_distance(*two_sets), rel=1e-3)
    assert (result["samples"], result["reference_pictures"]) == (6, 10)
    assert (result["resize"], result["inception_sha256"]) == (fid.RESIZE, "0123")
    assert result["reference"] == (
        "all photos at 16x16: those to train on by way of 20x20, those for validation and for the test at once"
    )
    assert json.loads(json.dumps(result)) == result
    assert [len(batch) for batch in inception.seen] == [10, 4, 2, 4, 2]
