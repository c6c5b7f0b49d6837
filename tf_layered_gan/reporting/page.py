"""The report of a run as one HTML file, WORKDIR/report.html.

The file needs neither a server nor a network connection.
"""

import base64
import datetime
import hashlib
import os
import pathlib
from collections.abc import Sequence

import keras
from absl import logging

from tf_layered_gan.data.photos import Splits
from tf_layered_gan.files.records import write_record
from tf_layered_gan.reporting import curves, facts, photo_sections
from tf_layered_gan.reporting.comparison import comparison_section
from tf_layered_gan.reporting.markup import Markup, Section, element, package_file
from tf_layered_gan.reporting.measured import NOTHING, Measured, measure
from tf_layered_gan.reporting.recorded import Recorded, read_run
from tf_layered_gan.reporting.summary import summary_section

FILE = "report.html"
# With this policy, the browser loads and runs nothing from outside the file, even if a photo's name contains HTML.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def write_page(
    workdir: str | os.PathLike,
    measured: Measured = NOTHING,
    others: Sequence[str | os.PathLike] = (),
    missing: Sequence[str] = (),
) -> pathlib.Path:
    """Writes WORKDIR/report.html.

    Args:
        workdir: the directory of a run, or of a student.
        measured: the masks of the run's models.
        others: the directories of other runs to compare with this run.
        missing: sentences about parts that could not be measured.

    Returns:
        the file.
    """
    run = read_run(workdir)
    run.missing.extend(missing)
    page = render(run, measured, [read_run(other) for other in others])
    write_record(pathlib.Path(workdir) / FILE, page)
    return pathlib.Path(workdir) / FILE


def try_to_write_page(
    workdir: str | os.PathLike, network: keras.Model, splits: Splits, discriminator: keras.Model | None
) -> None:
    """Measures models and writes WORKDIR/report.html. An error causes only a warning, so that no result is lost.

    Args:
        workdir: the directory of a run, or of a student.
        network, splits, discriminator: see `measured.measure`.
    """
    try:
        measured = measure(network, splits, discriminator)
        logging.info("the report is %s: open it in a browser", write_page(workdir, measured))
    except Exception as error:
        logging.warning("no report could be written (--mode=report tries again): %s: %s", type(error).__name__, error)


def render(run: Recorded, measured: Measured, others: Sequence[Recorded] = ()) -> str:
    """Returns the report as HTML."""
    sections = [
        summary_section(run, measured),
        comparison_section([run, *others]) if others else None,
        photo_sections.masks_section(measured),
        photo_sections.area_section(measured),
        photo_sections.baselines_section(measured, run.metrics.get("test")),
        curves.gains_section(run),
        curves.layers_section(run),
        curves.curves_section(run),
        photo_sections.clusters_section(measured, run.why_no_gan),
        facts.facts_section(run),
        photo_sections.review_section(measured, run.name),
    ]
    shown = [section for section in sections if section is not None]
    kind = "student" if run.is_student else "run"
    title = f"Report of the {kind} {run.name}"
    written = f"Written on {datetime.datetime.now().astimezone():%Y-%m-%d %H:%M %Z} by tf-layered-gan."
    body = [
        element("header", element("h1", title), element("p", written, class_="quiet"), _contents(shown)),
        element("main", *(section.drawn() for section in shown)),
    ]
    return _document(title, body)


def _contents(sections: Sequence[Section]) -> Markup:
    """Builds the list of links to the sections."""
    links = [element("li", element("a", section.title, href=f"#{section.name}")) for section in sections]
    return element("nav", element("ul", *links), aria_label="Parts of this report")


def _document(title: str, body: Sequence[Markup]) -> str:
    script = Markup(package_file("report.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    head = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY.format(digest=digest)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(package_file("report.css"))),
    ]
    page = element("html", element("head", *head), element("body", *body, element("script", script)), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"
