import csv
import json
import os
import pathlib

import pytest
import tiny

from tf_layered_gan.paper import sweep
from tf_layered_gan.paper.experiments import make_table

HERE = str(pathlib.Path(__file__).parent)  # a folder that is there, which is all that these tests ask of photos
SMALL = {"scale": "small", "data": HERE, "masks": HERE}


class Runner:
    """Pretends to be main.py: a run's IoU is a tenth of gamma_mi, and a hundredth more with each seed.

    Its ARI is a half of that, its MSC twice that.
    """

    def __init__(self, failing=None):
        self.failing, self.count = failing, 0

    def __call__(self, command, log):
        self.count += 1
        config = json.loads(sweep.resolve(command[3:-1]).to_json())
        if config["gan"]["gamma_mi"] == self.failing:
            return 1
        iou = config["gan"]["gamma_mi"] / 10 + config["seed"] / 100
        images, steps = sweep.scheduled(config)
        names = ("segmenter", "grabcut", "centred_disc", "all_foreground")
        figures = {"iou": iou, "miou": iou, "accuracy": iou, "ari": iou / 2, "msc": 2 * iou}
        test = {name: dict(figures) for name in names}
        test["centred_disc"]["iou"] = 0.426
        metrics = {"images_seen": images, "segmenter_steps": steps, "test": test}
        if not config["segmenter"]["supervised"]:
            metrics["synthetic"] = {"mask_mean": 0.25, "mask_spread": 0.0}
            if config["data"]["classes"]:
                metrics["clusters"] = {"nmi": 0.5, "nmi_by_chance": 0.125, "photos": 9, "classes": 3}
                metrics["clusters"]["classes_by"] = config["data"]["classes"]
        (log.parent / "config.json").write_text(json.dumps(config))
        (log.parent / "metrics.json").write_text(json.dumps(metrics))
        return 0


def table(file):
    with open(file.with_suffix(".csv"), newline="") as text:
        return {row["row"]: row for row in csv.DictReader(text)}


def test_a_table_is_run_collected_and_written(tmp_path):
    file = make_table("1", tmp_path / "runs", seeds=[0, 1], output=tmp_path / "out", execute=Runner(), **SMALL)
    assert file == tmp_path / "out" / "table_1.md"
    rows = table(file)
    assert list(rows) == ["L_size", *(f"gamma_mi {g}" for g in ("0.1", "0.5", "1", "5", "10")),
                          "a disc in the middle", "all foreground"]  # fmt: skip
    # 0.5 and 0.51 of the pixels.
    row = rows["gamma_mi 5"]
    assert (row["iou_paper"], row["iou_mean"], row["iou_min"], row["iou_max"]) == ("66.5", "50.5", "50", "51")
    assert (row["finished"], row["images_seen"], row["paper_images_seen"]) == ("2", "16000", "1000000")
    assert "`resolution` 32 (64)" in row["differs"] and "`data.source` folder (cub)" in row["differs"]
    assert "gamma_mi" not in row["differs"]  # the row's own setting is the paper's
    assert (rows["a disc in the middle"]["iou_mean"], rows["a disc in the middle"]["iou_paper"]) == ("42.6", "")
    text = file.read_text()
    assert text.startswith("# Table 1, small scale\n")
    folders = "--workdir=WORKDIR --data=DIR --masks=MASKS"
    assert f"python -m tf_layered_gan.paper.experiments 1 --scale=small --seeds=0,1 {folders}\n" in text
    assert str(tmp_path) not in text


def test_the_command_names_the_weights_without_their_folder(tmp_path):
    (tmp_path / "inception.npz").touch()
    extra = (f"--config.metrics.inception={tmp_path / 'inception.npz'}", "--config.metrics.fid_samples=500")
    text = make_table("6", tmp_path, seeds=[0], execute=Runner(), extra=extra, **SMALL).read_text()
    assert "--masks=MASKS -- --config.metrics.inception=inception.npz --config.metrics.fid_samples=500\n" in text


def test_a_failed_run_does_not_keep_the_table_from_being_written(tmp_path):
    file = make_table("1", tmp_path, seeds=[0], execute=Runner(failing=10.0), **SMALL)
    assert (table(file)["gamma_mi 10"]["failed"], table(file)["gamma_mi 10"]["iou_mean"]) == ("1", "")
    assert table(file)["gamma_mi 5"]["iou_mean"] == "50"
    assert "- gamma_mi 10, folder, seed 0, failed: exit code 1: nothing printed" in file.read_text()


def test_a_run_that_finished_after_it_failed_is_no_failure(tmp_path):
    settings = {"seeds": [0], **SMALL}
    make_table("1", tmp_path, execute=Runner(failing=10.0), **settings)
    (workdir,) = (file.parent for file in tmp_path.rglob("failed.txt"))
    (run,) = sweep.plan(tmp_path, "small", {"gan.gamma_bg": 0.0, "gan.gamma_mi": 10.0}, seeds=[0])
    assert run.workdir == workdir
    Runner()(run.command, workdir / "log.txt")  # by hand
    row = table(make_table("1", tmp_path, collect_only=True, execute=None, **settings))["gamma_mi 10"]
    assert (row["finished"], row["failed"], row["iou_mean"]) == ("1", "0", "100")


def test_one_folder_by_two_names_is_one_setting(tmp_path):
    runner, photos = Runner(), tmp_path / "photos"
    photos.mkdir()
    (tmp_path / "link").symlink_to("photos")
    for name in (os.path.relpath(photos), photos, tmp_path / "link"):
        make_table("1", tmp_path / "runs", scale="small", seeds=[0], data=name, masks=name, execute=runner)
        assert runner.count == 6
    settings = json.loads(next(tmp_path.rglob("config.json")).read_text())["data"]
    assert settings["path"] == settings["masks"] == str(photos.resolve())


def test_a_table_can_be_collected_alone_and_nothing_is_run_twice(tmp_path):
    runner = Runner()
    first = make_table("2", tmp_path, seeds=[0], execute=runner, **SMALL).read_text()
    assert runner.count == 8
    assert make_table("2", tmp_path, scale="small", seeds=[0], collect_only=True, execute=None).read_text() == first
    rows = table(make_table("2", tmp_path, seeds=[0], execute=runner, **SMALL))
    assert runner.count == 8
    assert (rows["normal, d_c 4"]["entropy"], rows["all foreground"]["entropy"]) == ("5.6", "")
    more = make_table("2", tmp_path, scale="small", seeds=[0, 1], collect_only=True, execute=None)
    assert table(more)["normal, d_c 4"]["missing"] == "1"


def test_table_5_has_a_run_for_two_of_its_methods_and_quotes_the_others(tmp_path):
    runner = Runner()
    rows = table(make_table("5", tmp_path, seeds=[0], execute=runner, **SMALL))
    assert runner.count == 2  # the supervised U-Net; ours, whose figures hold GrabCut's
    assert rows["supervised U-Net"]["images_seen"] == "16000"  # 1,000 steps of 16
    assert rows["GrabCut by [48]"]["images_seen"] == rows["all foreground"]["images_seen"] == ""
    assert rows["GrabCut by [48]"]["iou_mean"] == rows["ours"]["iou_mean"] == "10"
    assert (rows["ReDO"]["iou_paper"], rows["ReDO"]["iou_mean"]) == ("42.6", "")
    assert (rows["ours"]["mask_mean_mean"], rows["supervised U-Net"]["mask_mean_mean"]) == ("25", "")


def test_table_4_at_the_small_scale_has_one_dataset_and_nmi_where_photos_have_classes(tmp_path):
    for extra, nmi, by_chance in (((), "", ""), (("--config.data.classes=^[a-z]+",), "0.5", "0.125")):
        file = make_table("4", tmp_path / f"nmi_{nmi}", seeds=[0], execute=Runner(), extra=extra, **SMALL)
        rows = table_rows(file)
        assert [(row["row"], row["dataset"]) for row in rows[:3]] == [
            ("FineGAN", "cub"),
            ("OneGAN", "cub"),
            ("ours", "folder"),
        ]
        assert [row["row"] for row in rows[3:]] == ["a disc in the middle", "all foreground"]
        assert [row["nmi_paper"] for row in rows[:3]] == ["0.349", "0.391", "0.585"]
        assert (rows[2]["nmi_mean"], rows[2]["nmi_by_chance_mean"], rows[0]["nmi_mean"]) == (nmi, by_chance, "")
        assert (rows[2]["iou_mean"], rows[2]["images_seen"]) == ("10", "48000")


def test_table_6_at_the_small_scale(tmp_path):
    file = make_table("6", tmp_path, seeds=[0], execute=Runner(), **SMALL)
    rows = table(file)
    assert list(rows)[:5] == ["MONET-G", "GENESIS", "SLOT-ATT.", "GENESIS-V2", "ours"]
    assert (rows["ours"]["dataset"], rows["ours"]["ari_mean"], rows["ours"]["msc_mean"]) == ("folder", "0.05", "0.2")
    assert (rows["GENESIS-V2"]["ari_paper"], rows["GENESIS-V2"]["ari_mean"]) == ("0.55", "")
    assert "`gan.gamma_mi` 1.0 (2.0)" in rows["ours"]["differs"]  # as its note says


def test_at_the_small_scale_tables_share_runs(tmp_path):
    runner, counts = Runner(), []
    for name in ("3", "4", "5", "6", "1", "D.2"):
        make_table(name, tmp_path, seeds=[0], execute=runner, **SMALL)
        counts.append(runner.count)
    # Ours of Tables 3 to 6 is one run, Table 5 has the supervised U-Net's; D.2 has two that Table 1 has not.
    assert counts == [2, 2, 3, 3, 9, 11]


def test_the_papers_scale_differs_in_what_no_field_shows(tmp_path):
    file = make_table("3", tmp_path, seeds=[0], masks=HERE, execute=Runner())
    assert {row["differs"] for row in table_rows(file)} == {""}
    assert [row["dataset"] for row in table_rows(file)[:6:2]] == ["cub", "dogs", "cars"]
    text = file.read_text()
    assert "- in every row: none\n\nWhat differs from the paper besides:\n- The segmenter that is measured goes" in text
    assert text.count("- Stanford Cars and Dogs: ") == 2  # validation photos and masks
    assert "another segmenter's predictions, in the paper a Mask R-CNN's. Those of CUB are true." in text
    assert "same number of images" not in text
    birds = make_table("2", tmp_path, seeds=[0], execute=Runner()).read_text()
    assert "22,000 after five, where the paper trains one for 12,000" in birds and "Stanford" not in birds


def test_a_table_says_what_photos_and_masks_it_was_made_with(tmp_path):
    about = "birds of 2010, masks by U2-Net"
    text = make_table("3", tmp_path, seeds=[0], about=about, execute=Runner(), **SMALL).read_text()
    assert f"\n\nPhotos and masks: {about}\n\n" in text
    assert "What differs from the paper besides" not in text  # configs/small.py has no final segmenter
    assert "Photos and masks" not in make_table("3", tmp_path, seeds=[0], execute=Runner(), **SMALL).read_text()


def test_the_note_is_on_the_rows_of_the_scale(tmp_path):
    text = make_table("3", tmp_path, seeds=[0], execute=Runner(), **SMALL).read_text()
    note = "In the paper: Alternate training at 64x64. At the small scale both rows see the same number of images.\n"
    assert note in text and not any(word in text for word in ("Stanford", "Mask R-CNN", "Those of CUB"))
    for name, words in (
        ("2", "H(c) is the entropy of c"),
        ("4", "weak is by boxes around objects. At the small scale ours is one row"),
        ("6", "At the small scale ours is the run of Tables 3, 4 and 5"),
        ("D.2", "At the small scale the rows are those of Cars, on the folder."),
    ):
        text = make_table(name, tmp_path, seeds=[0], execute=Runner(), **SMALL).read_text()
        assert words in text and not any(word in text for word in ("Stanford Dogs", "Mask R-CNN", "Those of CUB"))


def test_a_table_without_fid_says_why(tmp_path):
    for name, count in (("1", 1), ("5", 0)):  # the latter has no FID in the paper
        text = make_table(name, tmp_path, seeds=[0], execute=Runner(), **SMALL).read_text()
        assert text.count("No FID: no run had weights (`metrics.inception`).") == count


def table_rows(file):
    with open(file.with_suffix(".csv"), newline="") as text:
        return list(csv.DictReader(text))


@pytest.mark.parametrize(
    "name, settings, message",
    [
        ("7", {}, "there is no table 7, allowed: 1, 2, 3, 4, 5, 6, D.2"),
        ("1", SMALL | {"data": None}, "data.path is None, allowed: a folder of photos"),
        ("1", SMALL | {"masks": None}, "folder has no masks of its own to measure with: --masks=DIR"),
        ("3", {}, "dogs has no masks of its own to measure with: --masks=DIR"),
        ("1", SMALL | {"data": "nowhere"}, "--data is .*nowhere, which is no folder"),
        ("3", {"masks": "nowhere"}, "--masks is .*nowhere, which is no folder"),
        ("1", SMALL | {"seeds": []}, "--seeds is '', allowed: one or more, each once"),
        ("1", SMALL | {"seeds": [1, 0, 1]}, "--seeds is '1,0,1', allowed: one or more, each once"),
        ("1", SMALL | {"extra": ("--config.seeed=1",)}, "seeed"),
        ("1", SMALL | {"extra": ("--config.batch_size=0",)}, "batch_size is 0, allowed: 1 or more"),
        ("1", SMALL | {"extra": ("--config.metrics.inception=no.npz",)}, "no file no.npz: metrics.inception is for"),
        ("1", {"collect_only": True}, "no run of table 1 has finished in .*; the first would be .*gamma_size=2.0"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_run(tmp_path, name, settings, message):
    with pytest.raises(ValueError, match=message):
        make_table(name, tmp_path, execute=None, **settings)
    assert not list(tmp_path.iterdir())


def test_a_seed_that_is_no_number_is_named(tmp_path):
    code, output = tiny.finish(
        tiny.python("-m", "tf_layered_gan.paper.experiments", "1", "--seeds=0,a", f"--workdir={tmp_path}")
    )
    assert code == 1 and output == "error: --seeds is '0,a', allowed: whole numbers from 0 on\n"


def test_command_line(tmp_path):
    flags = ("--scale=small", "--seeds=0", f"--workdir={tmp_path}", "--collect_only", "--", "--config.jit=True")
    code, output = tiny.finish(tiny.python("-m", "tf_layered_gan.paper.experiments", "1", *flags))
    assert code == 1 and output.startswith(f"error: no run of table 1 has finished in {tmp_path}")
    code, output = tiny.finish(tiny.python("-m", "tf_layered_gan.paper.experiments", f"--workdir={tmp_path}"))
    assert code == 1 and output == "error: name a table: 1, 2, 3, 4, 5, 6, D.2\n"


def test_seeds_that_were_run_otherwise_are_not_put_in_one_row(tmp_path):
    make_table("2", tmp_path, seeds=[0], execute=Runner(), **SMALL)
    batch = ("--config.batch_size=8",)
    with pytest.raises(ValueError, match="seed_0 and .*seed_1 are seeds of one row, but differ in batch_size"):
        make_table("2", tmp_path, seeds=[0, 1], execute=OnlyNew(), extra=batch, **SMALL)


def test_fids_that_cannot_be_compared_have_no_mean(tmp_path):
    make_table("6", tmp_path, seeds=[0, 1], execute=Runner(), **SMALL)
    of_fid = {"samples": 10_000, "reference_pictures": 20, "reference": "all", "resize": "so", "inception_sha256": "ab"}
    for file, samples in zip(sorted(tmp_path.rglob("metrics.json")), (10_000, 50), strict=True):
        made = of_fid | {"fid": 10.0, "bg_fid": 20.0, "samples": samples}
        file.write_text(json.dumps(json.loads(file.read_text()) | {"synthesis": made}))
    with pytest.raises(ValueError, match="ours, folder: what the seeds 0 and 1 have in synthesis differs in samples"):
        make_table("6", tmp_path, seeds=[0, 1], collect_only=True, **SMALL)
    make_table("6", tmp_path, seeds=[1], collect_only=True, **SMALL)
    make_table("5", tmp_path, seeds=[0, 1], execute=Runner(), **SMALL)  # of the same run, but without FID


def test_nmis_of_other_classes_have_no_mean(tmp_path):
    for seed, classes in enumerate(("^a", "^b")):
        extra = (f"--config.data.classes={classes}",)
        make_table("4", tmp_path, seeds=[seed], execute=Runner(), extra=extra, **SMALL)
    with pytest.raises(ValueError, match="seeds 0 and 1 have in clusters differs in classes_by"):
        make_table("4", tmp_path, seeds=[0, 1], collect_only=True, **SMALL)
    make_table("3", tmp_path, seeds=[0, 1, 2], execute=Runner(), **SMALL)  # leaves what Table 4 has asked for
    file = make_table("4", tmp_path, seeds=[0, 2], collect_only=True, **SMALL)
    assert table(file)["ours"]["nmi_mean"] == "0.5" and "- ours, folder: NMI of 1 of 2 seeds" in file.read_text()


class OnlyNew(Runner):
    """Leaves alone what has finished with another config, as main.py refuses it."""

    def __call__(self, command, log):
        return 0 if (log.parent / "config.json").exists() else super().__call__(command, log)


def test_what_follows_the_flags_is_part_of_the_command(tmp_path):
    extra = ("--config.batch_size=8",)
    text = make_table("2", tmp_path, seeds=[0], execute=Runner(), extra=extra, **SMALL).read_text()
    assert "--masks=MASKS -- --config.batch_size=8\n" in text
