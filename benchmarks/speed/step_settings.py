"""Comparison of the speed of the GAN's training step with and without a setting, on the CPU.

    python -m benchmarks.speed.step_settings --row=64:16 --round=2 --setting=networks.mask_stage=half --setting=jit=True

The *base* is the step with the settings of `benchmarks.speed.train_step`. Each `--setting` is a config field with a
value. The step with this setting is compared with the base. The base and each setting have their own processes. The
processes take turns, so other work on the machine slows all of them equally.
"""

import ast
import os
import statistics
import sys

from tf_layered_gan import startup  # noqa: F401  # isort: skip

import tensorflow as tf
from absl import flags
from ml_collections import ConfigDict

from benchmarks.speed.gan_step import prepare, row_config
from benchmarks.speed.turns import Turn, Worker, describe_ratio, serve
from tf_layered_gan.command_line import run_command
from tf_layered_gan.config import shipped, validate
from tf_layered_gan.config.fields import FIELDS

BASE = "base"


def with_setting(config: ConfigDict, setting: str) -> ConfigDict:
    """Returns a copy of a config with one changed field.

    Args:
        config: the config.
        setting: "FIELD=VALUE", for example "networks.mask_stage=half" or "jit=True".

    Raises:
        ValueError: if `setting` is not of the form FIELD=VALUE, or if the field or its value is not allowed.
    """
    name, equals, text = setting.partition("=")
    defaults = {field.name: field.default for field in FIELDS}
    if not equals:
        raise ValueError(f"setting is {setting!r}, allowed: FIELD=VALUE with a field of the config")
    is_text = isinstance(defaults.get(name, text), str)  # `set_field` refuses an unknown name
    changed = config.copy_and_resolve_references()
    shipped.set_field(changed, name, text if is_text else ast.literal_eval(text))
    validate(changed)
    return changed


def compare(row: str, number: int, settings: list[str], pairs: int, threads: int) -> list[str]:
    """Times the step with each setting.

    Returns:
        A line for the base and a line for each setting. A ratio above 1 means that the setting is faster.
    """
    command = [sys.executable, "-m", "benchmarks.speed.step_settings", f"--row={row}", f"--round={number}"]
    command += [f"--threads={threads}"]
    workers = {name: Worker([*command, f"--serve={name}"]) for name in [BASE, *settings]}
    for worker in workers.values():
        worker.take("step")  # compiles the step
    turns: dict[str, list[Turn]] = {name: [] for name in workers}
    for _ in range(pairs):
        for name, worker in workers.items():
            turns[name].append(worker.take("step")[:2])
    for worker in workers.values():
        worker.close()
    milliseconds = {name: 1000 * statistics.median(wall for wall, _ in turns[name]) for name in turns}
    lines = [f"{BASE}: {milliseconds[BASE]:.0f} ms a step"]
    for name in settings:
        lines.append(f"{name}: {milliseconds[name]:.0f} ms a step, {describe_ratio(turns[name], turns[BASE])}")
    return lines


def _serve(row: str, number: int, setting: str, threads: int) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    resolution, width = map(int, row.split(":"))
    config = row_config(resolution, width)
    _, step, _ = prepare(config if setting == BASE else with_setting(config, setting), uses_segmenter=number > 1)
    serve({"step": step})


def main() -> None:
    """Compares the settings that the flags name. In a worker, takes steps with one setting on request."""
    given = flags.FLAGS
    if given.serve is not None:
        return _serve(given.row, given.round, given.serve, given.threads)
    print(f"{given.row} (pixels:width), round {given.round}, {given.pairs} pairs, {given.threads} threads")
    print("\n".join(compare(given.row, given.round, given.setting, given.pairs, given.threads)))


if __name__ == "__main__":
    flags.DEFINE_multi_string("setting", [], "FIELD=VALUE; may be repeated.")
    flags.DEFINE_string("row", "64:16", "RESOLUTION:WIDTH.")
    flags.DEFINE_integer(
        "round", 2, "Round whose step is measured. From 2 on, all rounds have the same step.", lower_bound=1
    )
    flags.DEFINE_integer("pairs", 9, "Turns of each side.", lower_bound=2)
    flags.DEFINE_integer("threads", len(os.sched_getaffinity(0)), "Threads of each side.", lower_bound=1)
    flags.DEFINE_string("serve", None, "The setting of a worker. The program itself starts its workers with this flag.")
    run_command(main)
