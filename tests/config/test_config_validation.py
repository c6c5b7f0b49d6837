import importlib
import math
import re

import pytest

from configs import apc, cars, cub, dogs, folder, shapes
from tf_layered_gan.config import FIELDS, shipped, validate

CONFIGS = shipped.names()

NO_WEIGHTS = ((0.2,), (0.2, -1.0), (0.2, 1.0, 1.0), (), ("a", "b"), (0.2, None), (0.2, True), (0.2, math.inf))
NO_SCALES = ((0.8,), ("a", "b"), (0.8, None), (None, 1.0), (0.8, True), (math.nan, 1.0), (0.8, math.inf))

# Maps the first words after "allowed: " in an error message to a value for which this message is shown.
REFUSED = {"more than 0": 0, "0 or more": -1, "1 or more": 0, "from 0 to below 1": 1.0}
WRONG = [
    *((f.name, REFUSED[words], words) for words in REFUSED for f in FIELDS if f.check.allowed.startswith(words)),
    ("resolution", 24, "a power of two from 16 to 1024"),
    ("resolution", 8, "a power of two from 16 to 1024"),
    ("seed", -1, "from 0 to 2**32 - 2"),
    ("seed", 2**32 - 1, "from 0 to 2**32 - 2"),
    ("distribution", "gpu", "one_device, mirrored, multi_worker or tpu"),
    ("data.source", "web", "cub, dogs, cars, apc, folder or shapes"),
    ("metrics.fid_samples", 1, "2 or more"),
    ("data.crop_scale", (0.2, 1.0), "a pair (low, high) with 0.25 <= low <= high <= 1.0"),
    ("data.crop_scale", (1.0, 0.8), "a pair (low, high) with 0.25 <= low <= high <= 1.0"),
    ("codes.prior", "uniform", "categorical or normal"),
    ("codes.group_size", 3, "a divisor of num_categories, 40"),
    ("codes.group_size", 0, "a divisor of num_categories, 40"),
    *(("gan.gamma_independence", pair, "a pair (round 1, later rounds), each 0 or more") for pair in NO_WEIGHTS),
    ("gan.mask_size", (0.5, 1.5), "a pair (low, high) with 0.0 <= low <= high <= 1.0"),
    ("gan.augmentation", "flip", "none, color or geometry_color"),
    ("segmenter.pairs", "photo", "perturbed, plain or photo_like"),
    ("gan.augmentation_probability", 1.5, "from 0 to 1"),
    ("gan.beta_2", -0.5, "from 0 to below 1"),
    ("networks.initial_mask", 1.0, "between 0 and 1, both excluded"),
    ("networks.unet_depth", 6, "2**depth divides the resolution, 32"),
    ("segmenter.brightness", 2.5, "from 0 to 2.0"),
    ("segmenter.saturation", -0.5, "from 0 to 1.0"),
    ("perturbation.shift", 0.6, "from 0 to 0.5"),
    ("schedule.gan_images_per_round", 15, "at least batch_size, which is 16"),
]
FINITE = (
    "perturbation.rotation",
    "gan.generator_learning_rate",
    "segmenter.learning_rate",
    "gan.gamma_mi",
    "gan.beta_1",
)


def changed(module, **changes):
    config = module.get_config()
    config.update_from_flattened_dict(changes)
    return config


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_is_valid_once_a_folder_has_its_path(name):
    config = importlib.import_module(f"configs.{name}").get_config()
    if config.data.source == "folder":
        with pytest.raises(ValueError, match=r"^data.path is None, allowed: .*--config.data.path=DIR$"):
            validate(config)
        config.data.path = "photos"
    validate(config)


@pytest.mark.parametrize("field, given, allowed", WRONG)
def test_wrong_value_is_refused_by_name(field, given, allowed):
    message = re.escape(f"{field} is {given!r}") + r"(\.0)?" + re.escape(f", allowed: {allowed}")
    with pytest.raises(ValueError, match=message):
        validate(changed(shapes, **{field: given}))


@pytest.mark.parametrize("field", [field for field in FIELDS if field.check.allowed.startswith("a pair (low")])
@pytest.mark.parametrize("given", NO_SCALES)
def test_anything_but_a_pair_of_numbers_is_refused_by_name(field, given):
    with pytest.raises(ValueError, match=re.escape(f"{field.name} is {given!r}, allowed: {field.check.allowed}")):
        validate(changed(shapes, **{field.name: given}))


@pytest.mark.parametrize("field", FINITE)
@pytest.mark.parametrize("given", [math.inf, -math.inf, math.nan])
def test_number_that_is_not_finite_is_refused_by_name(field, given):
    with pytest.raises(ValueError, match=f"^{field} is {given!r}, allowed: a finite number$"):
        validate(changed(shapes, **{field: given}))


@pytest.mark.parametrize("field", ["batch_size", "codes.z_dim", "networks.unet_depth", "schedule.rounds"])
def test_bool_and_none_are_no_numbers(field):
    with pytest.raises(ValueError, match=f"^{field} is True, allowed: a number, neither True nor False$"):
        validate(changed(shapes, **{field: True}))
    with pytest.raises(ValueError, match=f"^{field} is None, allowed: a value$"):
        validate(changed(shapes, **{field: None}))


@pytest.mark.parametrize(
    "module, field, given, allowed",
    [
        (folder, "data.path", "", "a folder of photos: --config.data.path=DIR"),
        (folder, "data.holdout", 1, "2 or more"),
        (folder, "data.unlabelled", 256, "a grey value from 0 to 255, or none"),
        (dogs, "data.holdout", 0, "1 or more"),
        (cars, "data.holdout", 0, "1 or more"),
        (cub, "data.masks", "masks", "none, because cub has true masks"),
        (apc, "data.masks", "masks", "none, because apc has true masks"),
        (cub, "data.classes", "(", "a regular expression, or none"),
    ],
)
def test_wrong_value_of_a_source_is_refused_by_name(module, field, given, allowed):
    with pytest.raises(ValueError, match=re.escape(f"{field} is {given!r}, allowed: {allowed}")):
        validate(changed(module, **{field: given}))


ENCODER = {"networks.encoder": "efficientnet_lite0", "networks.encoder_weights": "lite0.npz"}


def test_an_encoder_needs_at_most_five_halvings_and_no_weights():
    validate(changed(shapes, **ENCODER))
    validate(changed(shapes, **ENCODER | {"networks.encoder_weights": None}))
    for change, message in (
        ({"networks.encoder": "resnet"}, "networks.encoder is 'resnet', allowed: none or efficientnet_lite0"),
        ({"networks.encoder": "none"}, "networks.encoder_weights is 'lite0.npz', allowed: none if networks.encoder"),
        ({"networks.unet_depth": 0}, "networks.unet_depth is 0, allowed: from 1 to 5 if networks.encoder is 'eff"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            validate(changed(shapes, **ENCODER | change))


def test_xla_is_refused_on_several_devices():
    with pytest.raises(ValueError, match="jit is True, allowed: True on one_device only"):
        validate(changed(shapes, jit=True, distribution="mirrored"))


def test_jit_is_a_switch_or_auto():
    for jit in (False, True, "auto"):
        validate(changed(shapes, jit=jit))
    for jit in ("True", "on", "", 1, 0.0):
        with pytest.raises(ValueError, match=f"^jit is {jit!r}, allowed: False, True or auto$"):
            validate(changed(shapes, jit=jit))


def test_normal_code_needs_no_groups_but_has_no_clusters():
    normal = {"data.path": "photos", "codes.prior": "normal", "codes.num_categories": 6}
    validate(changed(folder, **normal))
    with pytest.raises(ValueError, match="^data.classes is 'bird', allowed: none if codes.prior is normal, .*$"):
        validate(changed(folder, **normal, **{"data.classes": "bird"}))


def test_independence_loss_needs_two_images():
    validate(changed(shapes, batch_size=2, **{"gan.gamma_independence": (0.2, 1.0)}))
    with pytest.raises(ValueError, match="batch_size is 1, allowed: 2 or more if gan.gamma_independence"):
        validate(changed(shapes, batch_size=1, **{"gan.gamma_independence": (0.0, 1.0)}))


def test_variety_loss_needs_pairs_of_images():
    validate(changed(shapes, batch_size=2, **{"gan.gamma_variety": 1.0}))
    with pytest.raises(ValueError, match="batch_size is 3, allowed: an even number if gan.gamma_variety"):
        validate(changed(shapes, batch_size=3, **{"gan.gamma_variety": 1.0}))


def test_groups_of_the_discriminator_divide_the_batch():
    validate(changed(shapes, batch_size=8, **{"networks.minibatch_groups": 4}))
    for batch_size, groups in ((8, 3), (8, 1), (2, 4)):
        allowed = f"0, or a number from 2 on that divides batch_size, which is {batch_size}"
        with pytest.raises(ValueError, match=f"^networks.minibatch_groups is {groups}, allowed: {allowed}$"):
            validate(changed(shapes, batch_size=batch_size, **{"networks.minibatch_groups": groups}))


def test_adaptive_probability_needs_an_augmentation():
    validate(changed(shapes, **{"gan.augmentation": "color", "gan.augmentation_target": 0.6}))
    with pytest.raises(ValueError, match="^gan.augmentation_target is 0.6, allowed: 0 if gan.augmentation is none$"):
        validate(changed(shapes, **{"gan.augmentation_target": 0.6}))


def test_supervised_segmenter_needs_final_steps():
    validate(changed(shapes, **{"segmenter.supervised": True, "schedule.final_segmenter_steps": 1}))
    with pytest.raises(ValueError, match="final_segmenter_steps is 0, allowed: more than 0 if segmenter.supervised"):
        validate(changed(shapes, **{"segmenter.supervised": True, "schedule.final_segmenter_steps": 0}))


def test_consistency_loss_needs_final_steps():
    with pytest.raises(ValueError, match="final_segmenter_steps is 0, allowed: more than 0 if .*gamma_consistency"):
        validate(changed(shapes, **{"segmenter.gamma_consistency": 0.5, "schedule.final_segmenter_steps": 0}))
    validate(changed(shapes, **{"segmenter.gamma_consistency": 0.0, "schedule.final_segmenter_steps": 0}))
