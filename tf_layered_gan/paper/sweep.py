"""Runs of main.py that differ in some fields: each in a process and a workdir of its own, resumable."""

import dataclasses
import functools
import json
import os
import pathlib
import shlex
import subprocess
import sys
from multiprocessing.pool import ThreadPool

from absl import flags

from tf_layered_gan.config import shipped
from tf_layered_gan.files import cache_folder
from tf_layered_gan.files.records import read_record

_SHARED = ("photos", "fid")  # caches in a workdir, of decoded photos and of their statistics
_HOW = ("monitoring", "jit", "distribution")  # fields of how a run is done, not of what


@dataclasses.dataclass(frozen=True)
class Run:
    """A training run: its seed, its workdir, and the arguments of main.py but for that."""

    seed: int
    workdir: pathlib.Path
    arguments: tuple[str, ...]

    @property
    def command(self):
        """The whole command, a list."""
        return [sys.executable, "-m", "tf_layered_gan.main", *self.arguments, f"--workdir={self.workdir}"]


def resolve(arguments):
    """Reads a config file and its overrides as main.py does.

    Args:
        arguments: "--config=NAME_OR_FILE" and any number of "--config.FIELD=VALUE".

    Returns:
        ConfigDict.

    Raises:
        ValueError: for arguments that main.py would refuse.
    """
    values, argv = flags.FlagValues(), ["main", *arguments]
    try:
        shipped.define_flag("The config of a run.", flag_values=values, sys_argv=argv)
        _, *unexpected = values(argv)
        config = values.config.lock()  # which reads the file, if no override has
    except (flags.Error, AttributeError, KeyError, TypeError, OSError) as error:
        raise ValueError(f"{shlex.join(arguments)}: {error}") from error
    if unexpected:
        raise ValueError(f"unexpected arguments: {unexpected}")
    return config


def plan(root, file, changes, *, seeds, own=(), extra=()):
    """Makes the runs of one setting, one a seed, in ROOT/FILE/CHANGES/seed_N.

    Args:
        root: pathlib.Path, the sweep's directory.
        file: name of a shipped config.
        changes: by dotted names, what differs from it; what doesn't is left out, so that equal runs have one workdir.
        seeds: list of int.
        own: dict of further changes that are not in the workdir's name, such as where the photos are.
        extra: further arguments of every run.

    Returns:
        list of `Run`.
    """
    plain = resolve([f"--config={file}"])
    changes = {name: value for name, value in changes.items() if _get(plain, name) != value}
    name = ",".join(f"{field.split('.')[-1]}={value}" for field, value in changes.items()) or "unchanged"
    fields = [f"--config.{field}={value}" for field, value in (changes | dict(own)).items()]
    return [
        Run(
            seed,
            root / file / name / f"seed_{seed}",
            (f"--config={file}", *fields, *extra, f"--config.seed={seed}"),
        )
        for seed in seeds
    ]


def execute(command, log):
    """Runs a command in a process of its own; returns its exit code. What it prints is appended to the file `log`."""
    with open(log, "a") as file:
        return subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False).returncode


def sweep(runs, jobs, execute=execute):
    """Executes what runs are not finished. One that fails leaves failed.txt in its workdir, and the others go on.

    A run that finished with another config than the command's is executed too: main.py knows what may change. So is one
    that lacks the FID that the command asks for, but not one that has it where the command names no weights.

    Args:
        runs: list of `Run`; those with the same workdir count once.
        jobs: how many at the same time.
        execute: function of a command and a log's path to the exit code.
    """
    runs = list({run.workdir: run for run in runs}.values())
    pending = [run for run in runs if not _has_finished(run)]
    print(f"{len(runs)} runs, {len(runs) - len(pending)} of them finished", flush=True)
    with ThreadPool(jobs) as pool:
        results = pool.imap_unordered(functools.partial(_perform, execute=execute), pending)
        for count, (run, code) in enumerate(results, start=1):
            print(f"[{count}/{len(pending)}] {'failed' if code else 'finished'}: {run.workdir}", flush=True)


def final_metrics(workdir):
    """Reads the figures of a run that has come to the end of its schedule.

    Args:
        workdir: pathlib.Path, the run's directory.

    Returns:
        dict, what metrics.json holds; None where the run is not finished.
    """
    config, metrics = read_json(workdir / "config.json"), read_json(workdir / "metrics.json")
    if config is None or metrics is None:
        return None
    return metrics if (metrics["images_seen"], metrics["segmenter_steps"]) == scheduled(config) else None


def failure(workdir):
    """Returns why the last attempt at a run failed; None if it didn't, or if the run has finished since."""
    file = workdir / "failed.txt"
    if not file.exists() or (final_metrics(workdir) and _written(workdir / "metrics.json") > _written(file)):
        return None
    return file.read_text().strip()


def scheduled(config):
    """Counts what a run does until its end.

    Args:
        config: a config as config.json holds it.

    Returns:
        (images seen, segmenter steps).
    """
    schedule, batch_size = config["schedule"], config["batch_size"]
    final = schedule["final_segmenter_steps"]
    if config["segmenter"]["supervised"]:
        return final * batch_size, final
    images = schedule["gan_images_per_round"] // batch_size * batch_size
    return schedule["rounds"] * images, schedule["rounds"] * schedule["segmenter_steps_per_round"] + final


def read_json(file):
    """Returns what a JSON file holds, None if there is none; ValueError names one that is damaged."""
    return read_record(file) if file.exists() else None


def _has_finished(run):
    begun, metrics = read_json(run.workdir / "config.json"), final_metrics(run.workdir)
    if metrics is None or not _has_figures(begun, metrics, json.loads(resolve(run.arguments).to_json())):
        return False
    (run.workdir / "failed.txt").unlink(missing_ok=True)
    return True


def _has_figures(begun, metrics, asked):
    """Whether a finished run is one of a config, with every figure that this asks for; FID and NMI beyond do no harm.

    The figures themselves are looked at, as the config is written before them: a command that was broken off may have
    left one that names weights, or classes, which they are not of.
    """
    weights, classes = asked["metrics"]["inception"], asked["data"]["classes"]
    if not asked["segmenter"]["supervised"]:
        if weights and metrics.get("synthesis", {}).get("samples") != asked["metrics"]["fid_samples"]:
            return False
        if classes and metrics.get("clusters", {}).get("classes_by") != classes:
            return False
    free = dict.fromkeys(_HOW if weights else (*_HOW, "metrics"))
    begun, asked = (record | free | {"data": record["data"] | {"classes": None}} for record in (begun, asked))
    return begun == asked


def _written(file):
    return file.stat().st_mtime_ns


def _perform(run, execute):
    run.workdir.mkdir(parents=True, exist_ok=True)
    _share(run.workdir)
    print(shlex.join(run.command), flush=True)
    code = execute(run.command, run.workdir / "log.txt")
    file = run.workdir / "failed.txt"
    if code:
        file.write_text(f"exit code {code}: {_last_line(run.workdir / 'log.txt')}\n")
    else:
        file.unlink(missing_ok=True)
    return run, code


def _last_line(log):
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return next((line for line in reversed(lines) if line.strip()), "nothing printed")


def _share(workdir):
    """Lets the runs of a config file keep in one place what none need compute again."""
    for name in _SHARED:
        shared, link = workdir.parents[1] / name, workdir / name
        cache_folder.claim(shared)
        if not link.exists():
            link.symlink_to(os.path.relpath(shared, workdir), target_is_directory=True)


def _get(config, name):
    return functools.reduce(lambda section, field: section[field], name.split("."), config)
