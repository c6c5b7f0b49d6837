"""Writes a table of the paper with our figures beside the paper's, as Markdown and as CSV."""

import csv
import dataclasses
import io
from collections.abc import Mapping

from tf_layered_gan.paper.tables import BESIDE, COLUMNS, DEPARTURES, TRAITS, Row

MISSING = "—"
# What a run may differ in without differing from the paper.
_OWN = ("seed", "jit", "distribution", "data.path", "data.masks", "data.classes", "monitoring", "metrics")
# What an FID cannot be compared without, of "synthesis" in metrics.json.
OF_FID = ("samples", "reference_pictures", "reference", "resize", "inception_sha256")
_LEGEND = (
    "Ours: the mean over the seeds and, in brackets, the least and the most. ACC, IoU and mIoU are over all pixels of "
    "the test photos, with /image the means of the photos' own. NMI is of all photos, normalised by the arithmetic "
    "mean of the entropies; by chance it is that of the same clusters, shuffled among the photos. Mask mean and mask "
    "spread: the share of the picture that the GAN's masks cover, in per cent, and its standard deviation over "
    "pictures; near 0 all is background, near 100 all is foreground. Of images seen, the paper's number is in brackets."
)


@dataclasses.dataclass(frozen=True)
class Line:
    """What was collected for a row.

    Attributes:
        row: see `tables.Row`.
        dataset: what `data.source` is.
        finished: by seed, what metrics.json holds.
        failed: by seed, why.
        missing: how many have neither finished nor failed.
        settings: by dotted names, the fields of a finished run's config; None where there is none.
        paper_settings: likewise, the paper's; None where the paper quotes the row's figures.
        paper_images: how many images the paper's run sees; None likewise.
    """

    row: Row
    dataset: str
    finished: Mapping[int, Mapping]
    failed: Mapping[int, str]
    missing: int
    settings: Mapping | None
    paper_settings: Mapping | None
    paper_images: int | None


def figure(metrics, row, name):
    """Finds a column's figure among a run's.

    Args:
        metrics: what metrics.json holds.
        row: `tables.Row`, whose method is asked for.
        name: of the column, in `tables.COLUMNS`.

    Returns:
        float in the column's unit, None where the run has none.
    """
    column = COLUMNS[name]
    if not column.of_masks and row.method != "segmenter":
        return None
    keys = ("test", row.method, *column.keys) if column.of_masks else column.keys
    for key in keys:
        metrics = (metrics or {}).get(key)
    return None if metrics is None else column.factor * metrics


def spread(line, find, factor=1):
    """Takes a figure over the seeds that finished.

    Args:
        line: `Line`.
        find: function of what metrics.json holds to a float or None.
        factor: what to multiply each with.

    Returns:
        (mean, least, most), None where no run has the figure.
    """
    values = [value * factor for value in map(find, line.finished.values()) if value is not None]
    return (sum(values) / len(values), min(values), max(values)) if values else None


def differences(line):
    """Compares a line's runs with the paper's.

    Args:
        line: `Line`.

    Returns:
        dict from a field's dotted name to (ours, the paper's); what only we have, or what only the paper's config has,
        is None on the other side. Empty for a line without a finished run.
    """
    if line.settings is None or line.paper_settings is None:
        return {}
    ours, papers = line.settings, line.paper_settings
    fields = [name for name in sorted(ours.keys() | papers.keys()) if not name.startswith(_OWN)]
    return {name: (ours.get(name), papers.get(name)) for name in fields if ours.get(name) != papers.get(name)}


def markdown(title, table, lines, command, about=None):
    """Renders a table.

    Args:
        title: its heading.
        table: `tables.Table`.
        lines: list of `Line`.
        command: what ran it.
        about: what to say of the photos and masks, or None.

    Returns:
        str.
    """
    header = ["", "dataset", *(TRAITS[name] for name in table.traits)]
    header += [f"{COLUMNS[name].header} {whose}" for name, whose in _columns(table)]
    header += ["mask mean", "mask spread", "seeds", "images seen"]
    rows = [_cells(table, line) for line in lines]
    parts = [
        f"# {title}",
        f"In the paper: {table.caption}. {table.note}".strip(),
        f"    {command}",
        *([f"Photos and masks: {about}"] if about else []),
        _LEGEND,
        "\n".join(f"| {' | '.join(cells)} |" for cells in [header, ["---"] * len(header), *rows]),
        *_notes(table, lines),
    ]
    return "\n\n".join(parts) + "\n"


def as_csv(table, lines):
    """Renders a table for machines: a line a row, each figure as the paper's, our mean, least and most.

    Of a figure that the paper does not have (`tables.BESIDE`, the masks) there are the last three. A table with FID has
    columns for what that cannot be compared without, too, see `gan_evaluation.evaluate_fid`: "fid_samples" and others,
    empty in a row without FID; where seeds differ, each value once.

    Args:
        table: `tables.Table`.
        lines: list of `Line`.

    Returns:
        str.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    kinds = {"paper": ("paper",), "ours": ("mean", "min", "max")}
    masks = ("mask_mean", "mask_spread")
    header = ["row", "dataset", *table.traits]
    header += [f"{name}_{kind}" for name, whose in _columns(table) for kind in kinds[whose]]
    header += [f"{name}_{kind}" for name in masks for kind in kinds["ours"]]
    of_fid = OF_FID if "fid" in table.columns else ()
    header += [f"fid_{name}" for name in of_fid]
    writer.writerow([*header, "finished", "failed", "missing", "images_seen", "paper_images_seen", "differs"])
    for line in lines:
        values = [line.row.label, line.dataset, *(line.row.traits.get(name) for name in table.traits)]
        for name, whose in _columns(table):
            values += [line.row.paper.get(name)] if whose == "paper" else _figures(line, name) or [None] * 3
        for name in masks:
            values += _synthetic(line, name) or [None] * 3
        values += ["; ".join(sorted({str(about[name]) for about in _made(line)})) for name in of_fid]
        differs = "; ".join(_difference(*item) for item in differences(line).items())
        counts = [len(line.finished), len(line.failed), line.missing]
        values += [*counts, " ".join(map(str, _images_seen(line))), line.paper_images, differs]
        writer.writerow([f"{v:.6g}" if isinstance(v, float) else v for v in values])
    return file.getvalue()


def _columns(table):
    """Yields a table's columns from left to right: the name in `COLUMNS`, and whose figure, "paper" or "ours"."""
    for name in table.columns:
        yield from ((name, "paper"), (name, "ours"))
        if name in BESIDE:
            yield BESIDE[name], "ours"


def _figures(line, name):
    return spread(line, lambda metrics: figure(metrics, line.row, name))


def _synthetic(line, name):
    if line.row.method != "segmenter":
        return None
    return spread(line, lambda metrics: metrics.get("synthetic", {}).get(name), factor=100)


def _cells(table, line):
    cells = [line.row.label, line.dataset, *(line.row.traits.get(name, MISSING) for name in table.traits)]
    for name, whose in _columns(table):
        cells.append(_papers(line, name) if whose == "paper" else _ours(_figures(line, name), COLUMNS[name].decimals))
    cells += [_ours(_synthetic(line, name), 1) for name in ("mask_mean", "mask_spread")]
    return [*cells, _seeds(line), _images(line)]


def _papers(line, name):
    paper = line.row.paper.get(name)
    return MISSING if paper is None else f"{paper:.{COLUMNS[name].decimals}f}"


def _ours(figures, decimals):
    if figures is None:
        return MISSING
    mean, least, most = (f"{value:.{decimals}f}" for value in figures)
    return mean if least == most else f"{mean} ({least} to {most})"


def _seeds(line):
    total = len(line.finished) + len(line.failed) + line.missing
    if not total:
        return MISSING
    counts = {"failed": len(line.failed), "not finished": line.missing}
    left = [f"{count} {name}" for name, count in counts.items() if count]
    return ", ".join([f"{len(line.finished)} of {total}", *left]) if left else str(total)


def _images(line):
    seen = _images_seen(line)
    if not seen:
        return MISSING
    papers = "" if line.paper_images is None else f" ({line.paper_images:,})"
    return ", ".join(f"{images:,}" for images in seen) + papers


def _images_seen(line):
    trained = line.row.method == "segmenter"
    return sorted({metrics["images_seen"] for metrics in line.finished.values() if trained})


def _notes(table, lines):
    """Yields what stands below a table: what differs from the paper, notes on rows, runs that failed."""
    yield from _field_notes(lines)
    settings = [line.settings for line in lines if line.settings]
    departures = [f"- {text}" for applies, text in DEPARTURES if any(map(applies, settings))]
    if departures:
        yield "\n".join(["What differs from the paper besides:", *departures])
    finished = [metrics for line in lines for metrics in line.finished.values()]
    photos = sorted({_photos(metrics) for metrics in finished if "photos" in metrics})
    if photos:
        yield "Photos to train on, for validation and for the test: " + "; ".join(photos) + "."
    syntheses = _syntheses(lines)
    if syntheses:
        yield f"FID: {'; '.join(syntheses)}."
    elif "fid" in table.columns:
        yield "No FID: no run had weights (`metrics.inception`)."
    remarks = [f"- {_name(line)}: {line.row.note}" for line in lines if line.row.note]
    for column in (name for name in ("fid", "nmi") if name in table.columns):
        some_with = {_name(line): _some_with(line, COLUMNS[column].keys[0]) for line in lines}
        remarks += [f"- {name}: {column.upper()} of {some} seeds" for name, some in some_with.items() if some]
    remarks += [f"- {_name(line)}, seed {seed}, failed: {why}" for line in lines for seed, why in line.failed.items()]
    if remarks:
        yield "\n".join(remarks)


def _field_notes(lines):
    """Yields the fields of the config that differ from the paper's: those of all rows, then those of each."""
    finished = {id(line): differences(line) for line in lines if line.settings and line.paper_settings}
    if not finished:
        return
    common = set.intersection(*(set(found.items()) for found in map(_hashable, finished.values())))
    notes = ["Fields that differ from the paper's, whose is in brackets (where it is silent, that of `configs/`):"]
    notes.append("- in every row: " + (", ".join(_difference(*item) for item in sorted(common)) or "none"))
    for line in lines:
        own = sorted(set(_hashable(finished.get(id(line), {})).items()) - common)
        if own and line.row.method == "segmenter":
            notes.append(f"- {_name(line)}: " + ", ".join(_difference(*item) for item in own))
    yield "\n".join(notes)


def _hashable(found):
    return {name: tuple(map(str, values)) for name, values in found.items()}


def _difference(name, values):
    ours, papers = (MISSING if value in (None, "None") else value for value in values)
    return f"`{name}` {ours} ({papers})"


def _name(line):
    return f"{line.row.label}, {line.dataset}"


def _made(line, key="synthesis"):
    """What metrics.json holds on FID, or NMI, of the runs for which it was computed; none of a baseline."""
    made = [metrics.get(key) for metrics in line.finished.values() if line.row.method == "segmenter"]
    return [about for about in made if about]


def _syntheses(lines):
    """Says what the FIDs are of; of which rows, where there are several kinds of one dataset."""
    rows = {}
    for line in lines:
        for about in _made(line):
            rows.setdefault((line.dataset, _synthesis(about)), {})[line.row.label] = None
    several = len(rows) > len({dataset for dataset, _ in rows})
    found = []
    for (dataset, text), labels in rows.items():
        of_rows = f" ({', '.join(labels)})" if several else ""
        found.append(f"{dataset}{of_rows}, {text}")
    return sorted(found)


def _some_with(line, key):
    """Returns of how many seeds there are figures of a kind, where it is of some of them."""
    count = len(_made(line, key))
    return f"{count} of {len(line.finished)}" if 0 < count < len(line.finished) else None


def _synthesis(about):
    pictures = f"{about['samples']:,} synthetic pictures against {about['reference_pictures']:,}"
    return f"{pictures} ({about['reference']}), {about['resize']}, weights {about['inception_sha256'][:12]}"


def _photos(metrics):
    return " / ".join(f"{metrics['photos'][name]:,}" for name in ("train", "validation", "test"))
