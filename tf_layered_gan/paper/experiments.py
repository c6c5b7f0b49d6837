"""The paper's tables, each by one command: runs its sweep, collects the figures, writes Markdown and CSV.

    python -m tf_layered_gan.paper.experiments 1 --workdir=runs/tables

Each run of the sweep is the command `python -m tf_layered_gan.main ...` that is printed, in a workdir of its own below
the given one, named after what it changes; so tables share runs. Started again, finished runs are left alone and others
go on. What follows `--` goes to every run: `-- --config.jit=True`.
"""

import dataclasses
import itertools
import json
import pathlib
import shlex

from absl import app, flags

from tf_layered_gan.config import validate
from tf_layered_gan.paper import sweep, table_report
from tf_layered_gan.paper.tables import COLUMNS, TABLES
from tf_layered_gan.runs.workdir_links import check_links

_PREDICTED_MASKS = ("dogs", "cars")
_OF_A_SEED = (
    "seed",
    "monitoring",
    "jit",
    "distribution",
    "metrics",
    "data.classes",
)  # in what runs of a row may differ
# By column, what seeds must have in common beside it in metrics.json for a mean.
_COMPARABLE = {"fid": table_report.OF_FID, "nmi": ("photos", "classes", "classes_by")}
_BASELINES = {"centred_disc": "a disc in the middle", "all_foreground": "all foreground"}


def make_table(
    name,
    workdir,
    *,
    scale="paper",
    seeds=(0, 1, 2),
    data=None,
    masks=None,
    output=None,
    jobs=1,
    about=None,
    collect_only=False,
    extra=(),
    execute=sweep.execute,
):
    """Runs a table's sweep and writes table_NAME.md and table_NAME.csv.

    Args:
        name: of the table, in `tables.TABLES`.
        workdir: directory of the sweep.
        scale: "paper", or "small" for configs/small.py on a folder of photos.
        seeds: list of int, a run of each row for each.
        data: small: the folder of photos; paper: that of TensorFlow Datasets, or None.
        masks: folder of masks; of the folder's photos, of Stanford Dogs and Cars.
        output: directory of the table; None for `workdir`.
        jobs, execute: see `sweep.sweep`.
        about: a sentence for the table on the photos and masks, or None.
        collect_only: whether to run nothing.
        extra: further arguments of every run.

    Returns:
        pathlib.Path, the Markdown file.

    Raises:
        ValueError: for an unknown table, no seeds or one that is named twice, a config that main.py would refuse,
            photos, masks or weights for FID that are missing, runs of a row that differ in more than their seed or in
            what their FID is of, or where no run has finished.
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"--seeds is {','.join(map(str, seeds))!r}, allowed: one or more, each once")
    table, root = _table(name, scale), pathlib.Path(workdir)
    planned = [(row, _plan(root, row, scale, seeds, data, masks, extra)) for row in table.rows]
    if not collect_only:
        runs = [runs[k] for k in range(len(seeds)) for _, runs in planned if runs]
        _check(runs, masks)
        sweep.sweep(runs, jobs, execute)
    lines = [_collect(row, runs, scale) for row, runs in planned]
    for line, column in itertools.product(lines, filter(_COMPARABLE.get, table.columns)):
        _check_comparable(line, column)
    if not any(line.finished for line in lines):
        first = next(runs[0].workdir for _, runs in planned if runs)
        raise ValueError(f"no run of table {name} has finished in {root}; the first would be {first}")
    lines += _baseline_lines(lines) if any(COLUMNS[column].of_masks for column in table.columns) else []
    command = _command(name, scale, seeds, data, masks, extra)
    file = pathlib.Path(output or workdir) / f"table_{name}.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    title = f"Table {name}" if scale == "paper" else f"Table {name}, {scale} scale"
    file.write_text(table_report.markdown(title, table, lines, command, about))
    file.with_suffix(".csv").write_text(table_report.as_csv(table, lines))
    return file


def _command(name, scale, seeds, data, masks, extra):
    """What makes the table again, with words in the place of folders, which are each one's own."""
    small = scale == "small"  # which needs both, though not to collect
    folders = ["--workdir=WORKDIR", *["--data=DIR"] * bool(small or data), *["--masks=MASKS"] * bool(small or masks)]
    after = [f" -- {shlex.join(map(_without_folder, extra))}"] if extra else []
    numbers = ",".join(map(str, seeds))
    flags_given = f"--scale={scale} --seeds={numbers} {' '.join(folders)}"
    return f"python -m tf_layered_gan.paper.experiments {name} {flags_given}{''.join(after)}"


def _without_folder(argument):
    """An argument of a run, the file of weights by its name alone."""
    flag, _, path = argument.partition("=")
    return f"{flag}={pathlib.Path(path).name}" if flag == "--config.metrics.inception" else argument


def _table(name, scale):
    """A table as it is at a scale: the small one has some of its rows, and a note on these."""
    if name not in TABLES:
        raise ValueError(f"there is no table {name}, allowed: {', '.join(TABLES)}")
    table = TABLES[name]
    if scale == "paper":
        return table
    run = {row.dataset for row in table.rows if row.small}
    # Figures that the paper quotes need ours on their dataset beside them.
    rows = tuple(row for row in table.rows if row.small or (row.changes is None and row.dataset in run))
    return dataclasses.replace(table, rows=rows, note=table.small_note)


def _plan(root, row, scale, seeds, data, masks, extra):
    if row.changes is None:
        return []
    file, changes = (row.dataset, row.changes) if scale == "paper" else ("small", row.small)
    own = {"data.path": data, "data.masks": masks if file in ("small", *_PREDICTED_MASKS) else None}
    # Resolved, as a run goes on only with the values it was begun with: one folder by two names must be one value.
    own = {field: pathlib.Path(value).expanduser().resolve() for field, value in own.items() if value is not None}
    return sweep.plan(root, file, changes, seeds=seeds, own=own, extra=extra)


def _check(runs, masks):
    """Refuses what cannot be trained or measured before anything is."""
    for run in runs:
        config = sweep.resolve(run.arguments)
        validate(config)
        check_links(run.workdir)  # its log is written before it can see to that itself
        weights = config.metrics.inception
        if weights and not pathlib.Path(weights).is_file():
            raise ValueError(f"there is no file {weights}: metrics.inception is for weights, see README.md")
        if config.data.source in ("folder", *_PREDICTED_MASKS) and masks is None:
            raise ValueError(f"{config.data.source} has no masks of its own to measure with: --masks=DIR")
        photos = config.data.path if config.data.source == "folder" else None  # else tfds makes the folder
        for flag, folder in {"--data": photos, "--masks": config.data.masks}.items():
            if folder and not pathlib.Path(folder).is_dir():
                raise ValueError(f"{flag} is {folder}, which is no folder")


def _collect(row, runs, scale):
    finished, failed = {}, {}
    for run in runs:
        why, metrics = sweep.failure(run.workdir), sweep.final_metrics(run.workdir)
        if why:
            failed[run.seed] = why
        elif metrics:
            finished[run.seed] = metrics
    settings = _common_settings([run for run in runs if run.seed in finished])
    paper = _paper_settings(row) if runs else None
    return table_report.Line(
        row=row,
        dataset="folder" if scale == "small" and runs else row.dataset,
        finished=finished,
        failed=failed,
        missing=len(runs) - len(finished) - len(failed),
        settings=settings,
        paper_settings=paper and dict(_flatten(paper)),
        # Of its supervised U-Net the paper does not say.
        paper_images=None if paper is None or paper["segmenter"]["supervised"] else sweep.scheduled(paper)[0],
    )


def _common_settings(runs):
    """Reads what finished runs of a row were run with; None where there are none."""
    every = {run.workdir: dict(_flatten(sweep.read_json(run.workdir / "config.json"))) for run in runs}
    for (first, ours), (other, theirs) in itertools.pairwise(every.items()):
        fields = [name for name in sorted(ours | theirs) if ours.get(name) != theirs.get(name)]
        fields = [name for name in fields if not name.startswith(_OF_A_SEED)]
        if fields:
            raise ValueError(f"{first} and {other} are seeds of one row, but differ in {', '.join(fields)}")
    return next(iter(every.values()), None)


def _check_comparable(line, column):
    """Refuses a row whose seeds have figures that cannot be compared, and so have no mean."""
    key = COLUMNS[column].keys[0]
    made = {seed: metrics[key] for seed, metrics in line.finished.items() if key in metrics}
    for (first, ours), (other, theirs) in itertools.pairwise(made.items()):
        fields = [name for name in _COMPARABLE[column] if ours.get(name) != theirs.get(name)]
        if fields:
            raise ValueError(
                f"{line.row.label}, {line.dataset}: what the seeds {first} and {other} have in {key} differs in "
                f"{', '.join(fields)}; run all of them with the same flags after --"
            )


def _paper_settings(row):
    fields = [f"--config.{field}={value}" for field, value in row.changes.items()]
    return json.loads(sweep.resolve([f"--config={row.dataset}", *fields]).to_json())


def _baseline_lines(lines):
    """For each dataset, masks that need no training: any finished run has measured them beside its own."""
    runs = {line.dataset: line for line in reversed(lines) if line.finished}
    common = {"failed": {}, "missing": 0, "settings": None, "paper_settings": None, "paper_images": None}
    return [
        dataclasses.replace(
            line, row=dataclasses.replace(line.row, label=label, paper={}, method=method, note="", traits={}), **common
        )
        for line in reversed(runs.values())
        for method, label in _BASELINES.items()
    ]


def _flatten(settings, prefix=""):
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _seeds(words):
    if not all(word.isdecimal() for word in words):
        raise ValueError(f"--seeds is {','.join(words)!r}, allowed: whole numbers from 0 on")
    return [int(word) for word in words]


def main(argv):
    """Makes the table that the command line names."""
    given = flags.FLAGS
    try:
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
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error
    print(file.read_text())


if __name__ == "__main__":
    flags.FLAGS.set_gnu_getopt(True)  # flags may follow the table's name
    flags.DEFINE_string("workdir", None, "Where the runs are, each in a directory of its own.", required=True)
    flags.DEFINE_enum("scale", "paper", ["paper", "small"], "small: configs/small.py on a folder of photos.")
    flags.DEFINE_list("seeds", "0,1,2", "A run of each row for each.")
    flags.DEFINE_string("data", None, "small: the folder of photos; paper: that of TensorFlow Datasets.")
    flags.DEFINE_string("masks", None, "Folder of masks: of the folder's photos, of Stanford Dogs and Cars.")
    flags.DEFINE_string("output", None, "Where the table goes; by default to the workdir.")
    flags.DEFINE_integer("jobs", 1, "How many runs at the same time.", lower_bound=1)
    flags.DEFINE_string("about", None, "A sentence on the photos and masks, for the table.")
    flags.DEFINE_bool("collect_only", False, "Run nothing: write the table of what has been run.")
    app.run(main)
