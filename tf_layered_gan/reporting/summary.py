"""The summary at the top of the report.

It answers three questions: Did the run learn? What fails? What should be done next?
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tf_layered_gan.evaluation.baselines import BASELINES
from tf_layered_gan.evaluation.collapse import collapse_warning, variety_warning
from tf_layered_gan.reporting.markup import Section, element, section
from tf_layered_gan.reporting.measured import Measured, thirds_by_area
from tf_layered_gan.reporting.recorded import Recorded

_NEAR = 0.02  # smaller differences of IoU are ignored, because the difference between two seeds is larger
_FAILED = 0.5  # IoU
_UNEQUAL = 0.1  # smaller differences of IoU between small and large objects are not reported
_MUCH = 1.2  # a ratio of predicted to true foreground from 1/1.2 to 1.2 is not reported


def summary_section(run: Recorded, measured: Measured) -> Section:
    """Says whether the run learned, what fails and what to do next, and lists the parts that the report lacks."""
    answers = {
        "Did it learn?": [*did_it_learn(run, measured)],
        "What fails?": [*what_fails(run, measured)] or [_no_fault(run, measured)],
        "What next?": [*what_next(run, measured)],
    }
    missing = [sentence for sentence in run.missing if sentence]
    if missing:
        answers["What is missing?"] = missing
    parts = []
    for question, sentences in answers.items():
        parts.append(element("dt", question))
        parts.append(element("dd", *(element("p", sentence) for sentence in sentences)))
    return section("summary", "In short", element("dl", *parts, class_="answers"))


def did_it_learn(run: Recorded, measured: Measured) -> Iterable[str]:
    """Yields sentences about the quality of the masks."""
    test = run.metrics.get("test")
    ours = _ours(test)
    if test and ours:
        yield (
            f"On {ours['images']:,} test photos, which were kept out of training, the masks have an IoU of "
            f"{ours['iou']:.3f} with the true masks. This IoU is computed over all pixels. The mean of the photos' "
            f"IoUs is {ours['iou_per_image']:.3f}."
        )
        yield from _beside_baselines(ours["iou"], test)
    elif measured.held_out is not None and measured.held_out.ious is not None:
        ious = measured.held_out.ious
        yield f"There are no final figures yet. The mean IoU of {len(ious):,} test photos is {ious.mean():.3f} so far."
    elif measured.held_out is not None:
        yield (
            "This is uncertain, because the test photos have no true masks. The report shows how well the masks agree "
            "with other masks."
        )
        yield (
            "The mean IoU between the masks of a photo and of its mirror image is "
            f"{measured.held_out.certainties.mean():.2f}. The mean IoU between the masks of the segmenter and of "
            f"GrabCut is {measured.grabcut_agreement:.2f}. High agreement does not prove that the masks are right: "
            "look at the photos below."
        )
    else:
        yield "This is unknown: there are neither final figures nor masks to look at."
    if run.why_no_gan and not run.is_student:
        yield run.why_no_gan
    agreement = (test or {}).get("agreement")
    if run.is_student and isinstance(agreement, float):
        yield f"On the test photos, the masks of the student and of its teacher have an IoU of {agreement:.3f}."


def what_fails(run: Recorded, measured: Measured) -> Iterable[str]:
    """Yields sentences about photos with bad masks, and about parts of the run that failed."""
    answers = measured.held_out
    if answers is not None and answers.ious is not None:
        failed, empty = int((answers.ious < _FAILED).sum()), int((~answers.masks.any((1, 2))).sum())
        if failed:
            yield f"{failed:,} of {len(answers.ious):,} test photos have an IoU below {_FAILED}."
        if empty:
            yield f"The segmenter marks no pixel in {empty:,} test photos."
        sizes = dict(thirds_by_area(answers))
        if sizes and max(sizes.values()) - min(sizes.values()) >= _UNEQUAL:
            words = ", ".join(f"{name} objects {iou:.2f}" for name, iou in sizes.items())
            yield f"IoU depends on the size of the object: {words} (each group has a third of the photos)."
    ours = _ours(run.metrics.get("test"))
    if ours and ours["true_fraction"]:
        ratio = ours["predicted_fraction"] / ours["true_fraction"]
        if not 1 / _MUCH <= ratio <= _MUCH:
            much, covered = "much" if ratio > 1 else "little", ours["predicted_fraction"]
            true = ours["true_fraction"]
            yield f"The masks cover too {much}: {covered:.0%} of the pixels. The true masks cover {true:.0%}."
    yield from _gan_faults(run.metrics)
    for attempt in run.metrics.get("restarts") or []:
        place = f"with seed {attempt['seed']} collapsed after {attempt['images_seen']:,} images"
        yield f"An attempt {place}: {attempt['why']}"
    for record in run.passes:
        if record["pass"] == 0 and not record.get("trusted", True):
            finder = "The labeller" if record["labels"] == "labeller" else "GrabCut"
            yield f"{finder} does not find the objects in these photos, so the GAN did not use the bootstrap."


def _no_fault(run: Recorded, measured: Measured) -> str:
    """Returns a sentence for a run in which no fault was found."""
    if _ours(run.metrics.get("test")) or (measured.held_out is not None and measured.held_out.ious is not None):
        return "These figures show no fault. Look at the worst masks."
    if measured.held_out is not None:
        return "Without true masks, the figures cannot show what fails. Look at the least certain masks."
    return "This is unknown too."


def what_next(run: Recorded, measured: Measured) -> Iterable[str]:
    """Yields advice that follows from the metrics."""
    test, settings = run.metrics.get("test") or {}, run.settings
    ours = _ours(test)
    rounds = [p["iou"] for p in run.curve if p["after"].startswith("round") and not p["after"].endswith("final")]
    if not run.metrics:
        yield "Start the same command again: the run goes on from its last checkpoint."
    if len(rounds) >= 2 and rounds[-1] == max(rounds) and rounds[-1] - rounds[0] > _NEAR:
        count = settings.get("schedule.rounds")
        yield "Add rounds: the validation IoU was still rising at the end."
        yield f"The run had {count} rounds (schedule.rounds)."
    grabcut = test.get("grabcut")
    if ours and grabcut and grabcut["iou"] > ours["iou"] + _NEAR and not settings.get("refine.bootstrap"):
        yield "GrabCut is better than the segmenter here, so learn from GrabCut first: refine.bootstrap=True."
    sharpened = test.get("sharpened")
    if ours and sharpened and sharpened["iou"] > ours["iou"] + _NEAR / 2:
        yield f"Sharpen the masks (edge-segmenter segment --sharpen): the IoU is then {sharpened['iou']:.3f}."
    kept = [point for point in run.curve if point["after"] not in run.not_kept]
    best = max(kept, key=lambda point: point["iou"], default=None)
    if best and kept[-1]["after"].startswith("pass") and kept[-1]["iou"] < best["iou"] - _NEAR / 2:
        words = f"The masks of the validation photos were best after “{best['after']}”, not at the end."
        yield f"{words} {_advice(run, best)}"
    if measured.training is not None:
        yield "Mark the bad masks in the review at the end of this page, and give the file to the next run."
    if run.metrics and not ours:
        yield "Draw masks for about 50 photos, so that the next run can be measured (data.masks)."
    if ours:
        yield "Train with several seeds before you compare settings: the IoUs of two seeds can differ by 0.1."


def _advice(run: Recorded, best: Mapping[str, Any]) -> str:
    """Returns advice for a run whose IoU was best before its end: how a new run can stop at this point."""
    if best["after"] == "bootstrap" and run.metrics.get("images_seen"):
        chosen_already = run.settings.get("schedule.gan") == "if_needed"
        return "" if chosen_already else "Leave the GAN out: schedule.gan=if_needed."
    passes = best["after"].removeprefix("pass ")
    return f"Try fewer passes: refine.passes={passes if passes.isdecimal() else 0}."


def _beside_baselines(iou: float, test: Mapping[str, Any]) -> Iterable[str]:
    baselines = {name: test[name]["iou"] for name in BASELINES if name in test}
    if not baselines:
        return
    best = max(baselines, key=lambda name: baselines[name])
    named = f"{best.replace('_', ' ')}, which learns nothing, has an IoU of {baselines[best]:.3f}"
    disc = baselines.get("centred_disc", 0.0)
    if iou > baselines[best] + _NEAR:
        yield f"Yes: the masks are better than those of every baseline. The best baseline, {named}."
    elif iou > max(disc, baselines.get("all_foreground", 0.0)) + _NEAR:
        yield (
            "In part: the masks are better than a disc in the middle, but not better than those of the best baseline. "
            f"The best baseline, {named}."
        )
    else:
        yield (
            f"No: a disc in the middle, with an IoU of {disc:.3f}, is as good as the masks or better. "
            f"The best baseline, {named}."
        )


def _gan_faults(metrics: Mapping[str, Any]) -> Iterable[str]:
    masks = metrics.get("synthetic")
    if masks:
        warnings = [collapse_warning(masks["mask_mean"], masks.get("masks_full", 0.0))]
        if "pairs_alike" in masks:
            warnings.append(variety_warning(masks))
        yield from (f"The GAN: {warning}" for warning in warnings if warning)


def _ours(test: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Returns the metrics of the segmenter, or of the student, on the test photos."""
    return (test or {}).get("segmenter") or (test or {}).get("student")
