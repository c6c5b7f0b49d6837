"""A sweep: runs of main.py with different values of some fields.

Each run has its own process and its own workdir, and can be resumed.
"""

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.pool import ThreadPool
from typing import Any

from absl import flags
from ml_collections import ConfigDict

from tf_layered_gan import interruption
from tf_layered_gan.config import resolve_paths, shipped
from tf_layered_gan.files import cache_folder
from tf_layered_gan.files.records import read_record
from tf_layered_gan.runs.config_record import config_facts

_CACHES = ("photos", "fid")  # the folders in a workdir that all runs of a config file share
_PROCESSES: set[subprocess.Popen] = set()  # the processes of the current runs
_EXECUTION = ("monitoring", "jit", "distribution")  # fields that do not change what a run computes


@dataclasses.dataclass(frozen=True)
class Run:
    """A training run.

    Attributes:
        seed: its seed.
        workdir: its directory.
        arguments: the arguments of main.py without --workdir.
    """

    seed: int
    workdir: pathlib.Path
    arguments: tuple[str, ...]

    @property
    def command(self) -> list[str]:
        """The whole command."""
        return [sys.executable, "-m", "tf_layered_gan.main", *self.arguments, f"--workdir={self.workdir}"]


def resolve(arguments: Sequence[str]) -> ConfigDict:
    """Reads a config file and its overrides as main.py does.

    Args:
        arguments: "--config=NAME_OR_FILE" and any number of "--config.FIELD=VALUE".

    Raises:
        ValueError: if main.py would refuse the arguments.
    """
    values, argv = flags.FlagValues(), ["main", *arguments]
    try:
        shipped.define_flag("The config of a run.", flag_values=values, sys_argv=argv)
        _, *unexpected = values(argv)
        config = values.config.lock()  # if there is no override, this line reads the config file
        resolve_paths(config)
    except (flags.Error, AttributeError, KeyError, TypeError, OSError) as error:
        raise ValueError(f"{shlex.join(arguments)}: {error}") from error
    if unexpected:
        raise ValueError(f"unexpected arguments: {unexpected}")
    return config


def plan(
    root: pathlib.Path,
    file: str,
    changes: Mapping[str, Any],
    *,
    seeds: Sequence[int],
    own: dict[str, Any] | None = None,
    extra: Sequence[str] = (),
) -> list[Run]:
    """Plans one run for each seed, with the same settings, in the workdirs ROOT/FILE/CHANGES/seed_N.

    Args:
        root: directory of the sweep.
        file: name of a shipped config.
        changes: changes to the shipped config, as a dict with dotted field names. Values that the file already has are
            left out, so that equal runs use the same workdir.
        seeds: seeds.
        own: further changes that are not in the name of the workdir, such as the folder of the photos.
        extra: further arguments of every run.
    """
    plain = config_facts(resolve([f"--config={file}"]))
    kept = {name: value for name, value in changes.items() if plain[name] != value}
    name = ",".join(f"{field.split('.')[-1]}={value}" for field, value in kept.items()) or "unchanged"
    fields = [f"--config.{field}={value}" for field, value in (kept | (own or {})).items()]
    return [
        Run(seed, root / file / name / f"seed_{seed}", (f"--config={file}", *fields, *extra, f"--config.seed={seed}"))
        for seed in seeds
    ]


def execute(command: Sequence[str], log: pathlib.Path) -> int:
    """Runs a command in its own process, appends its output to a log file, and returns its exit code."""
    with open(log, "a") as file, subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT) as process:
        _PROCESSES.add(process)
        try:
            return process.wait()
        finally:
            _PROCESSES.discard(process)


def sweep(runs: Sequence[Run], jobs: int, execute: Callable[[Sequence[str], pathlib.Path], int] = execute) -> None:
    """Executes the runs that are not finished.

    If a run fails, failed.txt is written to its workdir, and the other runs go on.

    A finished run is executed again in two cases. Either its config has changed, or its command asks for FID or NMI,
    which the run lacks. main.py checks which fields of the config may change.

    Args:
        runs: the runs. If several runs have the same workdir, only one of them is executed.
        jobs: number of runs at the same time.
        execute: function that takes a command and the path of a log file, and returns the exit code.
    """
    runs = list({run.workdir: run for run in runs}.values())
    pending = [run for run in runs if not _has_finished(run)]
    print(f"{len(runs)} runs, {len(runs) - len(pending)} of them finished", flush=True)
    with _stopped_together(), ThreadPool(jobs) as pool:
        results = pool.imap_unordered(functools.partial(_perform, execute=execute), pending)
        for count, (run, code) in enumerate(results, start=1):
            print(f"[{count}/{len(pending)}] {'failed' if code else 'finished'}: {run.workdir}", flush=True)


@contextlib.contextmanager
def _stopped_together() -> Iterator[None]:
    """Stops the current runs if the sweep is stopped. Each run saves its state before it ends."""
    try:
        yield
    except interruption.Interrupted:
        for process in list(_PROCESSES):
            process.terminate()
            process.wait()
        raise


def final_metrics(workdir: pathlib.Path) -> dict[str, Any] | None:
    """Returns the content of a run's metrics.json, or None if the run has not reached the end of its schedule."""
    if not all((workdir / name).exists() for name in ("config.json", "metrics.json")):
        return None
    config, metrics = read_record(workdir / "config.json"), read_record(workdir / "metrics.json")
    return metrics if (metrics["images_seen"], metrics["segmenter_steps"]) == scheduled(config) else None


def failure(workdir: pathlib.Path) -> str | None:
    """Returns the error of a run's last execution, or None.

    None means that there was no error, or that the run has finished since then.
    """
    file = workdir / "failed.txt"
    if not file.exists() or (final_metrics(workdir) and _written(workdir / "metrics.json") > _written(file)):
        return None
    return file.read_text(encoding="utf-8").strip()


def scheduled(config: Mapping[str, Any] | ConfigDict) -> tuple[int, int]:
    """Returns the total number of images and the total number of segmenter steps of a run."""
    schedule, batch_size = config["schedule"], config["batch_size"]
    final = schedule["final_segmenter_steps"]
    if config["segmenter"]["supervised"]:
        return final * batch_size, final
    images = schedule["gan_images_per_round"] // batch_size * batch_size
    return schedule["rounds"] * images, schedule["rounds"] * schedule["segmenter_steps_per_round"] + final


def _has_finished(run: Run) -> bool:
    metrics = final_metrics(run.workdir)
    if metrics is None or not _has_figures(run, metrics):
        return False
    (run.workdir / "failed.txt").unlink(missing_ok=True)
    return True


def _has_figures(run: Run, metrics: Mapping[str, Any]) -> bool:
    """Returns whether a finished run has the config and all metrics that its command asks for.

    A comparison of the configs is not enough, because the config is written before the metrics. After an interruption,
    the config may already name the weights for FID or the classes for NMI, while the metrics still lack FID or NMI.
    Additional metrics are allowed.
    """
    recorded, asked = read_record(run.workdir / "config.json"), json.loads(resolve(run.arguments).to_json())
    weights, classes = asked["metrics"]["inception"], asked["data"]["classes"]
    if not asked["segmenter"]["supervised"]:
        if weights and metrics.get("synthesis", {}).get("samples") != asked["metrics"]["fid_samples"]:
            return False
        if classes and metrics.get("clusters", {}).get("classes_by") != classes:
            return False
    ignored = dict.fromkeys(_EXECUTION if weights else (*_EXECUTION, "metrics"))
    recorded, asked = (config | ignored | {"data": config["data"] | {"classes": None}} for config in (recorded, asked))
    return recorded == asked


def _written(file: pathlib.Path) -> int:
    return file.stat().st_mtime_ns


def _perform(run: Run, execute: Callable[[Sequence[str], pathlib.Path], int]) -> tuple[Run, int]:
    run.workdir.mkdir(parents=True, exist_ok=True)
    _link_caches(run.workdir)
    print(shlex.join(run.command), flush=True)
    code = execute(run.command, run.workdir / "log.txt")
    file = run.workdir / "failed.txt"
    if code:
        file.write_text(f"exit code {code}: {_last_line(run.workdir / 'log.txt')}\n", encoding="utf-8")
    else:
        file.unlink(missing_ok=True)
    return run, code


def _last_line(log: pathlib.Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    return next((line for line in reversed(lines) if line.strip()), "nothing printed")


def _link_caches(workdir: pathlib.Path) -> None:
    """Links a workdir to the cache folders that all runs of the config file share. Existing folders stay."""
    for name in _CACHES:
        shared, link = workdir.parents[1] / name, workdir / name
        cache_folder.claim(shared)
        if not link.exists():
            link.symlink_to(os.path.relpath(shared, workdir), target_is_directory=True)
