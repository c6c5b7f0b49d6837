"""The part of the report that compares several runs."""

import pathlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from tf_layered_gan.evaluation.image_grid import enlargement
from tf_layered_gan.evaluation.overlay import mask_over_image
from tf_layered_gan.files.records import read_record
from tf_layered_gan.reporting.charts import line_chart
from tf_layered_gan.reporting.markup import Markup, Section, bar, captioned, element, paragraphs, section, table
from tf_layered_gan.reporting.recorded import Recorded
from tf_layered_gan.reporting.thumbnails import data_uris

_PHOTOS, _BYTES = 8, 600_000


def comparison_section(runs: Sequence[Recorded]) -> Section:
    """Shows the metrics, settings, learning curves and masks of several runs side by side."""
    names = _distinct_names(runs)
    parts = [_figures(runs, names)]
    curves = {
        name: [(point["images_seen"], point["iou"]) for point in run.curve]
        for run, name in zip(runs, names, strict=True)
        if run.curve
    }
    if any(x for points in curves.values() for x, _ in points):  # if all x are 0, no run has a GAN
        chart = line_chart("IoU on the validation photos", curves, "images seen by D", y_range=(0, 1))
        parts.append(element("div", chart, class_="charts"))
    parts += [_settings(runs, names), *_masks(runs, names)]
    return section("comparison", "Runs side by side", *parts)


def _figures(runs: Sequence[Recorded], names: Sequence[str]) -> Markup:
    rows = []
    for run, name in zip(runs, names, strict=True):
        test = run.metrics.get("test") or {}
        ours = test.get("segmenter") or test.get("student")
        ious = [bar(ours["iou"]), f"{ours['iou_per_image']:.3f}"] if ours else ["not measured", ""]
        seconds = run.metrics.get("training_seconds")
        minutes = "" if seconds is None else f"{seconds / 60:.0f}"
        rows.append([name, *ious, f"{run.metrics.get('images_seen', 0):,}", minutes])
    head = ["run", "test IoU, whole set", "per image", "images seen", "minutes of training"]
    return table(head, rows, "Figures of each run on its own test photos")


def _settings(runs: Sequence[Recorded], names: Sequence[str]) -> Markup:
    fields = sorted({field for run in runs for field in run.settings})
    values = {field: [str(run.settings.get(field, "unknown")) for run in runs] for field in fields}
    rows = [[field, *given] for field, given in values.items() if len(set(given)) > 1]
    if not rows:
        return paragraphs("The runs have the same settings.")
    return table(["setting", *names], rows, "Settings that differ between the runs")


def _masks(runs: Sequence[Recorded], names: Sequence[str]) -> list[Markup]:
    """Shows each run's masks of the first test photos, if all runs have the same test photos."""
    title = element("h3", "The same photos")
    if len({_test_photos(run) for run in runs}) > 1:
        return [title, paragraphs("The runs have different test photos, so their figures cannot be compared.")]
    files = sorted((runs[0].workdir / "test" / "images").glob("*.png"))[:_PHOTOS]
    parts = [title]
    for file in files:
        masks = {n: r.workdir / "test" / "masks" / file.name for r, n in zip(runs, names, strict=True)}
        shown = {name: _over(file, mask) for name, mask in masks.items() if mask.exists()}
        uris = data_uris(list(shown.values()), _BYTES // _PHOTOS)
        items = [captioned(uri, f"Mask by {name}", name) for name, uri in zip(shown, uris, strict=False)]
        parts.append(element("ul", *items, class_="photos"))
    return parts


def _over(photo: pathlib.Path, mask: pathlib.Path) -> np.ndarray:
    with Image.open(photo) as image, Image.open(mask) as grey:
        pixels = np.asarray(image.convert("RGB"))
        return mask_over_image(pixels, np.asarray(grey.resize(image.size)) > 127, enlargement(pixels[None]))


def _test_photos(run: Recorded) -> str:
    """Returns a key that identifies the test photos of a run and their size."""
    try:
        record = read_record(run.workdir / "photos.json")["test"]
        return f"{record['sha256']} {run.settings.get('data.fit')} {run.settings.get('resolution')}"
    except (OSError, ValueError, KeyError, TypeError):
        return str(run.workdir)


def _distinct_names(runs: Sequence[Recorded]) -> list[str]:
    names = [run.name for run in runs]
    return names if len(set(names)) == len(names) else [str(run.workdir) for run in runs]
