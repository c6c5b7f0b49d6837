"""Tables of the paper, as Markdown and as CSV, with our results beside the paper's results."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from tf_layered_gan.paper.columns import COLUMNS, FID_FACTS, TRAITS
from tf_layered_gan.paper.lines import Line
from tf_layered_gan.paper.table_notes import MISSING, difference, notes
from tf_layered_gan.paper.tables import Table

_LEGEND = (
    "Our figures are the mean over the seeds, with the minimum and the maximum in brackets. ACC, IoU and mIoU are "
    "computed over all pixels of the test photos. ACC/image, IoU/image and mIoU/image are means over the photos. NMI "
    "is computed over all photos, normalised by the arithmetic mean of the entropies. NMI by chance is the NMI after "
    "the same clusters were shuffled among the photos. Mask mean is the share of the image that the GAN's masks cover, "
    "in per cent. Mask spread is the standard deviation of this share over the images. If mask mean is near 0, nearly "
    "every pixel is background. If mask mean is near 100, nearly every pixel is foreground. In the column of images "
    "seen, the number in brackets is the number of images that the paper's run sees."
)


def markdown(title: str, table: Table, lines: Sequence[Line], command: str, about: str | None = None) -> str:
    """Formats a table as Markdown.

    Args:
        title: its heading.
        table: the table.
        lines: its lines.
        command: the command that made the table.
        about: a sentence about the photos and masks, or None.
    """
    header = ["", "dataset", *(TRAITS[name] for name in table.traits)]
    header += [f"{COLUMNS[name].header} {whose}" for name, whose in _columns(table)]
    header += ["seeds", "images seen"]
    rows = [_cells(table, line) for line in lines]
    parts = [
        f"# {title}",
        f"In the paper: {table.caption}. {table.note}".strip(),
        f"    {command}",
        *([f"Photos and masks: {about}"] if about else []),
        _LEGEND,
        "\n".join(f"| {' | '.join(cells)} |" for cells in [header, ["---"] * len(header), *rows]),
        *notes(table, lines),
    ]
    return "\n\n".join(parts) + "\n"


def as_csv(table: Table, lines: Sequence[Line]) -> str:
    """Formats a table as CSV.

    For a column NAME of the table, the file has NAME_paper with the value of the paper, and NAME_mean, NAME_min and
    NAME_max of our runs. If the paper does not have the column, NAME_paper is left out. Two FIDs are comparable only if
    the facts in `columns.FID_FACTS` are equal. A table with FID also has columns for these facts ("fid_samples" and so
    on). A column of a fact lists all values that occur in the runs.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    kinds = {"paper": ("paper",), "ours": ("mean", "min", "max")}
    facts = FID_FACTS if "fid" in table.columns else ()
    header = ["row", "dataset", *table.traits]
    header += [f"{name}_{kind}" for name, whose in _columns(table) for kind in kinds[whose]]
    header += [f"fid_{name}" for name in facts]
    writer.writerow([*header, "finished", "failed", "missing", "images_seen", "paper_images_seen", "differs"])
    for line in lines:
        values: list[Any] = [line.row.label, line.dataset, *(line.row.traits.get(name) for name in table.traits)]
        for name, whose in _columns(table):
            values += [line.row.paper.get(name)] if whose == "paper" else line.spread(name) or [None] * 3
        values += ["; ".join(sorted({str(fid[name]) for fid in line.sections("synthesis").values()})) for name in facts]
        values += [len(line.finished), len(line.failed), line.missing]
        differs = "; ".join(difference(*item) for item in line.differences().items())
        values += [" ".join(map(str, line.images_seen())), line.paper_images, differs]
        writer.writerow([f"{v:.6g}" if isinstance(v, float) else v for v in values])
    return file.getvalue()


def _columns(table: Table) -> Iterator[tuple[str, str]]:
    """Yields each column as a pair, from left to right.

    The pair consists of the column's name in `COLUMNS`, and "paper" or "ours" for the source of its figures.
    """
    for name in table.columns:
        yield from ((name, "paper"), (name, "ours"))
        companion = COLUMNS[name].companion
        if companion:
            yield companion, "ours"
    yield from (("mask_mean", "ours"), ("mask_spread", "ours"))


def _cells(table: Table, line: Line) -> list[str]:
    cells = [line.row.label, line.dataset, *(line.row.traits.get(name, MISSING) for name in table.traits)]
    cells += [_rounded(_figures(line, name, whose), COLUMNS[name].decimals) for name, whose in _columns(table)]
    return [*cells, _seeds(line), _images(line)]


def _figures(line: Line, name: str, whose: str) -> tuple[float, float, float] | None:
    if whose == "ours":
        return line.spread(name)
    paper = line.row.paper.get(name)
    return None if paper is None else (paper, paper, paper)


def _rounded(spread: tuple[float, float, float] | None, decimals: int) -> str:
    if spread is None:
        return MISSING
    mean, least, most = (f"{value:.{decimals}f}" for value in spread)
    return mean if least == most else f"{mean} ({least} to {most})"


def _seeds(line: Line) -> str:
    total = len(line.finished) + len(line.failed) + line.missing
    if not total:
        return MISSING
    counts = {"failed": len(line.failed), "not finished": line.missing}
    left = [f"{count} {name}" for name, count in counts.items() if count]
    return ", ".join([f"{len(line.finished)} of {total}", *left]) if left else str(total)


def _images(line: Line) -> str:
    seen = line.images_seen()
    if not seen:
        return MISSING
    papers = "" if line.paper_images is None else f" ({line.paper_images:,})"
    return ", ".join(f"{images:,}" for images in seen) + papers
