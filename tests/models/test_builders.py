import numpy as np
import pytest
import tensorflow as tf
import tiny

from configs import shapes
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.models import build, losses, sampling
from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.models.segmenter import synthetic_step

DRAWN = {"networks.background_canvas": 2, "perturbation.background_contrast": (0.5, 0.75)}
STREAMS = (sampling.GAN_STREAM, sampling.SEGMENTER_STREAM, sampling.SYNTHESIS_STREAM)


def sample(stream, step, **changes):
    draw = sampling.build_sampler(tiny.run_config(shapes, **changes), stream)
    return tf.nest.map_structure(lambda value: value.numpy(), draw(tf.constant(step, tf.int64)))


def test_draws_depend_on_seed_stream_and_step_alone():
    first, again = sample(0, 3), sample(0, 3)
    for name in first:
        np.testing.assert_array_equal(again[name], first[name])


def test_draws_differ_between_seeds_streams_and_steps():
    draws = [sample(stream, step, seed=seed, **DRAWN) for stream in STREAMS for step in (0, 1) for seed in (0, 1)]
    # There are 3 streams, 2 steps and 2 seeds.
    for name in ("z", "window", "transform", "contrast", "color"):
        assert len({draw[name].tobytes() for draw in draws}) == 12


def test_draws_keep_the_ranges_of_the_config():
    draws = [sample(0, step, **DRAWN) for step in range(20)]
    windows, contrast = (np.concatenate([draw[name] for draw in draws]) for name in ("window", "contrast"))
    # There are 80 windows of 16 pixels. They lie in a canvas of 32 pixels, at least 4 pixels from its edge. So they
    # begin at the pixels 4 to 12.
    assert windows.min() == 4 and windows.max() == 12
    assert 0.5 <= contrast.min() < 0.52 and 0.73 < contrast.max() < 0.75


CURES = {
    "networks.minibatch_groups": 2,
    "gan.gamma_r1": 0.1,
    "gan.augmentation": "geometry_color",
    "gan.augmentation_target": 0.6,
}


def test_augmentation_draws_apart_for_photos_and_fakes_and_changes_no_other_draw():
    plain, augmented = sample(0, 3), sample(0, 3, **CURES)
    assert augmented.keys() - plain.keys() == {"augment_real", "augment_fake"}
    for name, value in plain.items():
        np.testing.assert_array_equal(augmented[name], value)
    draws = [sample(0, step, seed=seed, **CURES) for step in (0, 1) for seed in (0, 1)]
    assert len({draw[f"augment_{name}"].tobytes() for draw in draws for name in ("real", "fake")}) == 8


PHOTO_LIKE = {"segmenter.pairs": "photo_like"}


def test_pairs_like_photos_change_only_the_segmenters_draws():
    for stream in (sampling.GAN_STREAM, sampling.SYNTHESIS_STREAM):
        assert "photo_like" not in sample(stream, 3, **PHOTO_LIKE)
    plain, drawn = (sample(sampling.SEGMENTER_STREAM, 3, **changes) for changes in ({}, PHOTO_LIKE))
    again = sample(sampling.SEGMENTER_STREAM, 3, **PHOTO_LIKE)
    tf.nest.map_structure(np.testing.assert_array_equal, drawn, again)
    for name in plain.keys() - {"z", "window"}:  # these two differ, because pairs exchange backgrounds
        np.testing.assert_array_equal(drawn[name], plain[name])
    other = sample(sampling.SEGMENTER_STREAM, 4, **PHOTO_LIKE)
    assert not np.allclose(other["photo_like"]["noise"], drawn["photo_like"]["noise"])


@pytest.mark.parametrize("pairs", ["perturbed", "plain", "photo_like"])
def test_the_segmenter_takes_a_step_on_pairs_of_each_kind(pairs):
    config = tiny.run_config(shapes, **{"segmenter.pairs": pairs})
    segmenter = build.build_segmenter(config)
    gan = build.build_gan(config, segmenter)
    images = np.random.default_rng(0).integers(0, 256, (5, 20, 20, 3), np.uint8)
    make_pairs = build.build_pairs(config, gan, Photos(images, None, tuple("abcde")))
    draws = sampling.build_sampler(config, sampling.SEGMENTER_STREAM)(tf.constant(0, tf.int64))
    report = synthetic_step(gan, segmenter, make_pairs)(draws)
    assert all(np.isfinite(value) for value in report.values())


def test_steps_that_xla_compiles_do_without_jpeg(gan):
    photos = Photos(np.zeros((1, 16, 16, 3), np.uint8), None, ("a",))
    for jit in (False, True, "auto"):  # "auto" is replaced before a run trains
        config = tiny.run_config(shapes, jit=jit, **PHOTO_LIKE)
        assert build.build_pairs(config, gan, photos).compress == (jit is not True)


def test_initial_weights_depend_on_the_seed():
    def weights(seed):
        segmenter = build.build_segmenter(tiny.run_config(shapes, seed=seed, **{"networks.unet_depth": 0}))
        return np.concatenate([np.ravel(value) for value in tiny.values(segmenter.variables)])

    np.testing.assert_array_equal(weights(3), weights(3))
    assert not np.allclose(weights(3), weights(4))


def test_only_the_gan_has_pairs_of_codes_and_only_with_a_variety_loss():
    def in_pairs(stream, weight):
        codes = sample(stream, 0, batch_size=64, **{"gan.gamma_variety": weight})["c"]
        return bool(np.all(codes[::2] == codes[1::2]))

    assert in_pairs(sampling.GAN_STREAM, 1.0)
    assert not in_pairs(sampling.GAN_STREAM, 0.0)
    assert not in_pairs(sampling.SEGMENTER_STREAM, 1.0)


def test_the_config_chooses_the_resolution_of_the_mask_stage():
    half, full = (
        multiply_adds(build.build_gan_networks(tiny.run_config(shapes, **{"networks.mask_stage": stage}))[1])
        for stage in ("half", "full")
    )
    assert half < full


def test_a_pass_takes_the_largest_seed():
    build.build_photo_segmenter(tiny.run_config(shapes, seed=2**32 - 2), 1)


NORMAL = {
    "codes.prior": "normal",
    "codes.num_categories": 5,
    "gan.gamma_size": 2.0,
    "gan.gamma_independence": (0.2, 1.0),
}


@pytest.fixture(scope="module")
def gan():
    config = tiny.run_config(shapes, **NORMAL, **{"gan.mask_size": (0.125, 0.5)})
    return build.build_gan(config, build.build_segmenter(config))


def test_a_normal_code_has_one_output_per_dimension(gan):
    assert gan.discriminator.output_shape[1] == gan.mask_encoder.output_shape == (None, 5)


def test_the_gan_takes_a_training_step_with_every_option(gan):
    draws = sample(sampling.GAN_STREAM, 0, **NORMAL)
    report = gan.train_step({"image": tiny.batch()["image"], **draws})
    assert {"mask_size", "independence"} <= set(report)
    assert all(np.isfinite(value) for value in report.values())


def test_loss_weights_come_from_the_config(gan):
    assert (gan.gamma_size, gan.mask_size, gan.gamma_independence) == (2.0, (0.125, 0.5), (0.2, 1.0))
    assert gan.mutual_information is losses.normal_mutual_information


@pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_gan_takes_steps_with_an_adaptive_augmentation_minibatch_groups_and_r1(jit):
    config = tiny.run_config(shapes, jit=jit, **CURES)
    gan = build.build_gan(config, build.build_segmenter(config))
    gan.augmentation.probability.assign(0.5)
    step = tf.function(gan.train_step, jit_compile=jit, autograph=False)
    report = step({"image": tiny.batch()["image"], **sample(sampling.GAN_STREAM, 0, **CURES)})
    assert all(np.isfinite(value) for value in report.values()) and report["r1"] > 0
    # A step with 4 photos changes the probability by 4 / 500,000 = 0.000008.
    assert abs(float(report["augmentation_probability"]) - 0.5) == pytest.approx(8e-6, abs=1e-7)


def test_without_the_cures_there_is_no_augmentation_and_no_added_variable(gan):
    assert gan.augmentation is None and gan.gamma_r1 == 0
    own = [network for network in (gan.background_generator, gan.foreground_generator, gan.discriminator)]
    own += [gan.mask_encoder, gan.average_background_generator, gan.average_foreground_generator, gan.segmenter]
    assert {v.path for v in gan.variables} == {v.path for network in own for v in network.variables}
