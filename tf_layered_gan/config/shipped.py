"""The configs that the package ships, and the flag --config that finds them by name."""

import os
import pathlib
import re
from collections.abc import Mapping
from typing import Any

from absl import flags
from ml_collections import ConfigDict, config_flags
from ml_collections.config_flags.config_flags import ConfigFileFlagParser

from tf_layered_gan.config.fields import FIELDS
from tf_layered_gan.console.names import did_you_mean
from tf_layered_gan.files.paths import resolved

# --help lists the flag under the program that calls `define_flag`, not under this module.
flags.disclaim_key_flags()

FIELD_NAMES = [field.name for field in FIELDS]
_SECTIONS = {name.split(".")[0] for name in FIELD_NAMES if "." in name}


def folder() -> pathlib.Path:
    """Returns the folder of the shipped configs: tf_layered_gan/configs in an installation, configs/ in a checkout."""
    here = pathlib.Path(__file__)
    installed = here.parents[1] / "configs"
    return installed if installed.exists() else here.parents[2] / "configs"


def names() -> list[str]:
    """Returns the names of the shipped configs, sorted."""
    return sorted(path.stem for path in folder().glob("*.py") if path.stem != "__init__")


def find(config: str) -> str:
    """Returns the path of a config file.

    Args:
        config: the name of a shipped config, such as "folder", or the path of any config file. Text with a slash or a
            suffix is treated as a path. A path is returned unchanged, even if there is no such file.

    Raises:
        ValueError: no shipped config has this name.
    """
    if "/" in config or pathlib.PurePath(config).suffix:
        return config
    if config not in names():
        raise ValueError(_unknown(config))
    return str(folder() / f"{config}.py")


def _unknown(config: str) -> str:
    near = did_you_mean(config, names())
    return f"config is {config!r}, allowed: {', '.join(names())}, or the path of a .py file{near}"


def load(config: str, settings: Mapping[str, Any]) -> ConfigDict:
    """Loads a config file and sets some of its fields.

    Args:
        config: a name or a path, see `find`.
        settings: dict from names of fields to their new values, such as {"gan.gamma_mi": 0.5}.

    Raises:
        ValueError: there is no such config or no such field, or a value has a wrong type.
    """
    if not os.path.isfile(resolved(find(config), "config")):
        raise ValueError(_unknown(config))
    loaded = _NameOrPathParser("config").parse(config)
    for name, value in settings.items():
        set_field(loaded, name, value)
    return loaded


def check_fields(argv: list[str]) -> None:
    """Refuses flags such as --config.gan.gamma_mj=1, which set a field that does not exist.

    Raises:
        ValueError: a field does not exist. The message names the unknown field, and the known field with the most
            similar name.
    """
    for argument in argv:
        name = re.match(r"--?(?:no)?config\.([^=]*)", argument)
        if name and name[1] not in _SECTIONS:
            _check_field(name[1])


def _check_field(name: str) -> None:
    if name not in FIELD_NAMES:
        raise ValueError(f"there is no field {name:.200}{did_you_mean(name, FIELD_NAMES)}")


def set_field(config: ConfigDict, name: str, value: Any) -> None:
    """Sets one field of a config. Checks the type of the value, and leaves all other checks to `validate`.

    Args:
        config: the config to change.
        name: name of the field with its section, such as "gan.gamma_mi".
        value: the new value.

    Raises:
        ValueError: there is no such field, or the value has a wrong type.
    """
    _check_field(name)
    try:
        config.update_from_flattened_dict({name: value})
    except TypeError as error:
        raise ValueError(f"{name} is {value!r:.200}: {error}") from error


class _NameOrPathParser(ConfigFileFlagParser):
    def parse(self, path: str) -> ConfigDict:
        file = resolved(find(path), "--config")
        return super().parse(_UnsplitPath(file) if os.path.isfile(file) else file)


class _UnsplitPath(str):
    """A path whose method `split` returns the whole path.

    Without this class, ml_collections would split a path at a colon, and pass the second part to the config as an
    argument.
    """

    def split(self, *_: object) -> list[str]:  # type: ignore[override]
        return [self]


def define_flag(
    help_string: str, *, flag_values: flags.FlagValues = flags.FLAGS, sys_argv: list[str] | None = None
) -> flags.FlagHolder[ConfigDict]:
    """Defines the flag --config, whose value is the name of a shipped config or the path of a config file.

    A flag such as --config.gan.gamma_mi=1 sets a field of the config. The config is locked, so a misspelt field is
    refused.

    Args:
        help_string: what the program uses the config for. The function appends the allowed values.
        flag_values: the flags to which --config is added.
        sys_argv: the command line with the flags that set fields; it begins with the program's name. None means
            sys.argv.

    Returns:
        The flag's holder. The value of the flag is a ConfigDict, or None if the flag is not given.
    """
    allowed = f"{', '.join(names())}, or the path of a .py file"
    holder = config_flags.DEFINE_config_file(
        "config", None, f"{help_string} Allowed: {allowed}.", flag_values, lock_config=True, sys_argv=sys_argv
    )
    flag_values["config"].parser = _NameOrPathParser("config")
    return holder
