"""Checks a config before anything is built from it."""

import math
import re


def validate(config):
    """Checks every field that could be wrong in a way its type does not show.

    Args:
        config: the resolved ConfigDict, see configs/default.py.

    Raises:
        ValueError: names every wrong field, what was given and what is allowed. What is no value of the field's kind is
            named first, and alone, since nothing can be compared with it.
    """
    for checks in (_checks_of_kind, _checks):
        problems = [
            f"{name} is {given!r}, allowed: {allowed}" for name, given, allowed, valid in checks(config) if not valid
        ]
        if problems:
            raise ValueError("; ".join(problems))


def _checks_of_kind(config, prefix=""):
    """Yields as `_checks` does, for what a field's type lets pass: None, a bool for a number, and inf and nan."""
    for name, given in config.items():
        field = prefix + name
        if isinstance(given, type(config)):
            yield from _checks_of_kind(given, f"{field}.")
        elif given is None:
            yield field, given, "a value", field in _OPTIONAL
        elif isinstance(given, bool):
            yield field, given, "a number, neither True nor False", field in _SWITCHES
        elif isinstance(given, float):
            yield field, given, "a finite number", math.isfinite(given)


def _checks(config):
    """Yields (field, value given, what is allowed, whether it is)."""
    resolution, batch_size = config.resolution, config.batch_size
    power = resolution >= 16 and resolution & (resolution - 1) == 0
    yield "resolution", resolution, "a power of two from 16 on", power
    yield "batch_size", batch_size, "1 or more", batch_size >= 1
    yield "seed", config.seed, "from 0 to 2**32 - 2", 0 <= config.seed < 2**32 - 1
    distribution, strategies = config.distribution, "one_device, mirrored, multi_worker or tpu"
    yield "distribution", distribution, strategies, distribution in _DISTRIBUTIONS
    yield "jit", config.jit, "True on one_device only", not config.jit or distribution == "one_device"
    source = config.data.source
    yield "data.source", source, "cub, dogs, cars, apc, folder or shapes", source in _SOURCES
    if source == "folder":
        yield "data.path", config.data.path, "a folder of photos: --config.data.path=DIR", bool(config.data.path)
        yield "data.holdout", config.data.holdout, "2 or more", config.data.holdout >= 2
        grey = config.data.unlabelled is None or 0 <= config.data.unlabelled <= 255
        yield "data.unlabelled", config.data.unlabelled, "a grey value from 0 to 255, or none", grey
    if source in ("dogs", "cars"):
        yield "data.holdout", config.data.holdout, "1 or more", config.data.holdout >= 1
    if source in ("cub", "apc"):
        yield "data.masks", config.data.masks, f"none, as {source} has true masks", config.data.masks is None
    if source != "shapes":
        yield "data.classes", config.data.classes, "a regular expression, or none", _is_regex(config.data.classes)
    for name in ("train_pictures", "held_out_pictures"):
        yield f"data.{name}", config.data[name], "1 or more", config.data[name] >= 1
    yield _pair("data.crop_scale", config.data.crop_scale, 0.25, 1.0)
    codes = config.codes
    yield "codes.prior", codes.prior, "categorical or normal", codes.prior in _PRIORS
    if codes.prior == "categorical":
        divides = codes.group_size >= 1 and codes.num_categories % codes.group_size == 0
        yield "codes.group_size", codes.group_size, f"a divisor of num_categories, {codes.num_categories}", divides
    if codes.prior == "normal":
        clusters = "none where codes.prior is normal, since E_x then finds no clusters to compare with classes"
        yield "data.classes", config.data.classes, clusters, not config.data.classes
    for section, names in _POSITIVE.items():
        for name in names:
            yield f"{section}.{name}", config[section][name], "more than 0", config[section][name] > 0
    for section, names in _NOT_NEGATIVE.items():
        for name in names:
            yield f"{section}.{name}", config[section][name], "0 or more", config[section][name] >= 0
    for section, name in (("gan", "beta_1"), ("gan", "beta_2"), ("gan", "ema_decay"), ("segmenter", "ema_decay")):
        yield f"{section}.{name}", config[section][name], "from 0 to below 1", 0 <= config[section][name] < 1
    independence = config.gan.gamma_independence
    pair = _are_numbers(independence) and len(independence) == 2 and min(independence) >= 0
    yield "gan.gamma_independence", independence, "a pair (round 1, later rounds), each 0 or more", pair
    if any(independence):
        yield "batch_size", batch_size, "2 or more where gan.gamma_independence is more than 0", batch_size >= 2
    steps, consistency = config.schedule.final_segmenter_steps, config.segmenter.gamma_consistency
    if config.segmenter.supervised:
        yield "schedule.final_segmenter_steps", steps, "more than 0 where segmenter.supervised is True", steps > 0
    elif consistency:
        yield "schedule.final_segmenter_steps", steps, "more than 0 where segmenter.gamma_consistency is", steps > 0
    yield _pair("gan.mask_size", config.gan.mask_size, 0.0, 1.0)
    initial_mask = config.networks.initial_mask
    yield "networks.initial_mask", initial_mask, "between 0 and 1, both left out", 0 < initial_mask < 1
    depth, factor = config.networks.unet_depth, 2**config.networks.unet_depth
    yield "networks.unet_depth", depth, f"2**depth divides the resolution, {resolution}", resolution % factor == 0
    yield _pair("segmenter.mask_size", config.segmenter.mask_size, 0.0, 1.0)
    for name, limit in _COLOR_LIMITS.items():
        given = config.segmenter[name]
        yield f"segmenter.{name}", given, f"from 0 to {limit}", 0 <= given <= limit
    yield _pair("perturbation.scale_exponent", config.perturbation.scale_exponent, -2.0, 2.0)
    yield _pair("perturbation.background_contrast", config.perturbation.background_contrast, 0.0, 2.0)
    yield "perturbation.shift", config.perturbation.shift, "from 0 to 0.5", 0 <= config.perturbation.shift <= 0.5
    yield "metrics.fid_samples", config.metrics.fid_samples, "2 or more", config.metrics.fid_samples >= 2
    images = config.schedule.gan_images_per_round
    yield "schedule.gan_images_per_round", images, f"at least a batch, {batch_size}", images >= batch_size


def _is_regex(text):
    try:
        re.compile(text or "")
    except re.error:
        return False
    return True


def _are_numbers(values):
    return all(isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v) for v in values)


def _pair(name, given, low, high):
    valid = _are_numbers(given) and len(given) == 2 and low <= given[0] <= given[1] <= high
    return name, given, f"a pair (low, high) within {low} and {high}", valid


_OPTIONAL = ("data.path", "data.masks", "data.unlabelled", "data.classes", "metrics.inception")
_SWITCHES = ("jit", "data.flip", "codes.public_z", "segmenter.supervised")
_DISTRIBUTIONS = ("one_device", "mirrored", "multi_worker", "tpu")
_SOURCES = ("cub", "dogs", "cars", "apc", "folder", "shapes")
_PRIORS = ("categorical", "normal")
_POSITIVE = {
    "codes": ("z_dim", "num_categories"),
    "networks": (
        "generator_width",
        "least_width",
        "background_width",
        "background_canvas",
        "discriminator_width",
        "mask_encoder_width",
        "unet_width",
    ),
    "gan": ("generator_learning_rate", "discriminator_learning_rate"),
    "segmenter": ("learning_rate",),
    "schedule": ("rounds", "segmenter_steps_per_round"),
    "monitoring": ("scalars_every", "grid_every", "checkpoint_every"),
}
_COLOR_LIMITS = {"brightness": 2.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.5}
_NOT_NEGATIVE = {
    "networks": ("residual_blocks", "mask_centring", "unet_depth"),
    "perturbation": ("rotation",),
    "gan": ("gamma_mi", "gamma_b", "gamma_bg", "gamma_size"),
    "segmenter": ("gamma_consistency",),
    "schedule": ("annealed_rounds", "final_segmenter_steps"),
    "monitoring": ("restarts",),
}
