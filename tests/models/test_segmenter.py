import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tf_layered_gan.data.augmentation import apply_color, sample_color
from tf_layered_gan.models import losses
from tf_layered_gan.models.networks.unet import unet
from tf_layered_gan.models.segmenter import Segmenter, perturbed_pairs, plain_pairs, synthetic_step

LEARNING_RATE, GAMMA_CONSISTENCY = 0.1, 3.0


def build(**options):
    """Builds a segmenter with the same weights every time. A U-Net with depth 0 is quickest to build."""
    keras.utils.set_random_seed(1)
    segmenter = Segmenter(unet(tiny.RESOLUTION, tiny.WIDTH, depth=0), **options)
    segmenter.compile(keras.optimizers.SGD(LEARNING_RATE))
    return segmenter


@pytest.fixture
def segmenter():
    return build()


def color(batch_size=4):
    return sample_color(batch_size, (7, 8), brightness=0.5, contrast=0.5, saturation=0.5, hue=0.2)


def batch():
    mask = np.random.default_rng(1).uniform(0, 1, (4, tiny.RESOLUTION, tiny.RESOLUTION, 1))
    return {"image": tiny.batch()["image"], "mask": mask.astype(np.float32), "color": color()}


def assert_descends(segmenter, given, tape, loss):
    """Checks that a training step is one step of gradient descent on the loss. Returns the report of the step."""
    variables = segmenter.network.trainable_variables
    expected, before = tape.gradient(loss, variables), tiny.values(variables)
    report = segmenter.train_step(given)
    for variable, value, gradient in zip(variables, before, expected, strict=True):
        np.testing.assert_allclose(variable, value - LEARNING_RATE * gradient, rtol=1e-4, atol=1e-6)
    assert float(report["segmenter_gradient_norm"]) == pytest.approx(float(tf.linalg.global_norm(expected)), rel=1e-4)
    return report


def logits_of_recoloured(segmenter, given, *names):
    recoloured = [apply_color(given[name], given["color"]) for name in names]
    return segmenter.network(tf.concat(recoloured, axis=0), training=True)


def test_step_descends_equation_7_on_recoloured_images(segmenter):
    given = batch()
    with tf.GradientTape() as tape:
        logits = logits_of_recoloured(segmenter, given, "image")
        loss = tf.reduce_mean(losses.segmentation(logits, given["mask"]))
    report = assert_descends(segmenter, given, tape, loss)
    assert float(report["segmentation"]) == pytest.approx(float(loss), rel=1e-5)


def test_step_learns_nothing_from_unlabelled_pixels(segmenter):
    given = batch()
    given["labelled"] = (given["mask"] < 0.5).astype(np.float32)
    given["mask"] *= given["labelled"]
    with tf.GradientTape() as tape:
        logits = logits_of_recoloured(segmenter, given, "image")
        loss = tf.reduce_mean(losses.segmentation(logits, given["mask"], given["labelled"]))
    assert_descends(segmenter, given, tape, loss)


@pytest.mark.parametrize("decay", [0.0, 0.75])
def test_the_average_moves_by_the_decay(decay):
    segmenter = build(ema_decay=decay)
    start = tiny.values(segmenter.average_network.variables)
    assert not any(tiny.changed(start, segmenter.network.variables))
    segmenter.train_step(batch())
    assert all(tiny.changed(start, segmenter.network.variables))
    for average, value, variable in zip(
        segmenter.average_network.variables, start, segmenter.network.variables, strict=True
    ):
        np.testing.assert_allclose(average, decay * value + (1 - decay) * variable.numpy(), rtol=1e-5, atol=1e-7)


@pytest.fixture
def consistent_segmenter():
    """A segmenter that also learns from photos. Its averaged network and its trained network have different weights."""
    segmenter = build(mask_size=(0.25, 0.5), ema_decay=0.75, gamma_consistency=GAMMA_CONSISTENCY)
    for variable in segmenter.average_network.trainable_variables + segmenter.average_network.non_trainable_variables:
        variable.assign(variable + 0.3)
    return segmenter


def test_masks_of_other_sizes_are_ignored_and_the_average_teaches_photos(consistent_segmenter):
    segmenter, sizes = consistent_segmenter, np.float32([0.2, 0.25, 0.5, 0.6])
    given = batch() | {"mask": np.broadcast_to(sizes[:, None, None, None], batch()["mask"].shape)}
    given["photo"] = tiny.batch(seed=(3, 4))["image"]
    # The teacher makes these masks from the photos before their colours are changed.
    taught = tf.sigmoid(segmenter.average_network(given["photo"], training=False))
    with tf.GradientTape() as tape:
        logits = logits_of_recoloured(segmenter, given, "image", "photo")
        segmentation = tf.reduce_sum(losses.segmentation(logits[:4], given["mask"])[1:3]) / 4
        consistency = tf.reduce_mean(losses.segmentation(logits[4:], taught))
        loss = segmentation + GAMMA_CONSISTENCY * consistency
    report = assert_descends(segmenter, given, tape, loss)
    expected = {"segmentation": float(segmentation), "consistency": float(consistency), "pairs_used": 0.5}
    assert {name: float(report[name]) for name in expected} == pytest.approx(expected, rel=1e-5)


@pytest.fixture
def student():
    """A segmenter and its teacher. The teacher is another network, which replaces the segmenter's averaged network."""
    keras.utils.set_random_seed(2)
    teacher = unet(tiny.RESOLUTION, tiny.WIDTH, depth=0)
    return build(gamma_segmentation=2.0, gamma_consistency=GAMMA_CONSISTENCY, teacher=teacher), teacher


@pytest.mark.parametrize("with_pairs", [False, True])
def test_a_student_learns_photos_from_its_teacher(student, with_pairs):
    segmenter, teacher = student
    given = batch() | {"photo": tiny.batch(seed=(3, 4))["image"]}
    if not with_pairs:
        del given["image"], given["mask"]
    taught, before = tf.sigmoid(teacher(given["photo"], training=False)), tiny.values(teacher.variables)
    with tf.GradientTape() as tape:
        logits = logits_of_recoloured(segmenter, given, *(["image"] if with_pairs else []), "photo")
        consistency = tf.reduce_mean(losses.segmentation(logits[-4:], taught))
        loss = GAMMA_CONSISTENCY * consistency
        if with_pairs:
            loss += 2.0 * tf.reduce_mean(losses.segmentation(logits[:4], given["mask"]))
    report = assert_descends(segmenter, given, tape, loss)
    assert float(report["consistency"]) == pytest.approx(float(consistency), rel=1e-5)
    assert ("segmentation" in report) == with_pairs
    assert not any(tiny.changed(before, teacher.variables))


def test_the_checkpoint_of_a_student_does_not_hold_the_teacher(student, segmenter, tmp_path):
    def names(model):
        path = tf.train.Checkpoint(model=model).write(str(tmp_path / "checkpoint"))
        return [name for name, _ in tf.train.list_variables(path)]

    assert names(student[0]) == names(segmenter)


def test_synthetic_step_uses_pairs_of_the_averaged_generators_and_photos(consistent_segmenter, gan):
    segmenter = consistent_segmenter
    draws = tiny.draws() | {"color": color(), "photo": tiny.batch(seed=(3, 4))["image"]}
    for variable in gan.generator_variables:
        variable.assign(tf.zeros(variable.shape))
    pairs, start = gan.synthesize(draws), tiny.values(segmenter.variables)
    given = {"image": pairs["composed"], "mask": pairs["composed_mask"]}
    segmenter.train_step(given | {name: draws[name] for name in ("color", "photo")})
    expected = tiny.values(segmenter.variables)
    for variable, value in zip(segmenter.variables, start, strict=True):
        variable.assign(value)
    before = tiny.values(gan.variables)
    synthetic_step(gan, segmenter, perturbed_pairs)(draws)
    assert not any(tiny.changed(expected, segmenter.variables))
    assert not any(tiny.changed(before, gan.variables))


def test_plain_pairs_are_as_painted(gan):
    layers = gan.synthesize(tiny.draws())
    pairs = plain_pairs(layers, {})
    np.testing.assert_array_equal(pairs["mask"], layers["mask"])
    mask = layers["mask"].numpy()
    composed = (1 - mask) * layers["background"] + mask * layers["foreground"]
    np.testing.assert_allclose(pairs["image"], composed, atol=1e-6)


def test_the_colours_of_pairs_replace_those_of_the_draws(segmenter, gan):
    seen, stronger = [], color() + 1
    segmenter.train_step = seen.append
    step = synthetic_step(gan, segmenter, lambda layers, draws: {"image": 1, "mask": 2, "color": stronger})
    step(tiny.draws() | {"color": color()})
    assert seen[0]["color"] is stronger and seen[0]["image"] == 1 and "z" in seen[0]
