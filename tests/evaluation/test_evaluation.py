import keras
import numpy as np
import pytest
import tensorflow as tf

from edge_segmenter.sharpening import sharpen
from tf_layered_gan.data.labels import photo_classes
from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.evaluation import gan_figures
from tf_layered_gan.evaluation.baselines import BASELINES
from tf_layered_gan.evaluation.gan_figures import evaluate_clusters, evaluate_synthetic_masks
from tf_layered_gan.evaluation.metrics.segmentation import segmentation_metrics
from tf_layered_gan.evaluation.segmentation import evaluate, format_table, predict_probabilities

TRACED = []


class Traced(keras.layers.Layer):
    def call(self, x):
        TRACED.append(x.shape)
        return x


def red_network(size=8, channels=1):
    """Returns a network whose logits are 4 times the red channel."""
    image = keras.Input((size, size, 3))
    model = keras.Model(image, keras.layers.Conv2D(channels, 1, use_bias=False)(Traced()(image)))
    model.set_weights([np.array([4.0, 0, 0]).reshape(1, 1, 3, 1).repeat(channels, -1)])
    return model


def squares(count, size=8):
    """Photos of a red square on blue at different places, with their masks."""
    masks = np.zeros((count, size, size), np.uint8)
    for i in range(count):
        masks[i, 2:5, 1 + i % 3 : 5 + i % 3] = 1
    images = np.where(masks[..., None] == 1, np.uint8((250, 10, 10)), np.uint8((10, 10, 250)))
    return Photos(images, masks, tuple(str(i) for i in range(count)))


def test_probabilities_are_the_sigmoid_of_the_logits():
    images = np.zeros((2, 8, 8, 3), np.uint8)
    images[1, ..., 0] = 255
    probabilities = predict_probabilities(red_network(), images)
    assert probabilities.shape == (2, 8, 8) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities[0], 0.017986, atol=1e-6)  # sigmoid(-4)
    np.testing.assert_allclose(probabilities[1], 0.982014, atol=1e-6)  # sigmoid(4)


def test_the_network_is_traced_for_one_batch_size_of_at_most_the_number_of_images():
    images, network, other = squares(7).images, red_network(), red_network()
    TRACED.clear()
    whole = predict_probabilities(other, images)
    np.testing.assert_array_equal(predict_probabilities(network, images, batch_size=3), whole)
    predict_probabilities(network, images[:4], batch_size=3)
    assert TRACED == [(7, 8, 8, 3), (3, 8, 8, 3)]


def test_evaluates_the_segmenter_and_the_baselines():
    results = evaluate(red_network(), squares(3))
    assert list(results) == ["segmenter", "sharpened", *BASELINES]
    assert list(BASELINES) == ["all_foreground", "centred_disc", "otsu", "two_colours", "pooled_hues", "grabcut"]
    assert results["segmenter"]["iou"] == results["segmenter"]["accuracy_per_image"] == 1
    assert results["all_foreground"]["iou"] == pytest.approx(12 / 64)  # a square covers 3 x 4 of the 8 x 8 pixels
    assert {metrics["images"] for metrics in results.values()} == {3}


def test_sharpened_masks_are_those_of_the_sharpening():
    noise = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    photos = Photos(noise, squares(2, size=32).masks, ("a", "b"))
    probabilities = predict_probabilities(red_network(size=32), noise)
    sharpened = np.stack([sharpen(*pair) for pair in zip(noise, probabilities, strict=True)]) > 0.5
    results = evaluate(red_network(size=32), photos)
    assert results["sharpened"] == segmentation_metrics(sharpened, photos.masks) != results["segmenter"]


def test_baselines_can_be_left_out():
    assert list(evaluate(red_network(), squares(2), baselines=False)) == ["segmenter"]


def test_evaluation_needs_masks():
    photos = squares(2)
    with pytest.raises(ValueError, match="photos.masks is None"):
        evaluate(red_network(), Photos(photos.images, None, photos.names))


@pytest.mark.parametrize("images", [np.zeros((2, 8, 8, 3), "float32"), np.zeros((8, 8, 3), np.uint8)])
def test_refuses_images_of_another_type_or_shape(images):
    with pytest.raises(ValueError, match=f"images must be uint8 .* got {images.dtype}"):
        predict_probabilities(red_network(), images)


def test_refuses_a_network_with_two_logits_per_pixel():
    with pytest.raises(ValueError, match=r"logits \(2, 8, 8, 1\), got \(2, 8, 8, 2\)"):
        predict_probabilities(red_network(channels=2), squares(2).images)


def test_table_is_aligned_and_has_both_averages():
    # Image 0 has 32 pixels of background and 32 of foreground. Image 1 has 32 unlabelled pixels and 32 of foreground.
    truth = np.ones((2, 8, 8), np.uint8)
    truth[0, :, :4], truth[1, :, :4] = 0, 255
    photos = Photos(np.zeros((2, 8, 8, 3), np.uint8), truth, ("a", "b"))
    title, header, *rows = format_table(evaluate(red_network(), photos)).splitlines()
    assert title.startswith("2 images; all figures are in per cent")
    assert " ".join(header.split()) == "IoU mIoU ACC IoU/image mIoU/image ACC/image ARI MSC boundary predicted true"
    assert len({len(line) for line in (header, *rows)}) == 1
    # No pixel is red, so all pixels are predicted as background. Over all pixels, IoU is 0 and ACC is 32 / 96. In image
    # 0, ACC is 32 / 64. In image 1, ACC is 0 / 32. The background's IoU equals ACC, so mIoU is half of ACC. Image 0 has
    # two true segments, so ARI is 0 and MSC is 1 / 2. Image 1 has one true segment, so ARI and MSC are 1. The
    # predictions have no boundary.
    assert " ".join(rows[0].split()) == "segmenter 0.0 16.7 33.3 0.0 12.5 25.0 50.0 75.0 0.0 0.0 66.7"
    # The baseline predicts all pixels as foreground. Over all pixels, IoU and ACC are 64 / 96. In image 0, both are 32
    # / 64. In image 1, both are 32 / 32. The background's IoU over all pixels is 0 / 32, so mIoU is half of IoU. In
    # image 0, the background's IoU is 0 / 32. In image 1, it is 0 / 0, which counts as 1. So mIoU per image is (25 +
    # 100) / 2 = 62.5. The boundary band of a prediction is a frame of 28 pixels. The true band of image 0 is a frame of
    # 20 pixels, and 14 pixels are in both bands. In image 1, both bands have the same 14 labelled pixels. So the
    # boundary IoU is 28 / (34 + 14).
    assert rows[1].split()[1:] == rows[0].split()[1:]  # sharpening adds no foreground to empty masks
    assert " ".join(rows[2].split()) == "all_foreground 66.7 33.3 66.7 75.0 62.5 75.0 50.0 75.0 58.3 100.0 66.7"


def flat_photos(names, size):
    """Returns one photo for each name. All pixels are 0 if the name begins with "a", and 255 otherwise."""
    greys = np.array([0 if name.startswith("a") else 255 for name in names], np.uint8)
    return Photos(np.broadcast_to(greys[:, None, None, None], (len(names), size, size, 3)).copy(), None, tuple(names))


def test_clusters_are_compared_with_the_classes_of_all_photos():
    splits = Splits(flat_photos(["a1", "b1", "b2"], 6), flat_photos(["a2"], 4), flat_photos(["b3"], 4))
    image = keras.Input((4, 4, 3))
    # The sign of the brightness decides the category.
    brightness = keras.layers.Flatten()(keras.layers.AveragePooling2D(4)(image))
    logits = keras.layers.Dense(2, use_bias=False, name="category")(brightness)
    discriminator = keras.Model(image, [keras.layers.Flatten()(image), logits])
    discriminator.get_layer("category").set_weights([np.float32([[-1, 1]] * 3)])
    classes = photo_classes(splits, "^[ab]")
    assert classes == ["a", "b", "b", "a", "b"]
    metrics = evaluate_clusters(discriminator, splits, classes)
    assert metrics["nmi"] == pytest.approx(1) and metrics["photos"] == 5


class FakeGAN:
    """A GAN that paints two masks of 4 pixels: one has `step` foreground pixels, and the other has none.

    Its foreground generator paints masks that depend only on the code c.
    """

    def synthesize(self, draws):
        filled = tf.cast(tf.range(4) < tf.cast(draws["step"], tf.int32), tf.float32)
        return {"mask": tf.reshape(tf.stack([filled, tf.zeros(4)]), [2, 2, 2, 1])}

    def average_foreground_generator(self, codes, training):
        _, _, c = codes
        return None, tf.broadcast_to(c[:, :1, None, None], (c.shape[0], 2, 2, 1))


def fake_draws(step):
    return {"step": step, "foreground_z": tf.zeros((2, 3)), "c_sup": tf.zeros((2, 1)), "c": tf.eye(2)}


def test_large_batches_give_no_more_masks_to_compare(monkeypatch):
    monkeypatch.setattr(gan_figures, "_MOST_MASKS", 3)
    # At most three masks are compared, so two batches of two masks are enough.
    assert evaluate_synthetic_masks(FakeGAN(), fake_draws, batches=3)["pictures"] == 3


def test_synthetic_masks_have_a_mean_a_spread_and_variety():
    metrics = evaluate_synthetic_masks(FakeGAN(), fake_draws, batches=3)
    # The six masks cover 0, 0, 1/4, 0, 2/4 and 0 of the image. The mean is 3/4 / 6 = 1/8. The variance is 5/16 / 6 -
    # 1/64 = 7/192.
    assert metrics == {
        "mask_mean": pytest.approx(1 / 8),
        "mask_spread": pytest.approx((7 / 192) ** 0.5),
        "masks_full": 0,
        "pictures": 6,
        "silhouettes": 3,
        "pairs_alike": pytest.approx(6 / 15),  # 4 empty masks
        "variance_code": 1,
        "variance_z": 0,
    }
