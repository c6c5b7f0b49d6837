import csv
import io

import pytest

from tf_layered_gan.paper.columns import FID_FACTS
from tf_layered_gan.paper.lines import Line, figure
from tf_layered_gan.paper.table_report import as_csv, markdown
from tf_layered_gan.paper.tables import Row, Table

FID = {"samples": 6, "reference_pictures": 9, "reference": "all photos, at 32x32", "resize": "bilinear"}
FID |= {"inception_sha256": "abcdef" * 10, "fid": 1.0, "bg_fid": 2.0}
TABLE = Table("Settings", ("fid", "iou"), (), note="Of masks.")
ROW = Row("gamma_mi 1", "cub", {"fid": 11.6, "iou": 68.6}, {})
COMMON = {"gan.gamma_b": 2.0, "data.path": "secret", "seed": 0, "data.source": "cub"}
COMMON |= {"schedule.final_segmenter_steps": 0, "segmenter.supervised": False}
PAPERS = COMMON | {"resolution": 64, "gan.gamma_mi": 1.0, "data.crop_scale": [0.8, 1.0], "monitoring.grid_every": 1}
OURS = COMMON | {"resolution": 32, "gan.gamma_mi": 1.0, "data.crop_scale": [0.8, 1.0], "data.path": "other", "seed": 1}


def metrics(iou, images_seen=16_000, **more):
    test = {"segmenter": {"iou": iou, "iou_per_image": iou + 0.1}, "grabcut": {"iou": 0.5}}
    photos = {"train": 4_762, "validation": 124, "test": 123}
    synthetic = {"mask_mean": iou / 2, "mask_spread": 0.01}
    return {"images_seen": images_seen, "test": test, "photos": photos, "synthetic": synthetic} | more


def line(row=ROW, **changes):
    values = {"dataset": "folder", "finished": {0: metrics(0.3), 2: metrics(0.4)}}
    values |= {"settings": OURS, "paper_settings": PAPERS, "paper_images": 1_000_000}
    return Line(row, **values | changes)


def quoted():
    return Line(Row("ReDO", "cub", {"iou": 42.6}), dataset="cub", finished={})


def cells(text, label):
    (found,) = [row for row in text.splitlines() if row.startswith(f"| {label} |")]
    return [cell.strip() for cell in found.split("|")[1:-1]]


def test_our_figures_are_next_to_the_papers():
    text = markdown("Table 9", TABLE, [line(), quoted()], "python -m x")
    assert text.startswith("# Table 9\n\nIn the paper: Settings. Of masks.\n\n    python -m x\n")
    # The two runs have the IoU 30 and 40, and the IoU per image 40 and 50. Their masks cover 15 and 20 % of the image,
    # with a standard deviation of 1 %.
    row = [
        "folder",
        "11.6",
        "—",
        "68.6",
        "35.0 (30.0 to 40.0)",
        "45.0 (40.0 to 50.0)",
        "17.5 (15.0 to 20.0)",
        "1.0",
        "2",
        "16,000 (1,000,000)",
    ]
    assert cells(text, "gamma_mi 1")[1:] == row
    assert cells(text, "ReDO")[1:] == ["cub", "—", "—", "42.6", "—", "—", "—", "—", "—", "—"]
    assert "Photos for training / validation / test: 4,762 / 124 / 123." in text


def test_failed_and_unfinished_runs_are_counted_but_not_in_the_mean():
    failed = line(finished={0: metrics(0.3)}, failed={1: "error: nan"}, missing=2)
    text = markdown("T", TABLE, [failed], "c")
    assert cells(text, "gamma_mi 1")[5] == "30.0"
    assert cells(text, "gamma_mi 1")[-2] == "1 of 4, 1 failed, 2 not finished"
    assert "- gamma_mi 1, folder, seed 1, failed: error: nan" in text


def test_a_row_without_finished_runs_is_shown():
    text = markdown("T", TABLE, [line(), line(Row("bad", "cub", {"iou": 1.0}, {}), finished={}, failed={0: "x"},
                                              settings=None)], "c")  # fmt: skip
    assert cells(text, "bad")[1:] == ["folder", "—", "—", "1.0", *["—"] * 4, "0 of 1, 1 failed", "—"]


def test_differences_that_all_rows_share_are_listed_once():
    other = line(Row("gamma_mi 5", "cub", {"iou": 1.0}, {}), settings=OURS | {"gan.gamma_mi": 5.0, "new": None})
    assert line().differences() == {"resolution": (32, 64)}
    text = markdown("T", TABLE, [line(), other], "c")
    assert "- in every row: `resolution` 32 (64)\n- gamma_mi 5, folder: `gan.gamma_mi` 5.0 (1.0)" in text
    assert "secret" not in text and "data.path" not in text


@pytest.mark.parametrize(
    "fields, count",
    [
        ({"schedule.final_segmenter_steps": 12_000}, 1),
        ({"schedule.final_segmenter_steps": 12_000, "segmenter.supervised": True}, 0),
        ({"data.source": "dogs"}, 2),
        ({"data.source": "cars", "schedule.final_segmenter_steps": 1}, 3),
    ],
)
def test_differences_that_no_field_shows_are_listed(fields, count):
    text = markdown("T", TABLE, [line(settings=PAPERS), line(settings=PAPERS | fields)], "c")
    assert text.partition("Other differences from the paper:\n")[2].partition("\n\n")[0].count("- ") == count


def test_only_rows_of_the_segmenter_have_fid():
    with_fid, grabcut = metrics(0.3, synthesis=FID), Row("GrabCut", "cub", {"iou": 36.0}, {}, method="grabcut")
    assert figure(with_fid, ROW, "fid") == 1.0
    assert figure(metrics(0.3), ROW, "fid") is figure(with_fid, grabcut, "fid") is None
    assert figure(metrics(0.3), grabcut, "iou") == 50.0
    assert figure(metrics(0.3) | {"test": None}, ROW, "iou") is None


def test_nmi_is_next_to_nmi_by_chance():
    table = Table("Clusters", ("nmi",), ())
    clustered = line(finished={0: metrics(0.3, clusters={"nmi": 0.25, "nmi_by_chance": 0.125})})
    text = markdown("T", table, [clustered], "c")
    assert cells(text, "")[2:5] == ["NMI ↑ paper", "NMI ↑ ours", "NMI by chance ours"]
    assert cells(text, "gamma_mi 1")[2:5] == ["—", "0.250", "0.125"]
    (row,) = csv.DictReader(io.StringIO(as_csv(table, [clustered])))
    assert [row[f"nmi_by_chance_{kind}"] for kind in ("mean", "min", "max")] == ["0.125"] * 3
    assert "nmi_by_chance_paper" not in row and "FID was not computed" not in text


def test_traits_are_before_the_figures():
    table = Table("Priors", ("iou",), (), traits=("entropy",))
    row = Row("normal", "cub", {"iou": 72.3}, {}, traits={"entropy": "5.6"})
    lines = [line(row), line(Row("disc", "cub", {}, {}, method="grabcut"))]
    text = markdown("T", table, lines, "c")
    assert cells(text, "")[:4] == ["", "dataset", "H(c)", "IoU ↑ paper"]
    assert cells(text, "normal")[2:4] == ["5.6", "72.3"] and cells(text, "disc")[2:4] == ["—", "—"]
    assert [row["entropy"] for row in csv.DictReader(io.StringIO(as_csv(table, lines)))] == ["5.6", ""]


def test_figures_over_all_pixels_are_next_to_those_per_image():
    table = Table("Masks", ("accuracy", "iou", "miou"), ())
    names = ("accuracy", "iou", "miou", "accuracy_per_image", "iou_per_image", "miou_per_image")
    run = metrics(0.3) | {"test": {"segmenter": {name: (i + 1) / 10 for i, name in enumerate(names)}}}
    text = markdown("T", table, [line(finished={0: run})], "c")
    assert cells(text, "")[2:11] == [f"{name}{kind}" for name in ("ACC", "IoU", "mIoU") for kind in (
        " ↑ paper", " ↑ ours", "/image ↑ ours")]  # fmt: skip
    assert cells(text, "gamma_mi 1")[2:11] == ["—", "10.0", "40.0", "68.6", "20.0", "50.0", "—", "30.0", "60.0"]
    (row,) = csv.DictReader(io.StringIO(as_csv(table, [line(finished={0: run})])))
    assert (row["accuracy_per_image_mean"], row["miou_per_image_mean"]) == ("40", "60")


def test_csv_has_all_figures():
    (row, other) = csv.DictReader(io.StringIO(as_csv(TABLE, [line(), quoted()])))
    assert (row["row"], row["dataset"], row["fid_paper"], row["fid_mean"]) == ("gamma_mi 1", "folder", "11.6", "")
    assert [float(row[f"iou_{kind}"]) for kind in ("paper", "mean", "min", "max")] == pytest.approx([68.6, 35, 30, 40])
    assert [float(row[f"iou_per_image_{kind}"]) for kind in ("mean", "min", "max")] == pytest.approx([45, 40, 50])
    assert float(row["mask_mean_mean"]) == pytest.approx(17.5)
    assert (row["finished"], row["failed"], row["missing"]) == ("2", "0", "0")
    assert (row["images_seen"], row["paper_images_seen"], row["differs"]) == (
        "16000",
        "1000000",
        "`resolution` 32 (64)",
    )
    assert (other["iou_paper"], other["iou_mean"], other["finished"]) == ("42.6", "", "0")


def test_notes_say_which_seeds_have_fid_and_what_it_compares():
    with_fid, without = metrics(0.3, synthesis=FID), metrics(0.4)
    text = markdown("T", TABLE, [line(finished={0: with_fid, 1: without})], "c")
    assert "- gamma_mi 1, folder: FID for 1 of 2 seeds" in text and "FID was not computed" not in text
    compared = "6 synthetic images against 9 photos (all photos, at 32x32), bilinear, weights abcdefabcdef."
    assert f"FID: folder, {compared}" in text
    disc = Row("disc", "cub", {}, method="grabcut")
    for row, runs in ((ROW, {0: with_fid, 1: with_fid}), (disc, {0: with_fid, 1: without})):
        assert "FID for" not in markdown("T", TABLE, [line(row, finished=runs)], "c")
    assert "FID was not computed, because `metrics.inception` named no weights." in markdown("T", TABLE, [line()], "c")


def test_notes_name_the_rows_if_their_fids_compare_different_things():
    few, many = (metrics(0.3, synthesis=FID | {"samples": samples}) for samples in (6, 60))
    lines = [line(Row(name, "cub", {}), finished={0: run}) for name, run in zip("abc", (few, many, few), strict=True)]
    text = markdown("T", TABLE, lines, "c")
    assert "FID: folder (a, c), 6 synthetic images" in text and "; folder (b), 60 synthetic images" in text


def test_csv_has_the_facts_of_fid():
    runs = {seed: metrics(0.3, synthesis=FID | {"inception_sha256": sha256}) for seed, sha256 in enumerate("ba")}
    lines = [line(finished=runs), line(), line(Row("disc", "cub", {}, method="grabcut"), finished=runs), quoted()]
    first, *others = csv.DictReader(io.StringIO(as_csv(TABLE, lines)))
    expected = {f"fid_{name}": str(FID[name]) for name in FID_FACTS} | {"fid_inception_sha256": "a; b"}
    assert {name: first[name] for name in expected} == expected
    assert {row[name] for row in others for name in expected} == {""}
    assert "fid_samples" not in as_csv(Table("Masks", ("iou",), ()), lines)
