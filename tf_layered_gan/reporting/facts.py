"""The section of the report about the run itself: its command, settings, versions of libraries, and times."""

import platform
import shlex
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_layered_gan import __version__
from tf_layered_gan.config import default_config
from tf_layered_gan.reporting.markup import Section, element, paragraphs, section, table
from tf_layered_gan.reporting.recorded import Recorded
from tf_layered_gan.runs.config_record import config_facts

# The entries of metrics.json that are shown. Only a student has the last four.
_NUMBERS = ("seed", "images_seen", "segmenter_steps", "network", "width", "parameters", "steps_taken")


def facts_section(run: Recorded) -> Section:
    """Shows how the run was made, and a command to repeat it."""
    changed = changed_settings(run)
    parts = [element("details", element("summary", "A command with the same settings"), element("pre", command(run)))]
    if run.is_student:
        parts.append(
            paragraphs("These are the settings of the teacher's run. The student's own settings are in student.json.")
        )
    if changed:
        rows = [[name, _shown(value), _shown(default)] for name, (value, default) in changed.items()]
        parts.append(table(["setting", "this run", "default"], rows, "Settings that differ from the default"))
    whole = [[name, _shown(value)] for name, value in sorted(run.settings.items())]
    if whole:
        everything = table(["setting", "value"], whole, "All settings")
        parts.append(element("details", element("summary", f"All {len(whole)} settings"), everything))
    parts.append(table(["fact", "value"], _facts(run), "Times, numbers and versions"))
    return section("facts", "Settings, versions and times", *parts)


def changed_settings(run: Recorded) -> dict[str, tuple[Any, Any]]:
    """Returns each setting that differs from its default, with the run's value and the default."""
    defaults = config_facts(default_config())
    return {name: (value, defaults.get(name)) for name, value in run.settings.items() if value != defaults.get(name)}


def command(run: Recorded) -> str:
    """Returns a command that trains with the run's settings."""
    fields = [f"--config.{name}={_argument(value)}" for name, (value, _) in changed_settings(run).items()]
    flags = map(shlex.quote, ["--config=default", *fields, "--workdir=NEW"])
    return " \\\n  ".join(["tf-layered-gan", *flags])


def versions() -> dict[str, str]:
    """Returns the versions of this program and its libraries, and the device."""
    devices = [device.device_type for device in tf.config.list_logical_devices()]
    return {
        "tf-layered-gan": __version__,
        "TensorFlow": tf.__version__,
        "Keras": keras.version(),
        "NumPy": np.__version__,
        "Python": platform.python_version(),
        "machine": f"{platform.machine()}, {platform.system()}, devices: {', '.join(sorted(devices))}",
    }


def _facts(run: Recorded) -> list[list[str]]:
    metrics = run.metrics
    shown = [name for name in _NUMBERS if name in metrics and (metrics[name] or name == "seed")]
    facts = {name.replace("_", " "): metrics[name] for name in shown}
    if metrics.get("training_seconds"):
        facts["time of training"] = _time(metrics["training_seconds"])
    facts |= {f"photos: {name}": count for name, count in metrics.get("photos", {}).items()}
    speeds = {name: series for name, series in run.scalars.items() if name.endswith("images_per_second")}
    for name, series in speeds.items():
        facts[f"images a second, {name.split('/')[0]}"] = f"{np.median([value for _, value in series]):.1f} (median)"
    rows = [[name, f"{value:,}" if isinstance(value, int) else str(value)] for name, value in facts.items()]
    return rows + [[f"{name}, at this report", version] for name, version in versions().items()]


def _time(seconds: float) -> str:
    minutes, hours = divmod(round(seconds / 60), 60)[1], round(seconds / 60) // 60
    return f"{hours} h {minutes} min" if hours else f"{seconds / 60:.1f} min"


def _argument(value: Any) -> str:
    return str(tuple(value)) if isinstance(value, list) else str(value)


def _shown(value: Any) -> str:
    return "none" if value is None else _argument(value)
