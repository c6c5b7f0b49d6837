"""Checks a config before anything is built from it."""

import math
import re

from configs import default


def validate(config):
    """Checks every field that could be wrong in a way its type does not show.

    Args:
        config: the resolved ConfigDict, see configs/default.py.

    Raises:
        ValueError: names every wrong field, what was given and what is allowed. Fields that are missing or unknown, and
            what is no value of the field's kind, are named first, and alone, since nothing can be compared with them.
    """
    known = default.get_config()
    if not isinstance(config, type(known)):
        raise ValueError(f"the config is {_shown(config)}, allowed: a ConfigDict, see configs/default.py")
    for checks in (_checks_of_kind(config, known), _checks(config)):
        problems = [
            f"{name} is {_shown(given)}, allowed: {allowed}" for name, given, allowed, valid in checks if not valid
        ]
        if problems:
            raise ValueError("; ".join(problems))


def _shown(given):
    try:
        return "missing" if given is _MISSING else f"{given!r:.200}"
    except ValueError:  # of the digits that Python writes there are only so many
        return "a number of thousands of digits"


def _checks_of_kind(config, known, prefix=""):
    """Yields as `_checks` does, for fields and types that a known config lacks: a file may set anything."""
    for name in [*known, *(name for name in config if name not in known)]:
        field, given = f"{prefix}{name}", config.get(name, _MISSING)
        if name not in known:
            yield field, given, "no field of this name, see configs/default.py", False
        elif given is _MISSING:
            yield field, given, "a value", False
        elif isinstance(known[name], type(known)):
            is_section = isinstance(given, type(known))
            yield field, given, "a section of fields", is_section
            yield from _checks_of_kind(given, known[name], f"{field}.") if is_section else ()
        elif given is None:
            yield field, given, "a value", field in _OPTIONAL
        else:
            yield field, given, *_check_of_type(given, known.get_type(name))


def _check_of_type(given, kind):
    """Returns (what is allowed, whether it is), of a value of a type that a field has."""
    if isinstance(given, bool) and kind in (int, float):
        return "a number, neither True nor False", False
    if kind is float and isinstance(given, (int, float)):
        return "a finite number", _is_finite(given)
    return _KINDS[kind], isinstance(given, kind)


def _is_finite(number):
    try:
        return math.isfinite(number)
    except OverflowError:  # an int of hundreds of digits
        return False


def _checks(config):
    """Yields (field, value given, what is allowed, whether it is)."""
    resolution, batch_size = config.resolution, config.batch_size
    power = 16 <= resolution <= _MOST_PIXELS and resolution & (resolution - 1) == 0
    yield "resolution", resolution, f"a power of two from 16 on, at most {_MOST_PIXELS}", power
    yield "batch_size", batch_size, f"1 or more, at most {_MOST_AT_ONCE}", 1 <= batch_size <= _MOST_AT_ONCE
    yield "seed", config.seed, "from 0 to 2**32 - 2", 0 <= config.seed < 2**32 - 1
    distribution, strategies = config.distribution, "one_device, mirrored, multi_worker or tpu"
    yield "distribution", distribution, strategies, distribution in _DISTRIBUTIONS
    yield "jit", config.jit, "True on one_device only", not config.jit or distribution == "one_device"
    source = config.data.source
    yield "data.source", source, "cub, dogs, cars, apc, folder or shapes", source in _SOURCES
    if source == "folder":
        yield "data.path", config.data.path, "a folder of photos: --config.data.path=DIR", bool(config.data.path)
        yield "data.holdout", config.data.holdout, f"2 or more, at most {_MOST}", 2 <= config.data.holdout <= _MOST
        grey = config.data.unlabelled is None or 0 <= config.data.unlabelled <= 255
        yield "data.unlabelled", config.data.unlabelled, "a grey value from 0 to 255, or none", grey
    if source in ("dogs", "cars"):
        yield "data.holdout", config.data.holdout, f"1 or more, at most {_MOST}", 1 <= config.data.holdout <= _MOST
    if source in ("cub", "apc"):
        yield "data.masks", config.data.masks, f"none, as {source} has true masks", config.data.masks is None
    yield "data.classes", config.data.classes, "a regular expression, or none", _is_regex(config.data.classes)
    for name in ("path", "masks"):
        yield f"data.{name}", config.data[name], "a folder, or none", config.data[name] != ""
    for name, most in _MOST_PICTURES.items():
        yield f"data.{name}", config.data[name], f"1 or more, at most {most}", 1 <= config.data[name] <= most
    yield _pair("data.crop_scale", config.data.crop_scale, 0.25, 1.0)
    codes = config.codes
    yield "codes.prior", codes.prior, "categorical or normal", codes.prior in _PRIORS
    if codes.prior == "categorical":
        divides = codes.group_size >= 1 and codes.num_categories % codes.group_size == 0
        yield (
            "codes.group_size",
            codes.group_size,
            f"a divisor of num_categories, {_shown(codes.num_categories)}",
            divides,
        )
    if codes.prior == "normal":
        clusters = "none where codes.prior is normal, since E_x then finds no clusters to compare with classes"
        yield "data.classes", config.data.classes, clusters, not config.data.classes
    for section, fields in _POSITIVE.items():
        for name, most in fields.items():
            given = config[section][name]
            yield f"{section}.{name}", given, f"more than 0, at most {most}", 0 < given <= most
    for section, fields in _NOT_NEGATIVE.items():
        for name, most in fields.items():
            given = config[section][name]
            yield f"{section}.{name}", given, f"0 or more, at most {most}", 0 <= given <= most
    for section, name in (("gan", "beta_1"), ("gan", "beta_2"), ("gan", "ema_decay"), ("segmenter", "ema_decay")):
        yield f"{section}.{name}", config[section][name], "from 0 to below 1", 0 <= config[section][name] < 1
    independence = config.gan.gamma_independence
    pair = _are_numbers(independence) and len(independence) == 2
    pair = pair and min(independence) >= 0 and max(independence) <= _MOST_WEIGHT
    yield (
        "gan.gamma_independence",
        independence,
        f"a pair (round 1, later rounds), each 0 or more, at most {_MOST_WEIGHT}",
        pair,
    )
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
    depth, width = config.networks.unet_depth, config.networks.unet_width
    if 0 <= depth <= _NOT_NEGATIVE["networks"]["unet_depth"]:  # else 2**depth may take for ever
        yield (
            "networks.unet_depth",
            depth,
            f"2**depth divides the resolution, {_shown(resolution)}",
            resolution % 2**depth == 0,
        )
        channels = f"unet_width * 2**unet_depth is at most {_MOST_CHANNELS}"
        yield "networks.unet_width", width, channels, width * 2**depth <= _MOST_CHANNELS
    yield _pair("segmenter.mask_size", config.segmenter.mask_size, 0.0, 1.0)
    for name, limit in _COLOR_LIMITS.items():
        given = config.segmenter[name]
        yield f"segmenter.{name}", given, f"from 0 to {limit}", 0 <= given <= limit
    yield _pair("perturbation.scale_exponent", config.perturbation.scale_exponent, -2.0, 2.0)
    yield _pair("perturbation.background_contrast", config.perturbation.background_contrast, 0.0, 2.0)
    yield "perturbation.shift", config.perturbation.shift, "from 0 to 0.5", 0 <= config.perturbation.shift <= 0.5
    samples = config.metrics.fid_samples
    yield "metrics.fid_samples", samples, f"2 or more, at most {_MOST}", 2 <= samples <= _MOST
    images, allowed = config.schedule.gan_images_per_round, f"at least a batch, {_shown(batch_size)}, at most {_MOST}"
    yield "schedule.gan_images_per_round", images, allowed, batch_size <= images <= _MOST


def _is_regex(text):
    try:
        re.compile(text or "")
    except (re.error, OverflowError, RecursionError):  # a{9999999999}, and too many brackets
        return False
    return True


def _are_numbers(values):
    return all(isinstance(v, (int, float)) and not isinstance(v, bool) and _is_finite(v) for v in values)


def _pair(name, given, low, high):
    valid = _are_numbers(given) and len(given) == 2 and low <= given[0] <= given[1] <= high
    return name, given, f"a pair (low, high) within {low} and {high}", valid


_MISSING = object()
_KINDS = {int: "a whole number", float: "a finite number", bool: "True or False", str: "a text", tuple: "a tuple"}
_OPTIONAL = ("data.path", "data.masks", "data.unlabelled", "data.classes", "metrics.inception")
_DISTRIBUTIONS = ("one_device", "mirrored", "multi_worker", "tpu")
_SOURCES = ("cub", "dogs", "cars", "apc", "folder", "shapes")
_PRIORS = ("categorical", "normal")
# These limits are far from any use: beyond them a run would not begin, for want of time, memory or digits.
_MOST = 2**31 - 1
_MOST_PIXELS, _MOST_AT_ONCE, _MOST_CHANNELS, _MOST_WEIGHT = 1024, 65_536, 8_192, 1_000_000
_MOST_PICTURES = {"train_pictures": 10_000_000, "held_out_pictures": 1_000_000}
_POSITIVE = {
    "codes": {"z_dim": 10_000, "num_categories": 100_000},
    "networks": {
        "generator_width": 512,
        "least_width": 512,
        "background_width": 512,
        "background_canvas": 8,
        "discriminator_width": 512,
        "mask_encoder_width": 512,
        "unet_width": 512,
    },
    "gan": {"generator_learning_rate": 1, "discriminator_learning_rate": 1},
    "segmenter": {"learning_rate": 1},
    "schedule": {"rounds": 10_000, "segmenter_steps_per_round": _MOST},
    "monitoring": {"scalars_every": _MOST, "grid_every": _MOST, "checkpoint_every": _MOST},
}
_COLOR_LIMITS = {"brightness": 2.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.5}
_NOT_NEGATIVE = {
    "networks": {"residual_blocks": 100, "mask_centring": 1_000, "unet_depth": 8},
    "perturbation": {"rotation": 180},
    "gan": {"gamma_mi": _MOST_WEIGHT, "gamma_b": _MOST_WEIGHT, "gamma_bg": _MOST_WEIGHT, "gamma_size": _MOST_WEIGHT},
    "segmenter": {"gamma_consistency": _MOST_WEIGHT},
    "schedule": {"annealed_rounds": _MOST, "final_segmenter_steps": _MOST},
    "monitoring": {"restarts": 100},
}
