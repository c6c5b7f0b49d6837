import numpy as np
import tensorflow as tf
import tiny

from configs import default, perturbgan
from tf_layered_gan.models import sampling


def test_what_differs_from_the_papers_config_is_perturbgans_setting():
    paper, ours = (dict(_flat(module.get_config())) for module in (default, perturbgan))
    assert {field: value for field, value in ours.items() if value != paper[field]} == {
        "data.flip": False,
        "data.crop_scale": (8 / 9, 8 / 9),  # a crop of 8/9 enlarges a photo 1.125 times
        "perturbation.scale_exponent": (0.0, 0.0),
        "perturbation.rotation": 0.0,
        "perturbation.background_contrast": (0.7, 1.3),
        "gan.gamma_mi": 0.0,
        "gan.gamma_size": 2.0,
        "schedule.rounds": 1,
        "schedule.gan_images_per_round": 1_000_000,
    }
    # In the paper and in PerturbGAN, the largest shift is 1/8 of the width, the weight of the binarisation loss is 2,
    # and masks must cover at least 1/4 of the image.
    assert (ours["perturbation.shift"], ours["gan.gamma_b"], ours["gan.mask_size"]) == (0.125, 2.0, (0.25, 1.0))


def _flat(config, prefix=""):
    for name, value in config.items():
        if hasattr(value, "items"):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def test_objects_are_shifted_alone_and_backgrounds_jittered():
    draw = sampling.build_sampler(tiny.run_config(perturbgan), sampling.GAN_STREAM)
    draws = [draw(tf.constant(step, tf.int64)) for step in range(10)]
    transforms, contrast = (np.concatenate([d[name].numpy() for d in draws]) for name in ("transform", "contrast"))
    # Each row is (1, 0, shift, 0, 1, shift, 0, 0). A shift is at most 16 / 8 = 2 pixels in either direction.
    shift = transforms[:, [2, 5]]
    np.testing.assert_allclose(np.delete(transforms, [2, 5], axis=1), [[1, 0, 0, 1, 0, 0]] * len(transforms), atol=1e-6)
    assert -2 <= shift.min() < -1.7 and 1.7 < shift.max() <= 2
    assert 0.7 <= contrast.min() < 0.75 and 1.25 < contrast.max() <= 1.3
