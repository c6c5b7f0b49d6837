"""The report's sections with photos: best and worst masks, sizes of objects, baselines, clusters, and the review."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from tf_layered_gan.data.photos import UNLABELLED
from tf_layered_gan.evaluation.image_grid import enlargement
from tf_layered_gan.evaluation.metrics.segmentation import confusion_matrices, foreground_iou
from tf_layered_gan.evaluation.overlay import mask_over_image
from tf_layered_gan.reporting.charts import point_chart
from tf_layered_gan.reporting.markup import Markup, Section, bar, captioned, element, paragraphs, section, table
from tf_layered_gan.reporting.measured import Answers, Measured, order_by_doubt
from tf_layered_gan.reporting.thumbnails import data_uris

_NO_CLUSTERS = "There are no clusters: no GAN with a categorical private code has been trained."
_METHODS = {  # from the name of a method in the table to its explanation
    "bootstrap": "“Bootstrap” and “pass 1” (and so on) are the segmenters after these parts of the run, see “What each "
    "part gained”.",
    "pairs alone": "“Pairs alone” is the segmenter that learned from the GAN's images, before the passes.",
    "sharpened": "“Sharpened” shows the segmenter's masks after they were corrected by the colours and edges of each "
    "photo.",
}
_BASELINES = (
    "The baselines learn nothing. “Otsu” splits each photo by brightness, “two colours” splits each photo by colour, "
    "and “pooled hues” splits all photos together by hue. “GrabCut” starts from a rectangle, and separates the colours "
    "of the object from the colours outside the rectangle."
)
_SHOWN = 8  # this number of best masks is shown, and the same number of worst masks
_REVIEWED, _REVIEW_BYTES = 300, 2_900_000
_CLUSTERS, _OF_A_CLUSTER, _CLUSTER_BYTES = 24, 8, 800_000
_MASK_BYTES = 400_000  # the images in a list of photos together take at most this number of bytes


def masks_section(measured: Measured) -> Section:
    """Shows the best and worst masks of test photos.

    If there are no true masks, shows the least and most certain masks.
    """
    answers = measured.held_out
    if answers is None:
        return section("masks", "Masks of photos that were held out", paragraphs("No held-out photo could be shown."))
    if answers.ious is None:
        order, worst, best = order_by_doubt(answers), "The least certain masks", "The most certain masks"
        words = (
            "These test photos have no true masks. A mask counts as certain if the segmenter finds the same object in "
            "the mirrored photo. A segmenter can be certain and wrong, so look at both lists."
        )
    else:
        order, worst, best = np.argsort(answers.ious, kind="stable"), "The worst masks", "The best masks"
        words = (
            "Each pair shows the segmenter's mask on the left and the true mask on the right. The object keeps its "
            "colours; the rest is darker. A low IoU may also mean that the true mask is wrong."
        )
    shown = min(_SHOWN, len(order))
    parts = [paragraphs(words)]
    for title, places in ((worst, order[:shown]), (best, order[::-1][:shown])):
        parts += [element("h3", title), _photo_list(answers, places)]
    return section("masks", "Masks of photos that were held out", *parts)


def area_section(measured: Measured) -> Section | None:
    """Shows IoU against the area of the object. Shows nothing if there are no true masks."""
    answers = measured.held_out
    if answers is None or answers.ious is None:
        return None
    points = [(float(x), float(y)) for x, y in zip(answers.areas, answers.ious, strict=True)]
    chart = point_chart("IoU and size of the object", points, "share of the photo that the object covers", "IoU")
    words = (
        "Each point is a test photo. The height of the point is the IoU. Its horizontal position is the share of the "
        "photo that the object covers."
    )
    return section("area", "Size of the object", paragraphs(words), element("div", chart, class_="charts"))


def baselines_section(measured: Measured, test: Mapping[str, Any] | None) -> Section | None:
    """Shows the masks of the baselines and the segmenter on the same photos, and their metrics on all test photos."""
    answers = measured.held_out
    if answers is None or not measured.baselines:
        return None
    methods = {name: figures for name, figures in (test or {}).items() if isinstance(figures, dict)}
    rows = [[name.replace("_", " "), bar(f["iou"]), f"{f['iou_per_image']:.3f}"] for name, f in methods.items()]
    head = ["method", "IoU, whole set", "IoU per image"]
    parts = [table(head, rows, "All methods on all test photos")] if rows else []
    parts.append(paragraphs(" ".join([*(words for name, words in _METHODS.items() if name in methods), _BASELINES])))
    shown = "mask" if answers.ious is None else "mask and the IoU"
    parts.append(paragraphs(f"Below are some test photos, evenly chosen, with the {shown} of each method."))
    scale = enlargement(answers.images)
    for row, place in enumerate(measured.baseline_photos):
        image, truth = answers.images[place], None if answers.truth is None else answers.truth[place]
        masks = {"segmenter": answers.masks[place]} | {name: m[row] for name, m in measured.baselines.items()}
        tiles = {name: mask_over_image(image, mask, scale) for name, mask in masks.items()}
        if truth is not None:
            tiles = {"true mask": mask_over_image(image, _values(truth), scale)} | tiles
        tiles = {"photo": image.repeat(scale, 0).repeat(scale, 1)} | tiles
        uris = data_uris(list(tiles.values()), _MASK_BYTES // 4)
        captions = [f"{name.replace('_', ' ')}{_iou_words(masks.get(name), truth)}" for name in tiles]
        name = answers.names[place]
        figures = [captioned(uri, f"{words}: {name}", words) for uri, words in zip(uris, captions, strict=False)]
        parts += [element("h3", name), element("ul", *figures, class_="photos methods")]
    return section("baselines", "Beside baselines", *parts)


def clusters_section(measured: Measured, why_no_gan: str) -> Section:
    """Shows photos by the category that E_x gives them.

    Args:
        measured: the photos and their categories.
        why_no_gan: see `Recorded`.
    """
    title, answers = "Clusters of the discriminator", measured.training
    if measured.clusters is None or answers is None:
        return section("clusters", title, paragraphs(why_no_gan or _NO_CLUSTERS))
    categories, counts = np.unique(measured.clusters, return_counts=True)
    largest = np.argsort(-counts, kind="stable")[:_CLUSTERS]
    words = (
        "E_x, an output of the discriminator, puts each photo into a category. E_x learned without any class labels. "
        f"The {len(measured.clusters):,} photos are in {len(categories)} categories, of which the {len(largest)} "
        "largest are shown. Photos of one category should have something in common."
    )
    sheets = []
    for place in largest:
        members = np.flatnonzero(measured.clusters == categories[place])[:_OF_A_CLUSTER]
        uris = data_uris(list(answers.images[members]), _CLUSTER_BYTES // _CLUSTERS)
        images = [element("img", src=uri, alt=answers.names[i]) for uri, i in zip(uris, members, strict=False)]
        items = [element("li", image) for image in images]
        size = f"{counts[place]:,} photo{'s' if counts[place] > 1 else ''}"
        heading = element("h3", f"Category {categories[place]}: {size}")
        sheets.append(element("div", heading, element("ul", *items, class_="photos cluster")))
    return section("clusters", title, paragraphs(words), element("div", *sheets, class_="clusters"))


def review_section(measured: Measured, run: str) -> Section:
    """Shows training photos with their masks, the most doubtful masks first. The user can mark bad masks."""
    answers = measured.training
    if answers is None:
        return section("review", "Review", paragraphs("There are no photos without masks to review."))
    places = order_by_doubt(answers)[:_REVIEWED]
    scale = enlargement(answers.images)
    uris = data_uris([mask_over_image(answers.images[i], answers.masks[i], scale) for i in places], _REVIEW_BYTES)
    photos = [
        element("li", _review_button(answers.names[i], answers.certainties[i], uri))
        for uri, i in zip(uris, places, strict=False)
    ]
    tools = element(
        "div",
        element("output", f"0 of {len(photos)} marked as bad"),
        element("button", "Download rejected.json", type="button", class_="download", disabled=True),
        element("button", "Clear all marks", type="button", class_="clear", disabled=True),
        class_="tools",
    )
    words = (
        f"Here are {len(photos)} photos to train on, with the segmenter's masks. The most doubtful masks come first. A "
        "mask is doubtful if the segmenter finds another object when the photo is mirrored. Click a photo, or press "
        "Space on it, to mark its mask as bad. The arrow keys move to the next photo. Then download the file of the "
        "marked photos.",
        "Start the next run with this file. That run then learns no masks of the marked photos.",
    )
    flags = "--config.refine.bootstrap=True --config.refine.passes=3 --config.refine.rejected=rejected.json"
    parts = [paragraphs(*words), element("pre", flags), tools, element("ul", *photos, class_="photos")]
    return section("review", "Review", element("div", *parts, data_run=run))


def _review_button(name: str, certainty: float, uri: Markup) -> Markup:
    return element(
        "button",
        element("img", src=uri, alt=""),
        element("span", "keep", class_="state"),
        f" · certain {certainty:.2f} · {name}",
        type="button",
        class_="photo",
        aria_pressed="false",
        data_name=json.dumps(name),
    )


def _photo_list(answers: Answers, places: np.ndarray) -> Markup:
    scale = enlargement(answers.images)
    images = [mask_over_image(answers.images[i], answers.masks[i], scale) for i in places]
    if answers.truth is not None:
        images += [mask_over_image(answers.images[i], _values(answers.truth[i]), scale) for i in places]
    uris, items = data_uris(images, _MASK_BYTES), []
    for row, i in enumerate(places):
        shown = [element("img", src=uris[row], alt=f"The segmenter's mask of {answers.names[i]}")]
        if answers.ious is None:
            words = f"certain {answers.certainties[i]:.2f}, covers {answers.areas[i]:.0%}"
        else:
            shown.append(element("img", src=uris[len(places) + row], alt=f"The true mask of {answers.names[i]}"))
            words = f"IoU {answers.ious[i]:.2f}, the object covers {answers.areas[i]:.0%}"
        caption = element("figcaption", f"{words} · {answers.names[i]}")
        items.append(element("li", element("figure", element("div", *shown, class_="two"), caption)))
    return element("ul", *items, class_="photos pairs" if answers.ious is not None else "photos")


def _iou_words(mask: np.ndarray | None, truth: np.ndarray | None) -> str:
    if mask is None or truth is None:
        return ""
    return f" {float(foreground_iou(confusion_matrices(mask[None], truth[None]))[0]):.2f}"


def _values(truth: np.ndarray) -> np.ndarray:
    return np.where(truth == UNLABELLED, 0.5, truth)
