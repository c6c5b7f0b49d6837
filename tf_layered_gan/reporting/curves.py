"""The report's sections about training: how much each part improved the IoU, the layers over time, and the curves."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from tf_layered_gan.reporting.charts import line_chart
from tf_layered_gan.reporting.markup import Markup, Section, bar, element, paragraphs, section, table
from tf_layered_gan.reporting.recorded import Recorded
from tf_layered_gan.reporting.scalars import Series
from tf_layered_gan.reporting.thumbnails import data_uris
from tf_layered_gan.runs.passes import pass_name

_PASSES = (
    "In the bootstrap, a segmenter learns the masks that GrabCut finds, or the masks of a labeller if there is one. In "
    "each pass, earlier segmenters predict masks, the masks are sharpened with the colours of each photo, and a "
    "segmenter learns the sharpened masks. A pass is not kept if its masks agree less with GrabCut or the labeller "
    "than the masks of the earlier segmenters do, and if this difference is more than 0.02 and too large to be chance."
)
_MOST_GRIDS, _GRID_BYTES = 24, 3_600_000
_OTHER_LOSSES = "Other losses of the generators"
# The title of each chart, and its scalars. A scalar is given by the last part of its name. Each phase has its own
# charts.
_CHARTS = {
    "Adversarial losses": ("generator_adversarial", "discriminator_adversarial"),
    "The discriminator's logits": ("real_logits", "fake_logits"),
    "Mutual information": ("mutual_information_image", "mutual_information_mask"),
    _OTHER_LOSSES: ("binarization", "background", "mask_size", "independence", "variety"),
    "Synthetic masks: share of the image": ("mask_mean", "mask_spread", "masks_full"),
    "Variety of the synthetic masks": ("pairs_alike", "variance_z", "variance_code"),
    "Distinct silhouettes": ("silhouettes",),
    "Augmentation and R1": ("augmentation_probability", "r1"),
    "Loss of the segmenter": ("segmentation", "consistency"),
    "Gradient norms": ("generator_gradient_norm", "discriminator_gradient_norm", "segmenter_gradient_norm"),
    "Images per second": ("images_per_second",),
}
# The heading of each phase. The keys are the first part of the names of the phase's scalars.
_PHASES = {
    "gan": "GAN",
    "synthetic": "Synthetic masks after each round",
    "segmenter": "Segmenter, in the rounds",
    "final": "Segmenter, final steps",
    "supervised": "Segmenter, on true masks",
}


def gains_section(run: Recorded) -> Section:
    """Shows how much the bootstrap, the GAN and each pass improved the IoU."""
    parts = []
    if run.curve:
        rows, before = [], None
        for point in run.curve:
            iou = point["iou"]
            gain = "" if before is None else f"{iou - before:+.3f}"
            seen = [] if run.why_no_gan else [f"{point['images_seen']:,}"]
            name = f"{point['after']} (not kept)" if point["after"] in run.not_kept else point["after"]
            rows.append([name, *seen, bar(iou), f"{point['iou_per_image']:.3f}", gain])
            before = iou
        seen = [] if run.why_no_gan else ["images seen by D"]
        head = ["after", *seen, "IoU, whole set", "IoU per image", "gain"]
        parts.append(table(head, rows, "The segmenter on the validation photos after each part of the run"))
    others = [name for name in run.metrics.get("test") or {} if name.startswith(("bootstrap", "pass ", "pairs alone"))]
    if others:
        test = run.metrics["test"]
        rows = [[name, bar(test[name]["iou"]), f"{test[name]['iou_per_image']:.3f}"] for name in others]
        parts.append(table(["segmenter", "IoU, whole set", "IoU per image"], rows, "The same parts on the test photos"))
    if run.passes:
        head = [
            "pass",
            "photos learned from",
            "left out",
            "agreement with GrabCut or the labeller",
            "agreement with the masks before",
        ]
        rows = [
            [
                pass_name(record["pass"]),
                f"{record['photos']:,}",
                f"{record['left_out']:,}",
                _share(record.get("agreement")),
                _share(record.get("change")),
            ]
            for record in run.passes
        ]
        parts.append(paragraphs(_PASSES))
        parts.append(table(head, rows, "Passes over photos; these figures need no true mask"))
    nothing = "No part can be compared: there are neither true masks of validation photos nor passes over photos."
    return section("gains", "What each part gained", *(parts or [paragraphs(nothing)]))


def layers_section(run: Recorded) -> Section:
    """Shows the layer grids over time, with a slider to move through them."""
    if not run.grids:
        why = run.why_no_gan or "There are no grids of layers in the folder samples."
        return section("layers", "Layers over time", paragraphs(why))
    places = np.unique(np.linspace(0, len(run.grids) - 1, min(len(run.grids), _MOST_GRIDS)).astype(int))
    steps, files = zip(*(run.grids[place] for place in places), strict=True)
    images, last = data_uris([_opened(file) for file in files], _GRID_BYTES), len(files) - 1
    batch_size = run.settings.get("batch_size", 0)
    names = [f"step {step:,}, {step * batch_size:,} images seen" for step in steps]
    pictures = [
        element("img", src=uri, alt=f"Layers after {name}", data_step=name, hidden=i != last)
        for i, (uri, name) in enumerate(zip(images, names, strict=False))
    ]
    moving = element("input", type="range", min=0, max=len(pictures) - 1, step=1, value=len(pictures) - 1)
    label = element("label", "After ", element("output", names[-1]), moving)
    words = (
        "Each row is one synthetic image. From left to right: background, object, its mask and the composed image, "
        "then a photo and the segmenter's mask of it. Good backgrounds are empty. Good masks differ from row to row."
    )
    return section("layers", "Layers over time", paragraphs(words), element("div", label, *pictures, class_="slider"))


def curves_section(run: Recorded) -> Section:
    """Shows the curves of the run."""
    batch_size = run.settings.get("batch_size", 1)
    parts = []
    if run.curve and not run.why_no_gan:  # without a GAN, every point is at 0 images
        series = {
            "whole set": [(point["images_seen"], point["iou"]) for point in run.curve],
            "per image": [(point["images_seen"], point["iou_per_image"]) for point in run.curve],
        }
        chart = line_chart("IoU on the validation photos", series, "images seen by D", y_range=(0, 1))
        parts.append(element("div", chart, class_="charts"))
    for phase in dict.fromkeys(name.split("/")[0] for name in run.scalars):
        charts = _phase_charts(phase, run.scalars, batch_size)
        if charts:
            title = _PHASES.get(phase, phase.capitalize())
            parts += [element("h3", title), element("div", *charts, class_="charts")]
    fid = run.metrics.get("synthesis")
    words = run.why_no_gan or "FID was not computed."
    if fid:
        words = f"FID {fid['fid']:.2f}, FID of the backgrounds alone {fid['bg_fid']:.2f}."
    return section("curves", "Curves", paragraphs(words), *parts)


def _phase_charts(phase: str, scalars: Mapping[str, Series], batch_size: int) -> Sequence[Markup]:
    charts = []
    for title, names in (_CHARTS | _other_losses(phase, scalars)).items():
        found = {name: scalars[f"{phase}/{name}"] for name in names if f"{phase}/{name}" in scalars}
        if found:
            series = {
                name.replace("_", " "): [(step * batch_size, value) for step, value in points]
                for name, points in found.items()
            }
            charts.append(line_chart(title, series, "images"))
    return charts


def _other_losses(phase: str, scalars: Mapping[str, Series]) -> dict[str, tuple[str, ...]]:
    """Adds the GAN's scalars that `_CHARTS` does not name, such as a new loss, to the chart of the other losses."""
    if phase != "gan":
        return {}
    named = {name for names in _CHARTS.values() for name in names}
    new = [tag.rpartition("/")[2] for tag in scalars if tag.startswith("gan/")]
    return {_OTHER_LOSSES: (*_CHARTS[_OTHER_LOSSES], *(name for name in new if name not in named))}


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _opened(file: str) -> Image.Image:
    with Image.open(file) as image:
        return image.convert("RGB")
