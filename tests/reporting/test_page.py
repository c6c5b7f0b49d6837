"""Tests of the report: its content, and its sentences about missing parts."""

import base64
import hashlib
import json
import shutil

import pytest
import reports
from absl import logging

from tf_layered_gan.data.photos import Splits
from tf_layered_gan.files.records import read_record, write_record
from tf_layered_gan.reporting import comparison, curves, page, photo_sections
from tf_layered_gan.reporting import measured as measured_module
from tf_layered_gan.reporting.measured import NOTHING


@pytest.fixture(scope="module")
def measured():
    return reports.measured()


@pytest.fixture(scope="module")
def whole(finished_run, measured, tmp_path_factory):
    """The report of a finished run. The names of its photos contain HTML."""
    workdir = shutil.copytree(finished_run, tmp_path_factory.mktemp("whole") / "run")
    return page.write_page(workdir, measured).read_text()


def written(workdir, measured=NOTHING, **given):
    return page.write_page(workdir, measured, **given).read_text()


def test_a_loss_that_no_chart_names_is_shown_with_the_other_losses():
    (chart,) = curves._phase_charts("gan", {"gan/new_loss": [(1, 0.5), (2, 0.25)]}, batch_size=4)
    assert "Other losses of the generators" in str(chart) and "new loss" in str(chart)
    assert curves._phase_charts("validation", {"validation/new": [(1, 0.5), (2, 0.25)]}, batch_size=4) == []


def test_every_run_ends_with_a_report(finished_run):
    text = (finished_run / "report.html").read_text()
    assert "Did it learn?" in text and len(text) < 10e6


def test_the_page_has_every_part(whole):
    sections = [attributes["id"] for attributes in reports.Page(whole).all("section")]
    shown = ["summary", "masks", "area", "baselines", "gains", "layers", "curves", "clusters", "facts", "review"]
    assert sections == shown


def test_the_page_needs_no_network(whole):
    seen = reports.Page(whole)
    pairs = [pair for _, attributes in seen.elements for pair in attributes.items()]
    addresses = [value for name, value in pairs if name in ("src", "href")]
    assert all(address.startswith(("data:image/jpeg;base64,", "#")) for address in addresses) and len(addresses) > 20
    policy = next(a["content"] for a in seen.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    (script,) = seen.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; img-src data:;") and f"script-src 'sha256-{digest}'" in policy


def test_names_of_photos_are_escaped(whole):
    assert reports.HOSTILE not in whole and "&lt;script&gt;alert" in whole
    names = [json.loads(button["data-name"]) for button in reports.Page(whole).all("button") if "data-name" in button]
    assert reports.HOSTILE in names and len(names) == 5


def test_headings_are_in_order_and_images_have_words(whole):
    seen = reports.Page(whole)
    ranks = [int(tag[1]) for tag, _ in seen.elements if tag in ("h1", "h2", "h3", "h4")]
    assert ranks[0] == 1 and ranks.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(ranks, ranks[1:], strict=False))
    assert all("alt" in image for image in seen.all("img"))
    assert all(drawing.get("aria-label") or drawing.get("aria-hidden") for drawing in seen.all("svg"))
    ids = [attributes["id"] for _, attributes in seen.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_figures_are_those_of_the_run(whole, finished_run):
    test = read_record(finished_run / "metrics.json")["test"]
    assert f"an IoU of {test['segmenter']['iou']:.3f}" in whole
    assert f"{test['grabcut']['iou']:.3f}" in whole


def test_the_summary_advises_to_sharpen_where_that_helps(run_copy):
    figures = read_record(run_copy / "metrics.json")
    ours = figures["test"]["segmenter"]["iou"]
    for gain, advised in ((0.02, True), (0.005, False)):
        figures["test"]["sharpened"] = {"iou": ours + gain, "iou_per_image": 0.5}
        write_record(run_copy / "metrics.json", figures)
        assert (f"--sharpen): the IoU is then {ours + gain:.3f}" in written(run_copy)) == advised


def test_methods_and_passes_are_explained(whole, run_copy):
    assert "“Sharpened” shows" in whole and "The baselines learn nothing" in whole and "“Bootstrap” and" not in whole
    record = {"pass": 0, "labels": "rectangle", "photos": 7, "left_out": 2, "agreement": 0.25, "trusted": False}
    write_record(run_copy / "passes" / "0" / "pass.json", record)
    assert "In the bootstrap, a segmenter learns the masks that GrabCut finds" in written(run_copy)


def test_without_true_masks_agreement_takes_the_place_of_iou(tmp_path):
    text = written(tmp_path, reports.measured(masks=False))
    assert "Look at the least certain masks" in text and "no fault" not in text
    assert "agree with other masks" in text and "masks of the segmenter and of GrabCut is" in text
    assert "The least certain masks" in text and 'id="area"' not in text


def test_an_empty_workdir_says_what_is_missing(tmp_path):
    text = written(tmp_path, missing=["No masks could be made: the photos are gone."])
    for words in ("There is no config.json", "there is no metrics.json", "no curve.csv", "no TensorBoard events"):
        assert words in text
    assert "the photos are gone" in text and "Start the same command again" in text
    assert "This is unknown too." in text and "no fault" not in text


def test_one_photo(tmp_path):
    assert "photo to be" not in written(tmp_path, reports.measured(training=1, test=1))


@pytest.mark.parametrize("name", ["config.json", "metrics.json", "curve.csv", "passes/0/pass.json"])
def test_a_damaged_file_is_named(run_copy, name):
    (run_copy / name).parent.mkdir(parents=True, exist_ok=True)
    (run_copy / name).write_text("after\nround 1\n")
    assert f"{run_copy / name} is damaged" in written(run_copy)


def test_a_supervised_run_has_no_gan(run_copy):
    config = read_record(run_copy / "config.json")
    config["segmenter"]["supervised"] = True
    write_record(run_copy / "config.json", config)
    shutil.rmtree(run_copy / "samples")
    text = written(run_copy)
    assert text.count("it learned from true masks") >= 3 and "no curve.csv" not in text


def test_report_says_that_the_bootstrap_was_good_enough(run_copy):
    config = read_record(run_copy / "config.json")
    config["schedule"]["gan"] = "if_needed"
    write_record(run_copy / "config.json", config)
    record = {"pass": 0, "labels": "rectangle", "photos": 7, "left_out": 2, "agreement": 0.75, "trusted": True}
    write_record(run_copy / "passes" / "0" / "pass.json", record)
    figures = read_record(run_copy / "metrics.json") | {"images_seen": 0, "segmenter_steps": 0}
    write_record(run_copy / "metrics.json", figures)
    (run_copy / "curve.csv").write_text("after,images_seen,iou,iou_per_image\nbootstrap,0,0.5,0.5\npass 1,0,0.4,0.4\n")
    shutil.rmtree(run_copy / "samples")
    text = written(run_copy)
    # Four sections give this reason: the summary, the layers, the curves and the clusters.
    assert text.count("because the bootstrap sufficed") == 4
    for words in ("images seen by D", "no grids of layers", "There are no clusters", ">images seen<"):
        assert words not in text
    assert "best after “bootstrap”, not at the end. Try fewer passes: refine.passes=0." in text
    write_record(run_copy / "passes" / "1" / "pass.json", record | {"pass": 1, "kept": False})
    text = written(run_copy)
    assert "Try fewer passes" not in text and "pass 1 (not kept)" in text


def test_grids_of_earlier_versions_are_shown(run_copy):
    (run_copy / "samples" / "layers_step_0000002.png").rename(run_copy / "samples" / "step_0000002.png")
    steps = [image["data-step"] for image in reports.Page(written(run_copy)).all("img") if "data-step" in image]
    assert steps == ["step 2, 8 images seen", "step 4, 16 images seen"]


def test_passes_are_shown(run_copy):
    record = {"pass": 0, "labels": "rectangle", "photos": 7, "left_out": 2, "agreement": 0.25, "trusted": False}
    write_record(run_copy / "passes" / "0" / "pass.json", record)
    text = written(run_copy)
    assert "<td>7</td><td>2</td><td>0.250</td>" in text and "GrabCut does not find the objects" in text


def test_runs_stand_side_by_side(finished_run, run_copy):
    config = read_record(run_copy / "config.json")
    write_record(run_copy / "config.json", config | {"seed": 9})
    text = written(run_copy, others=[finished_run])
    assert 'id="comparison"' in text and "The same photos" in text
    assert '<th scope="row">seed</th><td>9</td><td>0</td>' in text
    assert "Mask by run" in text and f"Mask by {finished_run.name}" in text


def test_runs_with_other_test_photos_are_not_compared(finished_run, run_copy):
    (run_copy / "photos.json").unlink()
    assert "different test photos" in written(run_copy, others=[finished_run])


def test_a_failure_loses_nothing_but_the_report(tmp_path, monkeypatch):
    warnings = []
    monkeypatch.setattr(logging, "warning", lambda message, *values: warnings.append(message % values))
    page.try_to_write_page(tmp_path, None, Splits(*[reports.photos(1)] * 3), None)
    (warning,) = warnings
    assert warning.startswith("no report could be written (--mode=report tries again): AttributeError")
    assert not list(tmp_path.iterdir())


def test_all_images_together_leave_room_for_the_text():
    masks = (2 + measured_module._BASELINE_PHOTOS / 4) * photo_sections._MASK_BYTES
    review, clusters = photo_sections._REVIEW_BYTES, photo_sections._CLUSTER_BYTES
    assert curves._GRID_BYTES + masks + review + clusters + comparison._BYTES < 9.4e6  # of 10 MB
