"""The lines of a table. A line consists of a row and the results of its runs."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from tf_layered_gan.files.records import read_record
from tf_layered_gan.paper import sweep
from tf_layered_gan.paper.columns import COLUMNS
from tf_layered_gan.paper.sweep import Run
from tf_layered_gan.paper.tables import Row, Table
from tf_layered_gan.runs.config_record import config_facts, flattened

_MAY_DIFFER_BETWEEN_SEEDS = ("seed", "monitoring", "jit", "distribution", "metrics", "data.classes")
_MAY_DIFFER_FROM_PAPER = (*_MAY_DIFFER_BETWEEN_SEEDS, "data.path", "data.masks")
_BASELINES = {"centred_disc": "a disc in the middle", "all_foreground": "all foreground"}


@dataclasses.dataclass(frozen=True)
class Line:
    """A row and its runs.

    Attributes:
        row: the row.
        dataset: `data.source` of the runs.
        finished: dict from the seed of a finished run to the content of its metrics.json.
        failed: dict from the seed of a failed run to its error message.
        missing: number of runs that have not finished and have not failed.
        settings: config of a finished run, as a dict with dotted field names; None if no run has finished.
        paper_settings: the paper's config, as a dict with dotted field names; None if the paper quotes the row from
            other work.
        paper_images: number of images that the paper's run sees; None if the paper does not say.
    """

    row: Row
    dataset: str
    finished: Mapping[int, Mapping[str, Any]]
    failed: Mapping[int, str] = dataclasses.field(default_factory=dict)
    missing: int = 0
    settings: Mapping[str, Any] | None = None
    paper_settings: Mapping[str, Any] | None = None
    paper_images: int | None = None

    @property
    def name(self) -> str:
        """Label and dataset."""
        return f"{self.row.label}, {self.dataset}"

    def spread(self, column: str) -> tuple[float, float, float] | None:
        """Returns mean, minimum and maximum of a column over the seeds; None if no run has a value."""
        figures = [figure(metrics, self.row, column) for metrics in self.finished.values()]
        values = [value for value in figures if value is not None]
        return (sum(values) / len(values), min(values), max(values)) if values else None

    def sections(self, key: str) -> dict[int, Mapping[str, Any]]:
        """Returns a dict from a seed to a section of the metrics.json of its run.

        `key` is the name of the section, such as "synthesis". Runs without this section are left out. The dict is empty
        for a baseline, which has no GAN.
        """
        trained = self.row.method == "segmenter"
        return {seed: metrics[key] for seed, metrics in self.finished.items() if trained and metrics.get(key)}

    def images_seen(self) -> list[int]:
        """Returns the different numbers of images that the runs have seen. For a baseline, the list is empty."""
        trained = self.row.method == "segmenter"
        return sorted({metrics["images_seen"] for metrics in self.finished.values() if trained})

    def differences(self) -> dict[str, tuple[Any, Any]]:
        """Returns a dict of the fields that differ from the paper's config. Its values are pairs (ours, the paper's).

        If a config does not have the field, the pair has None in its place. If no run has finished, the dict is empty.
        """
        if self.settings is None or self.paper_settings is None:
            return {}
        return _differences(self.settings, self.paper_settings, _MAY_DIFFER_FROM_PAPER)


def figure(metrics: Mapping[str, Any], row: Row, name: str) -> float | None:
    """Finds the value of a column (a name in `columns.COLUMNS`) in the content of a metrics.json.

    Returns:
        The value in the column's unit; None if the run does not have this value.
    """
    column = COLUMNS[name]
    if not column.of_masks and row.method != "segmenter":
        return None
    value: Any = metrics
    for key in ("test", row.method, *column.keys) if column.of_masks else column.keys:
        value = (value or {}).get(key)
    return None if value is None else column.factor * value


def collect_lines(table: Table, planned: Sequence[tuple[Row, Sequence[Run]]]) -> list[Line]:
    """Collects the results of a table's runs. If the table is about masks, adds lines for the baselines.

    Raises:
        ValueError: if the runs of a row are not comparable.
    """
    lines = [_collect(row, runs) for row, runs in planned]
    for line, column in itertools.product(lines, table.columns):
        _check_comparable(line, column)
    return lines + (_baseline_lines(lines) if any(COLUMNS[column].of_masks for column in table.columns) else [])


def _collect(row: Row, runs: Sequence[Run]) -> Line:
    if not runs:
        return Line(row, row.dataset, finished={})
    errors = {run.seed: sweep.failure(run.workdir) for run in runs}
    failed = {seed: error for seed, error in errors.items() if error}
    metrics = {run.seed: sweep.final_metrics(run.workdir) for run in runs if run.seed not in failed}
    finished = {seed: content for seed, content in metrics.items() if content}
    changes = [f"--config.{field}={value}" for field, value in (row.changes or {}).items()]
    paper = sweep.resolve([f"--config={row.dataset}", *changes])
    return Line(
        row=row,
        dataset=sweep.resolve(runs[0].arguments).data.source,
        finished=finished,
        failed=failed,
        missing=len(runs) - len(finished) - len(failed),
        settings=_common_settings([run for run in runs if run.seed in finished]),
        paper_settings=config_facts(paper),
        # The paper does not say how many images its supervised U-Net sees.
        paper_images=None if paper.segmenter.supervised else sweep.scheduled(paper)[0],
    )


def _common_settings(runs: Sequence[Run]) -> dict[str, Any] | None:
    """Returns the config of the finished runs of a row; None if no run has finished."""
    every = {run.workdir: flattened(read_record(run.workdir / "config.json")) for run in runs}
    for (first, ours), (other, theirs) in itertools.pairwise(every.items()):
        fields = _differences(ours, theirs, _MAY_DIFFER_BETWEEN_SEEDS)
        if fields:
            raise ValueError(f"{first} and {other} are runs of one row, but differ in {', '.join(fields)}")
    return next(iter(every.values()), None)


def _check_comparable(line: Line, column: str) -> None:
    """Refuses a row if the values of its seeds are not comparable, because their mean would be meaningless."""
    key, facts = COLUMNS[column].keys[0], COLUMNS[column].facts
    for (first, ours), (other, theirs) in itertools.pairwise(line.sections(key).items()):
        fields = [f"{key}.{name}" for name in facts if ours.get(name) != theirs.get(name)]
        if fields:
            raise ValueError(
                f"{line.name}: the metrics.json of seed {first} and of seed {other} have different values of "
                f"{', '.join(fields)}; run all seeds with the same flags after --"
            )


def _differences(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], ignored: tuple[str, ...]
) -> dict[str, tuple[Any, Any]]:
    fields = [name for name in sorted(ours.keys() | theirs.keys()) if not name.startswith(ignored)]
    return {name: (ours.get(name), theirs.get(name)) for name in fields if ours.get(name) != theirs.get(name)}


def _baseline_lines(lines: Sequence[Line]) -> list[Line]:
    """Returns a line for each dataset and each baseline.

    The values come from the finished runs of one row on the dataset, because a baseline has the same values in all
    runs.
    """
    runs = {line.dataset: line for line in reversed(lines) if line.finished}
    return [
        Line(Row(label, dataset, paper={}, changes={}, method=method), dataset, line.finished)
        for dataset, line in reversed(runs.items())
        for method, label in _BASELINES.items()
    ]
