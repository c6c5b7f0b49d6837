"""The paper's tables. One command runs all runs of a table, collects their results, and writes Markdown and CSV.

    python -m tf_layered_gan.paper.experiments 1 --workdir=runs/tables

Each run is a command `python -m tf_layered_gan.main ...`, which is printed. The workdir of each run is the folder
CONFIG/CHANGES/seed_N inside `--workdir`. CHANGES consists of the fields that the run changes. So two tables that need
the same run use the same folder. When the command is started again, it skips finished runs and continues the others.
Arguments after `--` are passed to every run, for example `-- --config.jit=True`.
"""

import dataclasses
import os
import pathlib
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from absl import app, flags

from tf_layered_gan.command_line import command_errors, define_path, ended_by_signals, lenient_output
from tf_layered_gan.config import validate
from tf_layered_gan.files.records import write_record
from tf_layered_gan.paper import sweep, table_report
from tf_layered_gan.paper.lines import collect_lines
from tf_layered_gan.paper.sweep import Run
from tf_layered_gan.paper.tables import TABLES, Row, Table
from tf_layered_gan.runs.workdir_links import check_links

_PREDICTED_MASKS = ("dogs", "cars")


def make_table(
    name: str,
    workdir: str | os.PathLike,
    *,
    scale: str = "paper",
    seeds: Sequence[int] = (0, 1, 2),
    data: str | os.PathLike | None = None,
    masks: str | os.PathLike | None = None,
    output: str | os.PathLike | None = None,
    jobs: int = 1,
    about: str | None = None,
    collect_only: bool = False,
    extra: Sequence[str] = (),
    execute: Callable[[Sequence[str], pathlib.Path], int] = sweep.execute,
) -> pathlib.Path:
    """Runs the sweep of a table, and writes table_NAME.md and table_NAME.csv.

    Args:
        name: name of the table in `tables.TABLES`.
        workdir: directory of the sweep.
        scale: "paper", or "small" for configs/small.py on a folder of photos.
        seeds: each row has one run per seed.
        data: at the small scale, the folder of photos. At the paper's scale, the folder of TensorFlow Datasets, or
            None.
        masks: at the small scale, the folder of masks. At the paper's scale, the folder of masks of Stanford Dogs and
            Cars.
        output: directory of the table; `workdir` if None.
        jobs, execute: see `sweep.sweep`.
        about: a sentence about the photos and masks, which the table shows, or None.
        collect_only: if True, the table is written from existing runs, and nothing is trained.
        extra: further arguments of every run.

    Returns:
        Path of the Markdown file.

    Raises:
        ValueError: the table is unknown; there is no seed, or a seed is repeated; main.py would refuse the config;
            photos, masks or weights for FID are missing; the runs of a row are not comparable; or no run has finished.
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"--seeds is {','.join(map(str, seeds))!r}, allowed: one or more different numbers")
    table, root = _table(name, scale), pathlib.Path(workdir)
    planned = [(row, _plan(root, row, scale, seeds, data, masks, extra)) for row in table.rows]
    if not collect_only:
        runs = [runs[k] for k in range(len(seeds)) for _, runs in planned if runs]
        _check(runs, masks)
        sweep.sweep(runs, jobs, execute)
    lines = collect_lines(table, planned)
    if not any(line.finished for line in lines):
        first = next(runs[0].workdir for _, runs in planned if runs)
        raise ValueError(
            f"no run of table {name} has finished in {root}; the workdir of the first run would be {first}"
        )
    command = _command(name, scale, seeds, data, masks, extra)
    file = pathlib.Path(output or workdir) / f"table_{name}.md"
    title = f"Table {name}" if scale == "paper" else f"Table {name}, {scale} scale"
    write_record(file, table_report.markdown(title, table, lines, command, about))
    write_record(file.with_suffix(".csv"), table_report.as_csv(table, lines))
    return file


def _command(name: str, scale: str, seeds: Sequence[int], data: Any, masks: Any, extra: Sequence[str]) -> str:
    """Returns the command that makes the table, with placeholders in place of the user's folders."""
    # The returned command trains, so it needs both folders, even if the user's own command only collects results.
    small = scale == "small"
    folders = ["--workdir=WORKDIR", *["--data=DIR"] * bool(small or data), *["--masks=MASKS"] * bool(small or masks)]
    after = [f" -- {shlex.join(map(_without_folder, extra))}"] if extra else []
    numbers = ",".join(map(str, seeds))
    flags_given = f"--scale={scale} --seeds={numbers} {' '.join(folders)}"
    return f"python -m tf_layered_gan.paper.experiments {name} {flags_given}{''.join(after)}"


def _without_folder(argument: str) -> str:
    """Replaces the path of the weights for FID by the name of the file. Other arguments are not changed."""
    flag, _, path = argument.partition("=")
    return f"{flag}={pathlib.Path(path).name}" if flag == "--config.metrics.inception" else argument


def _table(name: str, scale: str) -> Table:
    """Returns a table. At the small scale, the table has fewer rows and a different note."""
    if name not in TABLES:
        raise ValueError(f"there is no table {name}, allowed: {', '.join(TABLES)}")
    table = TABLES[name]
    if scale == "paper":
        return table
    datasets = {row.dataset for row in table.rows if row.small}
    # A row that the paper quotes from other work is kept if the table has a row of ours on the same dataset.
    rows = tuple(row for row in table.rows if row.small or (row.changes is None and row.dataset in datasets))
    return dataclasses.replace(table, rows=rows, note=table.small_note)


def _plan(
    root: pathlib.Path, row: Row, scale: str, seeds: Sequence[int], data: Any, masks: Any, extra: Sequence[str]
) -> list[Run]:
    file, changes = (row.dataset, row.changes) if scale == "paper" else ("small", row.small)
    if row.changes is None or changes is None:
        return []
    own = {"data.path": data, "data.masks": masks if file in ("small", *_PREDICTED_MASKS) else None}
    # The paths are made absolute, because a finished run is executed again if its config has other paths.
    own = {field: pathlib.Path(value).expanduser().resolve() for field, value in own.items() if value is not None}
    return sweep.plan(root, file, changes, seeds=seeds, own=own, extra=extra)


def _check(runs: Sequence[Run], masks: Any) -> None:
    """Checks that all runs can be trained and evaluated. This check comes before the first run starts."""
    for run in runs:
        config = sweep.resolve(run.arguments)
        validate(config)
        check_links(run.workdir)  # main.py also checks the links, but only after the log of the run was written
        weights = config.metrics.inception
        if weights and not pathlib.Path(weights).is_file():
            raise ValueError(f"metrics.inception is {weights}, which is not a file; see docs/evaluating.md")
        if config.data.source in ("folder", *_PREDICTED_MASKS) and masks is None:
            raise ValueError(f"{config.data.source} has no true masks for evaluation: give --masks=DIR")
        # The folder of photos must exist only for the source "folder". Otherwise TensorFlow Datasets creates it.
        photos = config.data.path if config.data.source == "folder" else None
        for flag, folder in {"--data": photos, "--masks": config.data.masks}.items():
            if folder and not pathlib.Path(folder).is_dir():
                raise ValueError(f"{flag} is {folder}, which is not a folder")


def _seeds(words: Sequence[str]) -> list[int]:
    if not all(word.isdecimal() for word in words):
        raise ValueError(f"--seeds is {','.join(words)!r}, allowed: whole numbers, 0 or more")
    return [int(word) for word in words]


def main(argv: list[str]) -> None:
    """Makes the table that the command line names."""
    given = flags.FLAGS
    with command_errors():
        if len(argv) < 2:
            raise ValueError(f"name a table: {', '.join(TABLES)}")
        file = make_table(
            argv[1],
            given.workdir,
            scale=given.scale,
            seeds=_seeds(given.seeds),
            data=given.data,
            masks=given.masks,
            output=given.output,
            jobs=given.jobs,
            about=given.about,
            collect_only=given.collect_only,
            extra=tuple(argv[2:]),
        )
    print(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    flags.FLAGS.set_gnu_getopt(True)  # allows flags after the name of the table
    define_path("workdir", "Directory of the sweep; each run has its own directory inside it.", required=True)
    flags.DEFINE_enum("scale", "paper", ["paper", "small"], "small: configs/small.py on a folder of photos.")
    flags.DEFINE_list("seeds", "0,1,2", "Seeds; each row has one run per seed.")
    define_path("data", "small: the folder of photos; paper: the folder of TensorFlow Datasets.")
    define_path(
        "masks", "small: the folder of masks of the photos; paper: the folder of masks of Stanford Dogs and Cars."
    )
    define_path("output", "Directory of the table; the workdir by default.")
    flags.DEFINE_integer("jobs", 1, "Number of runs at the same time.", lower_bound=1)
    flags.DEFINE_string("about", None, "A sentence about the photos and masks, which the table shows.")
    flags.DEFINE_bool("collect_only", False, "Do not run anything: write the table from existing runs.")
    with ended_by_signals(), lenient_output():
        app.run(main)
