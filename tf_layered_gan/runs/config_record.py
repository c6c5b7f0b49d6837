"""The config that a run began with, in WORKDIR/config.json."""

import json
import os
import pathlib

from ml_collections import ConfigDict

from tf_layered_gan.config import default_config
from tf_layered_gan.config.fields import FIELDS
from tf_layered_gan.files.records import read_record, write_record
from tf_layered_gan.runs.workdir_links import check_links

# Fields that may change when a run is continued, because the steps already taken do not depend on them.
_MAY_CHANGE: tuple[str, ...] = ("schedule.", "monitoring.", "metrics.", "jit", "distribution", "data.classes")
_MAY_CHANGE += ("refine.passes", "data.path", "data.masks", "data.most_photos")  # see `check_photos`
_ENCODER_WEIGHTS = "networks.encoder_weights"  # the path may change, because checkpoints contain the weights
_MUST_STAY = ("schedule.gan_images_per_round", "schedule.segmenter_steps_per_round")


def check_config(config: ConfigDict, workdir: str | os.PathLike) -> None:
    """Checks that the run in a workdir began with this config. If there is no run, there is nothing to check.

    Args:
        config: the run's config.
        workdir: the run's directory.

    Raises:
        ValueError: the run began with another config. The message names the fields. Fields that do not change the steps
            already taken may differ: `monitoring`, `metrics`, `jit`, `distribution`, `data.classes`, `refine.passes`,
            `data.most_photos`, the paths of photos, masks and the encoder's weights, and all fields of `schedule`
            except the size of a round. A run that began with weights for its encoder cannot continue without a path of
            such weights. Also raised if the workdir lies in the folder of photos, if config.json is damaged, or if
            `check_links` refuses the workdir.
    """
    check_links(workdir)
    photos = config.data.path if config.data.source == "folder" else None
    if photos and pathlib.Path(workdir).resolve().is_relative_to(pathlib.Path(photos).resolve()):
        raise ValueError(
            f"workdir is {workdir}, allowed: a folder outside {photos}, "
            "because images in the workdir would become photos"
        )
    path = pathlib.Path(workdir) / "config.json"
    if path.exists():
        begun, given = _fixed_fields(recorded_facts(path)), _fixed_fields(config_facts(config))
        _check_fields(path, begun, given)
        fields = [name for name in sorted(given) if begun[name] != given[name]]
        if fields:
            raise ValueError(f"{path} was begun with other values of {', '.join(fields)}; take another workdir")


def move_photos(config: ConfigDict, photos: str | None, masks: str | None) -> None:
    """Sets the new folders of photos and masks in a run's config. None leaves a folder unchanged."""
    config.data.path, config.data.masks = photos or config.data.path, masks or config.data.masks


def load_config(workdir: str | os.PathLike) -> ConfigDict:
    """Reads the config that a run began with.

    Args:
        workdir: the run's directory.

    Raises:
        FileNotFoundError: there is no run in the workdir.
        ValueError: config.json is damaged, or has other fields than this version. The message names these fields. See
            also `check_links`.
    """
    check_links(workdir)
    path = pathlib.Path(workdir) / "config.json"
    if not path.exists():
        raise FileNotFoundError(f"no config.json in {workdir}: train first (python -m tf_layered_gan.main)")
    config, recorded = default_config(), recorded_facts(path)
    _check_fields(path, recorded, config_facts(config))
    try:
        config.update_from_flattened_dict(recorded)  # this turns the lists from JSON back into tuples
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    return config


def record_config(config: ConfigDict, workdir: str | os.PathLike) -> None:
    """Writes the resolved config to WORKDIR/config.json. Creates the directory if it is missing."""
    path = pathlib.Path(workdir) / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_record(path, json.loads(config.to_json()))


def config_facts(config: ConfigDict) -> dict:
    """Returns a dict from dotted field names to values. The values have been converted to JSON and back."""
    return flattened(json.loads(config.to_json()))


def flattened(record: dict, prefix: str = "") -> dict:
    """Flattens a nested dict. The keys of the result are dotted names."""
    flat: dict = {}
    for name, value in record.items():
        flat |= flattened(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def recorded_facts(path: pathlib.Path) -> dict:
    """Returns a recorded config as a dict from dotted names to values.

    Fields that later versions added have their defaults.
    """
    defaults = config_facts(default_config())
    return {field.name: defaults[field.name] for field in FIELDS if field.added} | flattened(read_record(path))


def _fixed_fields(facts: dict) -> dict:
    """Returns the fields that must keep their values when a run is continued."""
    fixed = {name: value for name, value in facts.items() if name in _MUST_STAY or not name.startswith(_MAY_CHANGE)}
    return fixed | {_ENCODER_WEIGHTS: facts[_ENCODER_WEIGHTS] is not None}


def _check_fields(path: pathlib.Path, recorded: dict, known: dict) -> None:
    differences = {"lacks": known.keys() - recorded.keys(), "has the unknown": recorded.keys() - known.keys()}
    words = [f"{verb} {', '.join(sorted(names))}" for verb, names in differences.items() if names]
    if words:
        raise ValueError(f"{path} {' and '.join(words)}: another version wrote it; take another workdir")
