"""The config that a run was begun with, in WORKDIR/config.json."""

import json
import pathlib

from tf_layered_gan.config import default_config
from tf_layered_gan.files.records import read_record, write_record
from tf_layered_gan.runs.workdir_links import check_links

_MAY_CHANGE = ("schedule.", "monitoring.", "metrics.", "jit", "distribution", "data.classes")
_OF_A_ROUND = ("schedule.gan_images_per_round", "schedule.segmenter_steps_per_round")  # which bind, as rounds follow


def check_config(config, workdir):
    """Checks that a run in `workdir`, if there is one, was begun with this config.

    Args:
        config: the run's ConfigDict.
        workdir: the run's directory.

    Raises:
        ValueError: if `workdir` lies in the folder of photos, or the run was begun with another config, or with one
            of other fields; names the fields. What leaves the earlier steps as they were may change: `monitoring`,
            `metrics`, `jit`, `distribution`, `data.classes` and, of `schedule`, all but the size of a round. Also if
            the run's config.json is damaged, or something in `workdir` would have the run write elsewhere, see
            `check_links`.
    """
    check_links(workdir)
    photos = config.data.path if config.data.source == "folder" else None
    if photos and pathlib.Path(workdir).resolve().is_relative_to(pathlib.Path(photos).resolve()):
        raise ValueError(f"workdir is {workdir}, in the folder of photos, which would take its pictures for photos too")
    path = pathlib.Path(workdir) / "config.json"
    if path.exists():
        begun, given = _binding(read_record(path)), _binding(json.loads(config.to_json()))
        _check_fields(path, begun, given)
        fields = [name for name in sorted(given) if begun[name] != given[name]]
        if fields:
            raise ValueError(f"{path} was begun with other values of {', '.join(fields)}; take another workdir")


def config_facts(config):
    """Returns a config's values by dotted names, a dict of what JSON knows."""
    return _flattened(json.loads(config.to_json()))


def load_config(workdir):
    """Reads the config that a run was begun with.

    Args:
        workdir: the run's directory.

    Returns:
        ConfigDict.

    Raises:
        FileNotFoundError: there is no run in `workdir`.
        ValueError: its config.json is damaged, or has other fields than configs/default.py; names them. Also as
            `check_links`.
    """
    check_links(workdir)
    path = pathlib.Path(workdir) / "config.json"
    if not path.exists():
        raise FileNotFoundError(f"no config.json in {workdir}: train first (python -m tf_layered_gan.main)")
    config, recorded = default_config(), _flattened(read_record(path))
    _check_fields(path, recorded, _flattened(json.loads(config.to_json())))
    try:
        config.update_from_flattened_dict(recorded)  # makes tuples again of what JSON has as lists
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    return config


def record_config(config, workdir):
    """Writes the resolved config to WORKDIR/config.json; makes the directory where it is missing."""
    path = pathlib.Path(workdir) / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_record(path, json.loads(config.to_json()))


def _flattened(record, prefix=""):
    """The values of a nested dict, by dotted names."""
    flat = {}
    for name, value in record.items():
        flat |= _flattened(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def _binding(record):
    """Those fields of a recorded config that a run must go on with."""
    return {
        name: value
        for name, value in _flattened(record).items()
        if name in _OF_A_ROUND or not name.startswith(_MAY_CHANGE)
    }


def _check_fields(path, recorded, known):
    differences = {"lacks": known.keys() - recorded.keys(), "has the unknown": recorded.keys() - known.keys()}
    words = [f"{verb} {', '.join(sorted(names))}" for verb, names in differences.items() if names]
    if words:
        raise ValueError(f"{path} {' and '.join(words)}: another version wrote it; take another workdir")
