"""The checks of a config, made before anything is built from it."""

from collections.abc import Iterator
from typing import Any

from ml_collections import ConfigDict

from tf_layered_gan.config.checks import MOST, is_finite
from tf_layered_gan.config.fields import FIELDS, default_config

# The name of a field, its value, the allowed values in words, and whether the value is allowed.
_Checked = tuple[str, Any, str, bool]

_KINDS = {
    int: "a whole number",
    float: "a finite number",
    bool: "True or False",
    str: "a text",
    tuple: "a tuple",
    object: "a value",
}
_OPTIONAL = tuple(field.name for field in FIELDS if field.default is None)
_MISSING = object()
_MOST_CHANNELS = 8_192


def validate(config: ConfigDict) -> None:
    """Checks every field.

    Raises:
        ValueError: a field is wrong. The message names every wrong field, the value given, and the allowed values.
            Missing fields, unknown fields and values of the wrong type are reported first, without the other errors.
    """
    if not isinstance(config, ConfigDict):
        raise ValueError(f"the config is {_shown(config)}, allowed: a ConfigDict, see tf_layered_gan/config/fields.py")
    for checked in (_check_types(config, default_config()), _check_values(config)):
        problems = [
            f"{name} is {_shown(given)}, allowed: {allowed}" for name, given, allowed, fine in checked if not fine
        ]
        if problems:
            raise ValueError("; ".join(problems))


def _shown(given: Any) -> str:
    try:
        return "missing" if given is _MISSING else f"{given!r:.200}"
    except ValueError:  # Python refuses to print an integer with thousands of digits
        return "a number with thousands of digits"


def _check_types(config: ConfigDict, known: ConfigDict, prefix: str = "") -> Iterator[_Checked]:
    """Checks that all fields are known and have values of the right type, because a config file may set anything."""
    for name in [*known, *(name for name in config if name not in known)]:
        field, given = f"{prefix}{name}", config.get(name, _MISSING)
        if name not in known:
            yield field, given, "no field of this name, see tf_layered_gan/config/fields.py", False
        elif given is _MISSING:
            yield field, given, "a value", False
        elif isinstance(known[name], ConfigDict):
            is_section = isinstance(given, ConfigDict)
            yield field, given, "a section of fields", is_section
            yield from _check_types(given, known[name], f"{field}.") if is_section else ()
        elif given is None:
            yield field, given, "a value", field in _OPTIONAL
        else:
            yield field, given, *_check_type(given, known.get_type(name))


def _check_type(given: Any, kind: type) -> tuple[str, bool]:
    if isinstance(given, bool) and kind in (int, float):
        return "a number, neither True nor False", False
    if kind is float and isinstance(given, int | float):
        return "a finite number", is_finite(given)
    return _KINDS[kind], isinstance(given, kind)


def _check_values(config: ConfigDict) -> Iterator[_Checked]:
    """Checks each field by itself, then the rules that involve several fields."""
    for field in FIELDS:
        *sections, name = field.name.split(".")
        given = (config[sections[0]] if sections else config)[name]
        yield field.name, given, field.check.allowed, field.check.accepts(given)
    yield from _check_data(config)
    yield from _check_training(config)
    yield from _check_unet(config)


def _check_data(config: ConfigDict) -> Iterator[_Checked]:
    data, codes, source = config.data, config.codes, config.data.source
    if source == "folder":
        yield "data.path", data.path, "a folder of photos: --config.data.path=DIR", bool(data.path)
        yield "data.holdout", data.holdout, f"2 or more, at most {MOST}", 2 <= data.holdout <= MOST
    if source in ("dogs", "cars"):
        yield "data.holdout", data.holdout, f"1 or more, at most {MOST}", 1 <= data.holdout <= MOST
    if source in ("cub", "apc"):
        yield "data.masks", data.masks, f"none, because {source} has true masks", data.masks is None
    if codes.prior == "categorical":
        divides = codes.group_size >= 1 and codes.num_categories % codes.group_size == 0
        allowed = f"a divisor of num_categories, {_shown(codes.num_categories)}"
        yield "codes.group_size", codes.group_size, allowed, divides
    if codes.prior == "normal":
        allowed = "none if codes.prior is normal, because E_x then finds no clusters to compare with classes"
        yield "data.classes", data.classes, allowed, not data.classes


def _check_training(config: ConfigDict) -> Iterator[_Checked]:
    batch_size, schedule = config.batch_size, config.schedule
    one_device = config.distribution == "one_device"
    yield "jit", config.jit, "True on one_device only", config.jit is not True or one_device
    images = schedule.gan_images_per_round
    allowed = f"at least batch_size, which is {_shown(batch_size)}, and at most {MOST}"
    yield "schedule.gan_images_per_round", images, allowed, images >= batch_size
    if any(config.gan.gamma_independence):
        yield "batch_size", batch_size, "2 or more if gan.gamma_independence is more than 0", batch_size >= 2
    if config.gan.gamma_variety:
        yield "batch_size", batch_size, "an even number if gan.gamma_variety is more than 0", batch_size % 2 == 0
    groups = config.networks.minibatch_groups
    allowed = f"0, or a number from 2 on that divides batch_size, which is {_shown(batch_size)}"
    yield "networks.minibatch_groups", groups, allowed, not groups or (groups >= 2 and batch_size % groups == 0)
    if config.gan.augmentation == "none":
        target = config.gan.augmentation_target
        yield "gan.augmentation_target", target, "0 if gan.augmentation is none", target == 0
    passes = config.refine.bootstrap or config.refine.passes
    allowed = "one_device and mirrored, because refine.bootstrap is True or refine.passes is more than 0"
    yield "distribution", config.distribution, allowed, not passes or config.distribution in ("one_device", "mirrored")
    allowed = "none if refine.bootstrap is False and refine.passes is 0"
    yield "refine.rejected", config.refine.rejected, allowed, bool(passes) or config.refine.rejected is None
    labeller = config.refine.labeller
    yield (
        "refine.labeller",
        labeller,
        "none if refine.bootstrap is False",
        config.refine.bootstrap or labeller is None,
    )
    if labeller is None:
        for name, default in {"size": 0, "range": (0.0, 0.0), "logits": False, "channel": -1}.items():
            value = config.refine[f"labeller_{name}"]
            yield f"refine.labeller_{name}", value, f"{default} if refine.labeller is none", value == default
    steps = schedule.final_segmenter_steps
    for needs, reason in (
        (config.segmenter.supervised, "segmenter.supervised is True"),
        (config.segmenter.gamma_consistency, "segmenter.gamma_consistency is more than 0"),
    ):
        if needs:
            yield "schedule.final_segmenter_steps", steps, f"more than 0 if {reason}", steps > 0


def _check_unet(config: ConfigDict) -> Iterator[_Checked]:
    depth, width, resolution = config.networks.unet_depth, config.networks.unet_width, config.resolution
    if not 0 <= depth <= 8:  # `_check_values` reports this depth, and computing 2**depth could take for ever
        return
    allowed = f"2**depth divides the resolution, {_shown(resolution)}"
    yield "networks.unet_depth", depth, allowed, resolution % 2**depth == 0
    allowed = f"unet_width * 2**unet_depth is at most {_MOST_CHANNELS}"
    yield "networks.unet_width", width, allowed, width * 2**depth <= _MOST_CHANNELS
    encoder, weights = config.networks.encoder, config.networks.encoder_weights
    if encoder != "none":
        yield "networks.unet_depth", depth, f"from 1 to 5 if networks.encoder is {_shown(encoder)}", 1 <= depth <= 5
    else:
        allowed = "none if networks.encoder is none"
        yield "networks.encoder_weights", weights, allowed, weights is None
