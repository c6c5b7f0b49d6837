import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tf_layered_gan.models import losses
from tf_layered_gan.models.augmentation import perturbation
from tf_layered_gan.models.augmentation.differentiable_augmentation import (
    DifferentiableAugmentation,
    sample_augmentation,
)
from tf_layered_gan.models.layered_gan import LayeredGAN
from tf_layered_gan.models.networks.spectral_norm import update_spectral_norm

LEARNING_RATE = 0.01  # the learning rate of the fixture `gan`


def assert_descends(gan, name, tape, loss, batch):
    """Checks that a training step is one step of gradient descent on the loss. Returns the report of the step."""
    variables = {"generator": gan.generator_variables, "discriminator": gan.discriminator_variables}[name]
    expected, before = tape.gradient(loss, variables), tiny.values(variables)
    report = gan.train_step(batch)
    for variable, value, gradient in zip(variables, before, expected, strict=True):
        np.testing.assert_allclose((value - variable.numpy()) / LEARNING_RATE, gradient, rtol=1e-3, atol=1e-4)
    norm = float(tf.linalg.global_norm(expected))
    assert norm > 0.1 and float(report[f"{name}_gradient_norm"]) == pytest.approx(norm, rel=1e-3)
    return report


def test_object_and_mask_move_over_the_background(gan):
    # The shift is three pixels to the right. Column x shows column x - 3 of the foreground. The first three columns
    # show background.
    shifted = tf.constant([[1.0, 0, -3, 0, 1, 0, 0, 0]] * 4)
    layers = gan(tiny.draws() | {"transform": shifted, "contrast": tf.ones(4)})
    background, foreground, mask = (layers[name].numpy() for name in ("background", "foreground", "mask"))
    moved = (1 - mask[:, :, :-3]) * background[:, :, 3:] + mask[:, :, :-3] * foreground[:, :, :-3]
    np.testing.assert_allclose(layers["composed"][:, :, 3:], moved, atol=1e-5)
    np.testing.assert_allclose(layers["composed"][:, :, :3], background[:, :, :3], atol=1e-5)
    np.testing.assert_allclose(layers["composed_mask"][:, :, 3:], mask[:, :, :-3], atol=1e-6)


def test_zero_contrast_gives_the_mean_of_the_background(gan):
    identity = tf.constant([[1.0, 0, 0, 0, 1, 0, 0, 0]] * 4)
    layers = gan(tiny.draws() | {"transform": identity, "contrast": tf.zeros(4)})
    mask, mean = layers["mask"].numpy(), np.mean(layers["background"], axis=(1, 2), keepdims=True)
    expected = (1 - mask) * mean + mask * layers["foreground"]
    np.testing.assert_allclose(layers["composed"], expected, atol=1e-5)


def test_background_is_the_window_of_the_canvas(gan):
    draws = tiny.draws() | {"window": tf.constant([[4, 4], [7, 5], [12, 12], [4, 12]])}
    expected = gan.background_generator([draws["z"], draws["window"]])
    np.testing.assert_array_equal(gan(draws)["background"], expected)
    assert not np.allclose(gan(tiny.draws())["background"], expected, atol=1e-3)


def test_shapes_and_ranges_of_the_layers(gan):
    for name, layer in gan(tiny.draws(), training=True).items():
        low, channels = (0, 1) if "mask" in name else (-1, 3)
        assert layer.shape == (4, tiny.RESOLUTION, tiny.RESOLUTION, channels)
        assert low <= np.min(layer) < np.max(layer) <= 1


def test_training_step_does_not_change_the_segmenter_of_the_background_loss(gan):
    gan.uses_segmenter = True
    before, segmenter_before = tiny.values(gan.generator_variables), tiny.values(gan.segmenter.variables)
    gan.train_step(tiny.batch())
    assert all(tiny.changed(before, gan.generator_variables))
    assert not any(tiny.changed(segmenter_before, gan.segmenter.variables))


def test_training_step_updates_the_averages_once(gan):
    average, generator = gan.average_background_generator.variables, gan.background_generator.variables
    before = tiny.values(generator)
    gan.train_step(tiny.batch())
    for variable, start, now in zip(average, before, generator, strict=True):
        np.testing.assert_allclose(variable, 0.75 * start + 0.25 * now.numpy(), atol=1e-5)


def test_synthesize_uses_the_averaged_generators(gan):
    draws = tiny.draws()
    painted = gan(draws)
    for name, layer in gan.synthesize(draws).items():
        np.testing.assert_array_equal(layer, painted[name])
    for variable in gan.generator_variables:
        variable.assign(tf.zeros(variable.shape))
    np.testing.assert_array_equal(gan.synthesize(draws)["composed"], painted["composed"])


def restored(gan, action):
    """Runs an action, then resets the vectors u of D to their earlier values. Returns the action's result."""
    before = tiny.values(gan.discriminator.non_trainable_variables)
    result = action()
    for variable, value in zip(gan.discriminator.non_trainable_variables, before, strict=True):
        variable.assign(value)
    return result


def judged(gan, images):
    """Returns the logits that D and E_x would compute with the spectral norms of the next training step."""
    return restored(gan, lambda: (update_spectral_norm(gan.discriminator), gan.discriminator(images))[1])


def fakes(gan, batch):
    """Returns the layers, and the logits that D, E_x and E_pi would compute in the next training step."""
    layers = gan(batch, training=True)
    return layers, *judged(gan, layers["composed"]), gan.mask_encoder(layers["mask"], training=True)


@pytest.mark.parametrize("uses_segmenter", [False, True])
def test_generators_descend_equation_6_and_the_terms_that_are_not_in_the_paper(gan, monkeypatch, uses_segmenter):
    size_range, batch = (0.9, 0.95), tiny.batch()
    weights = {"gamma_size": 4.0, "mask_size": size_range, "gamma_independence": (6.0, 7.0)}
    for name, weight in (weights | {"gamma_variety": 8.0, "mask_distance": 0.9}).items():
        monkeypatch.setattr(gan, name, weight)
    gan.uses_segmenter = uses_segmenter
    with tf.GradientTape() as tape:
        layers, realness, category, super_category = fakes(gan, batch)
        mutual_information = losses.mutual_information(category, batch["c"])
        mutual_information += losses.mutual_information(super_category, batch["c_sup"])
        size = losses.mask_size(layers["mask"], *size_range)
        independence = losses.independence(layers["background"], layers["foreground"], layers["mask"])
        variety = losses.variety(layers["mask"], 0.9)
        # The loss weights are gamma_mi = 0.5 and gamma_b = 2. If there is a segmenter, gamma_bg is 3.
        total = -realness + 0.5 * mutual_information + 2.0 * losses.binarization(layers["mask"]) + 4.0 * size
        total += 8.0 * variety
        total += (7.0 if uses_segmenter else 6.0) * independence
        if uses_segmenter:
            total += 3.0 * losses.background(gan.segmenter(layers["background"]))
        loss = tf.reduce_mean(total)
    assert np.min(size) > 0 and np.min(variety) > 0
    report = assert_descends(gan, "generator", tape, loss, batch)
    assert float(report["mask_size"]) == pytest.approx(np.mean(size), rel=1e-4)
    assert float(report["variety"]) == pytest.approx(np.mean(variety), rel=1e-4)
    assert float(report["independence"]) == pytest.approx(np.mean(independence), rel=1e-4)


def test_codes_are_read_with_the_loss_of_their_prior(gan, monkeypatch):
    monkeypatch.setattr(gan, "mutual_information", lambda read, code: 7.0 + 0.0 * tf.reduce_sum(read, axis=-1))
    report = gan.train_step(tiny.batch())
    assert [float(report[f"mutual_information_{place}"]) for place in ("image", "mask")] == pytest.approx([7.0] * 2)


def test_discriminator_descends_equation_6(gan):
    batch = tiny.batch()
    layers = gan(batch, training=True)
    with tf.GradientTape() as tape:
        real, _ = judged(gan, batch["image"])
        fake, category = judged(gan, layers["composed"])
        super_category = gan.mask_encoder(layers["mask"], training=True)
        adversarial = tf.maximum(0.0, 1 - real) + tf.maximum(0.0, 1 + fake)
        mutual_information = losses.mutual_information(category, batch["c"])
        mutual_information += losses.mutual_information(super_category, batch["c_sup"])
        loss = tf.reduce_mean(adversarial + 0.5 * mutual_information)
    assert_descends(gan, "discriminator", tape, loss, batch)


def augmented(batch):
    """Returns a copy of the batch that also has the random draws for the augmentation."""
    return batch | {f"augment_{name}": sample_augmentation(4, (7, i)) for i, name in enumerate(("real", "fake"))}


@pytest.fixture
def augmented_gan():
    """A GAN whose augmentation is always applied."""
    layer = DifferentiableAugmentation(perturbation.warp, geometry=True, probability=1.0, target=0.0)
    return tiny.layered_gan(LEARNING_RATE, layer)


def test_generators_descend_through_the_augmentation(augmented_gan):
    gan, batch = augmented_gan, augmented(tiny.batch())
    with tf.GradientTape() as tape:
        layers = gan(batch, training=True)
        realness, category = judged(gan, gan.augmentation(layers["composed"], batch["augment_fake"]))
        mutual_information = losses.mutual_information(category, batch["c"])
        mutual_information += losses.mutual_information(gan.mask_encoder(layers["mask"], training=True), batch["c_sup"])
        loss = tf.reduce_mean(-realness + 0.5 * mutual_information + 2.0 * losses.binarization(layers["mask"]))
    assert_descends(gan, "generator", tape, loss, batch)


def test_discriminator_and_e_x_descend_on_augmented_images_with_r1(augmented_gan, monkeypatch):
    gan, batch = augmented_gan, augmented(tiny.batch())
    monkeypatch.setattr(gan, "gamma_r1", 8.0)
    layers = gan(batch, training=True)

    def equation():
        update_spectral_norm(gan.discriminator)
        photos = gan.augmentation(batch["image"], batch["augment_real"])
        with tf.GradientTape() as tape:
            with tf.GradientTape() as slope:
                slope.watch(photos)
                real, _ = gan.discriminator(photos)
            penalty = tf.reduce_sum(slope.gradient(real, photos) ** 2, axis=(1, 2, 3)) / 2
            fake, category = gan.discriminator(gan.augmentation(layers["composed"], batch["augment_fake"]))
            mutual_information = losses.mutual_information(category, batch["c"])
            super_category = gan.mask_encoder(layers["mask"], training=True)
            mutual_information += losses.mutual_information(super_category, batch["c_sup"])
            adversarial = tf.maximum(0.0, 1 - real) + tf.maximum(0.0, 1 + fake)
            return tape, tf.reduce_mean(adversarial + 0.5 * mutual_information + 8.0 * penalty), penalty

    tape, loss, penalty = restored(gan, equation)
    report = assert_descends(gan, "discriminator", tape, loss, batch)
    assert float(report["r1"]) == pytest.approx(np.mean(penalty), rel=1e-4)


def test_r1_of_a_linear_discriminator_is_half_its_squared_weights():
    # D(x) = w x has the gradient w at every photo. All 768 weights are 0.5, so R1 is 768 * 0.5^2 / 2 = 96.
    image = keras.Input((tiny.RESOLUTION, tiny.RESOLUTION, 3))
    flat = keras.layers.Flatten()(image)
    realness = keras.layers.Reshape(())(
        keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(0.5))(flat)
    )
    linear = keras.Model(image, [realness, keras.layers.Dense(tiny.NUM_CATEGORIES)(flat)])
    gan = LayeredGAN(**tiny.networks() | {"discriminator": linear}, ema_decay=0.75)
    optimizers = [keras.optimizers.SGD(0.01) for _ in range(2)]
    gan.compile(*optimizers, gamma_mi=0.0, gamma_b=0.0, gamma_bg=0.0, gamma_r1=1.0)
    batch = tiny.batch()
    assert float(gan.train_step(batch | {"image": tf.constant(batch["image"])})["r1"]) == pytest.approx(96)


TERMS = {"generator_adversarial", "binarization", "background", "real_logits", "fake_logits"}
TERMS |= {"mask_mean", "mask_spread", "masks_full", "mutual_information_image", "mutual_information_mask"}
TERMS |= {"discriminator_adversarial", "generator_gradient_norm", "discriminator_gradient_norm"}


def test_report_names_every_term_and_counts_full_masks(gan):
    gan.uses_segmenter = True
    gan.foreground_generator.get_layer("mask_logits").bias.assign([20.0])
    report = gan.train_step(tiny.batch())
    assert set(report) == TERMS
    assert all(value.shape == () and value.dtype == tf.float32 for value in report.values())
    assert float(report["masks_full"]) == 1.0


@pytest.mark.parametrize("uses_segmenter, gamma_bg", [(False, 3.0), (True, 0.0)])
def test_the_background_loss_needs_a_segmenter_and_a_weight(gan, monkeypatch, uses_segmenter, gamma_bg):
    monkeypatch.setattr(gan, "gamma_bg", gamma_bg)
    gan.uses_segmenter = uses_segmenter
    assert "background" not in gan.train_step(tiny.batch())


def test_background_loss_of_every_third_step_has_three_times_the_weight(gan, monkeypatch):
    gan.uses_segmenter, batch = True, tiny.batch()
    other = tiny.layered_gan(LEARNING_RATE)
    monkeypatch.setattr(gan, "background_every", 3)
    step = tf.function(gan.train_step, autograph=False)
    assert [float(step(batch)["background"]) for _ in range(2)] == [0.0, 0.0]
    other.set_weights(gan.get_weights())
    other.uses_segmenter = True
    monkeypatch.setattr(other, "gamma_bg", 9.0)  # 3 in gan
    reports = [gan.train_step(batch), other.train_step(batch)]
    assert float(reports[0]["background"]) == pytest.approx(float(reports[1]["background"]), rel=1e-5) != 0
    norms = [float(report["generator_gradient_norm"]) for report in reports]
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)


def test_report_has_the_losses_before_the_step(gan):
    gan.uses_segmenter, batch = True, tiny.batch()
    layers, realness, category, super_category = fakes(gan, batch)
    mask_means = np.mean(layers["mask"], axis=(1, 2, 3))
    report = gan.train_step(batch)
    expected = {
        "generator_adversarial": -np.mean(realness),
        "mutual_information_image": np.mean(losses.mutual_information(category, batch["c"])),
        "mutual_information_mask": np.mean(losses.mutual_information(super_category, batch["c_sup"])),
        "binarization": np.mean(losses.binarization(layers["mask"])),
        "background": np.mean(losses.background(gan.segmenter(layers["background"]))),
        "mask_mean": np.mean(mask_means),
        "mask_spread": np.std(mask_means),
        "masks_full": 0.0,
    }
    assert {name: float(report[name]) for name in expected} == pytest.approx(expected, rel=1e-4)
