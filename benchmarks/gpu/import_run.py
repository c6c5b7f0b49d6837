"""A command that makes an ordinary workdir from the files that a device returned.

    python -m benchmarks.gpu.import_run --returned=OUT --workdir=runs/device

After this command, `python -m tf_layered_gan.main --mode=evaluate`, `--mode=synthesize` and `python -m export.main`
work as for any other run. Some variables can be missing in the files. If a generator or the segmenter is missing, its
variables are copied from its average. All other missing variables keep their initial values. WORKDIR/imported.json
names the groups of variables that were missing.

With --config=FILE, the run can be continued here, for example with passes over photos. The config sets the fields of
`segmenter` and `refine`, `precision` and the number of final steps, for what is trained from now on.
"""

import pathlib
import re
import shutil
from typing import Any

import numpy as np
from absl import flags
from ml_collections import ConfigDict, config_flags

from benchmarks.gpu.device.weights import read_weights
from benchmarks.gpu.programs import Models
from tf_layered_gan.command_line import define_path, run_command
from tf_layered_gan.config import default_config, validate
from tf_layered_gan.files.records import write_record
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import config_facts, load_config, record_config

_AVERAGES = {
    "background_generator": "average_background_generator",
    "foreground_generator": "average_foreground_generator",
    "segmenter": "average_segmenter",
}
# Fields of --config that hold for the rest of the run, and fields that are ignored. All others must be the device's.
_REST = ("precision", "segmenter.", "refine.", "schedule.final_segmenter_steps")
_IGNORED = ("schedule.", "monitoring.", "metrics.", "data.path", "data.masks", "jit", "distribution", "seed")
_OF_THE_DEVICE = ("rounds", "gan_images_per_round", "segmenter_steps_per_round")
_FACTS = ("device_kind", "jax", "precision", "seed", "half", "rounds", "seconds_a_step")


def import_run(returned: pathlib.Path, workdir: pathlib.Path, rest: ConfigDict | None = None) -> dict[str, Any]:
    """Writes a workdir with a checkpoint, the config, the record of the photos and the learning curve.

    Args:
        returned: the folder that the device returned.
        workdir: a new directory.
        rest: settings for the rest of the run, see `config_of`.

    Returns:
        dict, the content of imported.json.

    Raises:
        FileNotFoundError: if a file is missing in `returned`.
        ValueError: if `workdir` has a run already, if the config is not valid, or if the variables of this version's
            models differ from those of the models on the device.
    """
    if (workdir / "config.json").exists():
        raise ValueError(f"{workdir} has a run already, allowed: a new directory")
    record, values = read_weights(returned)
    config = config_of(record, rest)
    validate(config)
    models = Models(config)
    _check_variables(models, record)
    made_up = _assign(models, values)
    checkpointer, progress = Checkpointer(workdir, models.gan, models.segmenter), record["progress"]
    checkpointer.gan_step.assign(progress["gan_step"])
    checkpointer.segmenter_step.assign(progress["segmenter_step"])
    checkpointer.final_step.assign(progress["final_step"])
    checkpointer.final_round.assign(record["rounds"])
    checkpointer.seconds.assign(progress["seconds"])
    record_config(config, workdir)
    write_record(workdir / "photos.json", record["photos"])
    if (returned / "curve.csv").exists():
        shutil.copy(returned / "curve.csv", workdir)
    checkpointer.save()
    imported = {name: record[name] for name in _FACTS}
    imported |= {"made_up": made_up, "cut": progress["cut"], "test_on_the_device": progress.get("test")}
    write_record(workdir / "imported.json", imported)
    return imported


def config_of(record: dict[str, Any], rest: ConfigDict | None = None) -> ConfigDict:
    """Returns the run's config. Its schedule has the numbers of steps that the device took.

    Args:
        record: the content of record.json.
        rest: a config whose fields `segmenter.*`, `refine.*`, `precision` and `schedule.final_segmenter_steps` replace
            those of the device. None keeps the device's.

    Raises:
        ValueError: `rest` has fewer final steps than the device took, or differs from the device's config in a field
            that cannot change any more.
    """
    config, progress, rounds = default_config(), record["progress"], record["rounds"]
    config.update_from_flattened_dict(config_facts(ConfigDict(record["config"])))
    config.jit = False  # selects TensorFlow's own warp
    config.schedule.rounds, config.schedule.annealed_rounds = rounds, min(record["annealed_rounds"], rounds)
    config.schedule.gan_images_per_round = progress["gan_step"] // rounds * record["batch_size"]
    config.schedule.segmenter_steps_per_round = progress["segmenter_step"] // rounds
    config.schedule.final_segmenter_steps = progress["final_step"]
    return config if rest is None else _with_rest(config, rest)


def _with_rest(config: ConfigDict, rest: ConfigDict) -> ConfigDict:
    given, device = config_facts(rest), config_facts(config)
    fixed = [name for name in given if not name.startswith(_REST + _IGNORED)]
    if changed := [name for name in fixed if given[name] != device[name]]:
        values = ", ".join(f"{name} is {given[name]}, on the device {device[name]}" for name in changed)
        raise ValueError(f"the config differs from that of the device: {values}")
    if rest.schedule.final_segmenter_steps < config.schedule.final_segmenter_steps:
        raise ValueError(
            f"schedule.final_segmenter_steps is {rest.schedule.final_segmenter_steps}, allowed: at least "
            f"{config.schedule.final_segmenter_steps}, because the device took as many final steps"
        )
    config.update_from_flattened_dict({name: given[name] for name in given if name.startswith(_REST)})
    return config


def _check_variables(models: Models, record: dict[str, Any]) -> None:
    ours = {name: _unnumbered(variable.path) for name, variable in models.variables.items()}
    theirs = {name: _unnumbered(path) for name, path in record["paths"].items()}
    for name in sorted(ours | theirs):
        if ours.get(name) != theirs.get(name):
            raise ValueError(f"{name} is {theirs.get(name)} in record.json, but {ours.get(name)} in the models")


def _unnumbered(path: str) -> str:
    """Returns a variable's path without the numbers that Keras adds to the names of layers.

    In the path of an optimizer's variable, such as "adam/conv2d_11_kernel_momentum", no slash follows the number.
    """
    return re.sub(r"_\d+(?=[/_])", "", path)


def _assign(models: Models, values: dict[str, np.ndarray]) -> dict[str, str]:
    """Assigns the values that came back from the device, and fills in the values that are missing.

    Returns:
        dict from each group with missing variables to a description of the replacement.
    """
    made_up = {}
    for name, variable in models.variables.items():
        group, number = name.split("/")
        average = f"{_AVERAGES.get(group)}/{number}"
        if name in values:
            variable.assign(values[name])
        elif average in values:
            variable.assign(values[average])
            made_up[group] = f"as {_AVERAGES[group]}"
        else:
            made_up[group] = "as at the beginning"
    return made_up


def main() -> None:
    """Imports the folder that the flags name."""
    returned, workdir = pathlib.Path(flags.FLAGS.returned), pathlib.Path(flags.FLAGS.workdir)
    imported = import_run(returned, workdir, flags.FLAGS.config)
    print(f"wrote {flags.FLAGS.workdir}; missing variables: {imported['made_up'] or 'none'}")
    print(f"test photos on the device: {imported['test_on_the_device']}")
    if flags.FLAGS.config is not None:
        schedule = load_config(workdir).schedule
        values = (f"--config.schedule.{name}={schedule[name]}" for name in _OF_THE_DEVICE)
        print("to continue the run, use the same --config and these flags:", *values)


if __name__ == "__main__":
    define_path("returned", "The folder that the device returned.", required=True)
    define_path("workdir", "A new directory.", required=True)
    config_flags.DEFINE_config_file("config", None, "Settings for the rest of the run.", lock_config=True)
    run_command(main)
