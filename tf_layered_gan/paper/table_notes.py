"""The notes below a table.

The notes list three things: differences from the paper's runs, the images that FID compares, and failed runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tf_layered_gan.paper.columns import COLUMNS
from tf_layered_gan.paper.lines import Line
from tf_layered_gan.paper.tables import Table

MISSING = "—"
_FIELDS_DIFFER = (
    "These config fields differ from the paper's. The paper's value is in brackets. If the paper gives no value, the "
    "value of `configs/` is in brackets."
)


def _are_cars_or_dogs(settings: Mapping[str, Any]) -> bool:
    return settings["data.source"] in ("cars", "dogs")


# Differences from the paper that no config field shows. An entry has a text, and a function that returns
# whether the text applies.
_DEPARTURES = (
    (
        lambda settings: settings["schedule.final_segmenter_steps"] and not settings["segmenter.supervised"],
        "The final steps continue to train the segmenter from the last round, with the same optimizer. At the paper's "
        "scale, our segmenter takes 14,000 steps in total with one round, and 22,000 with five rounds. The paper "
        "trains a new segmenter for 12,000 steps instead (C.3).",
    ),
    (
        _are_cars_or_dogs,
        "Stanford Cars and Dogs: some of the paper's training photos are used for validation (`data.holdout` gives "
        "their number). The paper has no validation photos of these datasets (appendix B).",
    ),
    (
        _are_cars_or_dogs,
        "Stanford Cars and Dogs: our masks of the photos may come from any segmenter. The paper's masks come from "
        "detectron2's Mask R-CNN, R101-FPN.",
    ),
)


def notes(table: Table, lines: Sequence[Line]) -> Iterator[str]:
    """Yields the notes below a table. Each note is a paragraph or a list in Markdown."""
    yield from _field_notes(lines)
    settings = [line.settings for line in lines if line.settings]
    departures = [f"- {text}" for applies, text in _DEPARTURES if any(map(applies, settings))]
    if departures:
        yield "\n".join(["Other differences from the paper:", *departures])
    finished = [metrics for line in lines for metrics in line.finished.values()]
    photos = sorted({_photos(metrics) for metrics in finished if "photos" in metrics})
    if photos:
        yield f"Photos for training / validation / test: {'; '.join(photos)}."
    fids = _fids(lines)
    if fids:
        yield f"FID: {'; '.join(fids)}."
    elif "fid" in table.columns:
        yield "FID was not computed, because `metrics.inception` named no weights."
    remarks = [*_remarks(table, lines)]
    if remarks:
        yield "\n".join(f"- {remark}" for remark in remarks)


def difference(name: str, values: tuple[Any, Any]) -> str:
    """Formats a field that differs, given its dotted name and the pair (ours, the paper's)."""
    ours, papers = (MISSING if value in (None, "None") else value for value in values)
    return f"`{name}` {ours} ({papers})"


def _field_notes(lines: Sequence[Line]) -> Iterator[str]:
    """Yields the fields that differ from the paper's config: first for all rows, then for each row."""
    found = {id(line): _hashable(line.differences()) for line in lines if line.settings and line.paper_settings}
    if not found:
        return
    common = set.intersection(*found.values())
    result = [_FIELDS_DIFFER, "- in every row: " + (", ".join(difference(*item) for item in sorted(common)) or "none")]
    for line in lines:
        own = sorted(found.get(id(line), set()) - common)
        if own and line.row.method == "segmenter":
            result.append(f"- {line.name}: " + ", ".join(difference(*item) for item in own))
    yield "\n".join(result)


def _hashable(differences: Mapping[str, tuple[Any, Any]]) -> set[tuple[str, tuple[str, str]]]:
    return {(name, (str(ours), str(papers))) for name, (ours, papers) in differences.items()}


def _fids(lines: Sequence[Line]) -> list[str]:
    """Describes how the FIDs of each dataset were computed.

    If not all rows of a dataset agree, the text names the rows.
    """
    rows: dict[tuple[str, str], dict[str, None]] = {}
    for line in lines:
        for facts in line.sections("synthesis").values():
            rows.setdefault((line.dataset, _fid(facts)), {})[line.row.label] = None
    several = len(rows) > len({dataset for dataset, _ in rows})
    return sorted(
        f"{dataset} ({', '.join(labels)}), {text}" if several else f"{dataset}, {text}"
        for (dataset, text), labels in rows.items()
    )


def _fid(facts: Mapping[str, Any]) -> str:
    images = f"{facts['samples']:,} synthetic images against {facts['reference_pictures']:,} photos"
    return f"{images} ({facts['reference']}), {facts['resize']}, weights {facts['inception_sha256'][:12]}"


def _remarks(table: Table, lines: Sequence[Line]) -> Iterator[str]:
    yield from (f"{line.name}: {line.row.note}" for line in lines if line.row.note)
    for column in (name for name in ("fid", "nmi") if name in table.columns):
        for line in lines:
            count = len(line.sections(COLUMNS[column].keys[0]))
            if 0 < count < len(line.finished):
                yield f"{line.name}: {column.upper()} for {count} of {len(line.finished)} seeds"
    yield from (f"{line.name}, seed {seed}, failed: {why}" for line in lines for seed, why in line.failed.items())


def _photos(metrics: Mapping[str, Any]) -> str:
    return " / ".join(f"{metrics['photos'][name]:,}" for name in ("train", "validation", "test"))
