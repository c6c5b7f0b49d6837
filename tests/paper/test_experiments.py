import csv
import json
import os
import pathlib

import pytest
import tiny

from tf_layered_gan.paper import sweep
from tf_layered_gan.paper.experiments import make_table

HERE = str(pathlib.Path(__file__).parent)  # any existing folder, because these tests read no photos
SMALL = {"scale": "small", "data": HERE, "masks": HERE}


class Runner:
    """Replaces main.py.

    The IoU of a run is gamma_mi / 10 + seed / 100. ARI is half of the IoU, and MSC is twice the IoU.
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


class OnlyNew(Runner):
    """Does nothing in a workdir that has a config, because main.py would refuse that workdir."""

    def __call__(self, command, log):
        return 0 if (log.parent / "config.json").exists() else super().__call__(command, log)


def table_rows(file):
    with open(file.with_suffix(".csv"), newline="") as text:
        return list(csv.DictReader(text))


def table(file):
    return {row["row"]: row for row in table_rows(file)}


def test_make_table(tmp_path):
    file = make_table("1", tmp_path / "runs", seeds=[0, 1], output=tmp_path / "out", execute=Runner(), **SMALL)
    assert file == tmp_path / "out" / "table_1.md"
    rows = table(file)
    assert list(rows) == ["L_size", *(f"gamma_mi {g}" for g in ("0.1", "0.5", "1", "5", "10")),
                          "a disc in the middle", "all foreground"]  # fmt: skip
    # The IoU, gamma_mi / 10 + seed / 100, is 0.5 for seed 0 and 0.51 for seed 1.
    row = rows["gamma_mi 5"]
    assert (row["iou_paper"], row["iou_mean"], row["iou_min"], row["iou_max"]) == ("66.5", "50.5", "50", "51")
    assert (row["finished"], row["images_seen"], row["paper_images_seen"]) == ("2", "16000", "1000000")
    assert "`resolution` 32 (64)" in row["differs"] and "`data.source` folder (cub)" in row["differs"]
    assert "gamma_mi" not in row["differs"]  # this row has the paper's gamma_mi
    assert (rows["a disc in the middle"]["iou_mean"], rows["a disc in the middle"]["iou_paper"]) == ("42.6", "")
    text = file.read_text()
    assert text.startswith("# Table 1, small scale\n")
    folders = "--workdir=WORKDIR --data=DIR --masks=MASKS"
    assert f"python -m tf_layered_gan.paper.experiments 1 --scale=small --seeds=0,1 {folders}\n" in text
    assert str(tmp_path) not in text


def test_the_command_in_the_table_has_the_extra_arguments_but_no_folders(tmp_path):
    (tmp_path / "inception.npz").touch()
    extra = (f"--config.metrics.inception={tmp_path / 'inception.npz'}", "--config.metrics.fid_samples=500")
    text = make_table("6", tmp_path, seeds=[0], execute=Runner(), extra=extra, **SMALL).read_text()
    assert "--masks=MASKS -- --config.metrics.inception=inception.npz --config.metrics.fid_samples=500\n" in text


def test_the_small_scale_has_its_own_note(tmp_path):
    text = make_table("3", tmp_path, seeds=[0], execute=Runner(), **SMALL).read_text()
    note = "In the paper: Alternate training at 64x64. At the small scale, both rows see the same number of images.\n"
    assert note in text and not any(word in text for word in ("masks of Cars", "Mask R-CNN", "masks of CUB"))


def test_a_table_is_written_despite_a_failed_run(tmp_path):
    file = make_table("1", tmp_path, seeds=[0], execute=Runner(failing=10.0), **SMALL)
    assert (table(file)["gamma_mi 10"]["failed"], table(file)["gamma_mi 10"]["iou_mean"]) == ("1", "")
    assert table(file)["gamma_mi 5"]["iou_mean"] == "50"
    assert "- gamma_mi 10, folder, seed 0, failed: exit code 1: nothing printed" in file.read_text()


def test_a_run_may_finish_after_it_failed(tmp_path):
    settings = {"seeds": [0], **SMALL}
    make_table("1", tmp_path, execute=Runner(failing=10.0), **settings)
    (workdir,) = (file.parent for file in tmp_path.rglob("failed.txt"))
    (run,) = sweep.plan(tmp_path, "small", {"gan.gamma_bg": 0.0, "gan.gamma_mi": 10.0}, seeds=[0])
    assert run.workdir == workdir
    Runner()(run.command, workdir / "log.txt")  # started by hand
    row = table(make_table("1", tmp_path, collect_only=True, execute=None, **settings))["gamma_mi 10"]
    assert (row["finished"], row["failed"], row["iou_mean"]) == ("1", "0", "100")


def test_a_folder_may_be_given_by_different_names(tmp_path):
    runner, photos = Runner(), tmp_path / "photos"
    photos.mkdir()
    (tmp_path / "link").symlink_to("photos")
    for name in (os.path.relpath(photos), photos, tmp_path / "link"):
        make_table("1", tmp_path / "runs", scale="small", seeds=[0], data=name, masks=name, execute=runner)
        assert runner.count == 6
    settings = json.loads(next(tmp_path.rglob("config.json")).read_text())["data"]
    assert settings["path"] == settings["masks"] == str(photos.resolve())


def test_collect_only_and_no_run_twice(tmp_path):
    runner = Runner()
    first = make_table("2", tmp_path, seeds=[0], execute=runner, **SMALL).read_text()
    assert runner.count == 8
    assert make_table("2", tmp_path, scale="small", seeds=[0], collect_only=True, execute=None).read_text() == first
    rows = table(make_table("2", tmp_path, seeds=[0], execute=runner, **SMALL))
    assert runner.count == 8
    assert (rows["normal, d_c 4"]["entropy"], rows["all foreground"]["entropy"]) == ("5.6", "")
    more = make_table("2", tmp_path, scale="small", seeds=[0, 1], collect_only=True, execute=None)
    assert table(more)["normal, d_c 4"]["missing"] == "1"


def test_table_5(tmp_path):
    runner = Runner()
    rows = table(make_table("5", tmp_path, seeds=[0], execute=runner, **SMALL))
    assert runner.count == 2  # two runs: the supervised U-Net, and our method, whose run also evaluates GrabCut
    assert rows["supervised U-Net"]["images_seen"] == "16000"  # 1,000 steps with 16 images each
    assert rows["GrabCut by [48]"]["images_seen"] == rows["all foreground"]["images_seen"] == ""
    assert rows["GrabCut by [48]"]["iou_mean"] == rows["ours"]["iou_mean"] == "10"
    assert (rows["ReDO"]["iou_paper"], rows["ReDO"]["iou_mean"]) == ("42.6", "")
    assert (rows["ours"]["mask_mean_mean"], rows["supervised U-Net"]["mask_mean_mean"]) == ("25", "")


def test_table_4_has_nmi_if_the_photos_have_classes(tmp_path):
    for extra, nmi, by_chance in (((), "", ""), (("--config.data.classes=^[a-z]+",), "0.5", "0.125")):
        file = make_table("4", tmp_path / f"nmi_{nmi}", seeds=[0], execute=Runner(), extra=extra, **SMALL)
        rows = table(file)
        assert list(rows) == ["FineGAN", "OneGAN", "ours", "a disc in the middle", "all foreground"]
        ours, quoted = rows["ours"], rows["FineGAN"]
        assert (ours["dataset"], ours["nmi_paper"], ours["nmi_mean"]) == ("folder", "0.585", nmi)
        assert (ours["nmi_by_chance_mean"], ours["iou_mean"], ours["images_seen"]) == (by_chance, "10", "48000")
        assert (quoted["dataset"], quoted["nmi_paper"], quoted["nmi_mean"]) == ("cub", "0.349", "")


def test_table_6(tmp_path):
    file = make_table("6", tmp_path, seeds=[0], execute=Runner(), **SMALL)
    rows = table(file)
    assert list(rows)[:5] == ["MONET-G", "GENESIS", "SLOT-ATT.", "GENESIS-V2", "ours"]
    assert (rows["ours"]["dataset"], rows["ours"]["ari_mean"], rows["ours"]["msc_mean"]) == ("folder", "0.05", "0.2")
    assert (rows["GENESIS-V2"]["ari_paper"], rows["GENESIS-V2"]["ari_mean"]) == ("0.55", "")
    assert "`gan.gamma_mi` 1.0 (2.0)" in rows["ours"]["differs"]  # the table's note gives the reason


def test_at_the_small_scale_tables_share_runs(tmp_path):
    runner, counts = Runner(), []
    for name in ("3", "4", "5", "6", "1", "D.2"):
        make_table(name, tmp_path, seeds=[0], execute=runner, **SMALL)
        counts.append(runner.count)
    # In Tables 3 to 6, the row "ours" is the same run. Table 5 adds the supervised U-Net. Table D.2 shares runs with
    # Table 1, and adds two runs.
    assert counts == [2, 2, 3, 3, 9, 11]


def test_the_papers_scale(tmp_path):
    file = make_table("3", tmp_path, seeds=[0], masks=HERE, execute=Runner())
    assert {row["differs"] for row in table_rows(file)} == {""}
    assert [row["dataset"] for row in table_rows(file)[:6:2]] == ["cub", "dogs", "cars"]
    text = file.read_text()
    assert "- in every row: none\n\nOther differences from the paper:\n- The final steps continue to train" in text
    assert text.count("- Stanford Cars and Dogs: ") == 2  # one note is about validation photos, one about masks
    assert "of another segmenter. In the paper, this is a Mask R-CNN. The masks of CUB are true masks." in text
    assert "same number of images" not in text
    birds = make_table("2", tmp_path, seeds=[0], execute=Runner()).read_text()
    assert "22,000 with five rounds. The paper trains a new segmenter for 12,000" in birds and "Stanford" not in birds


def test_the_table_has_the_sentence_on_photos_and_masks(tmp_path):
    about = "birds of 2010, masks by U2-Net"
    text = make_table("3", tmp_path, seeds=[0], about=about, execute=Runner(), **SMALL).read_text()
    assert f"\n\nPhotos and masks: {about}\n\n" in text
    assert "Other differences from the paper" not in text  # configs/small.py has no final segmenter steps
    assert "Photos and masks" not in make_table("3", tmp_path, seeds=[0], execute=Runner(), **SMALL).read_text()


@pytest.mark.parametrize(
    "name, settings, message",
    [
        ("7", {}, "there is no table 7, allowed: 1, 2, 3, 4, 5, 6, D.2"),
        ("1", SMALL | {"data": None}, "data.path is None, allowed: a folder of photos"),
        ("1", SMALL | {"masks": None}, "folder has no true masks for evaluation: give --masks=DIR"),
        ("3", {}, "dogs has no true masks for evaluation: give --masks=DIR"),
        ("1", SMALL | {"data": "nowhere"}, "--data is .*nowhere, which is not a folder"),
        ("3", {"masks": "nowhere"}, "--masks is .*nowhere, which is not a folder"),
        ("1", SMALL | {"seeds": []}, "--seeds is '', allowed: one or more different numbers"),
        ("1", SMALL | {"seeds": [1, 0, 1]}, "--seeds is '1,0,1', allowed: one or more different numbers"),
        ("1", SMALL | {"extra": ("--config.seeed=1",)}, "seeed"),
        ("1", SMALL | {"extra": ("--config.batch_size=0",)}, "batch_size is 0, allowed: 1 or more"),
        (
            "1",
            SMALL | {"extra": ("--config.metrics.inception=no.npz",)},
            "metrics.inception is .*no.npz, which is not a file",
        ),
        (
            "1",
            {"collect_only": True},
            "no run of table 1 has finished in .*; the workdir of the first run would be .*gamma_size=2.0",
        ),
    ],
)
def test_refuses_wrong_arguments_before_any_run_starts(tmp_path, name, settings, message):
    with pytest.raises(ValueError, match=message):
        make_table(name, tmp_path, execute=None, **settings)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("1", "--seeds=0,a"), "--seeds is '0,a', allowed: whole numbers, 0 or more\n"),
        (("1", "--scale=small", "--collect_only", "--", "--config.jit=True"), "no run of table 1 has finished in "),
        ((), "name a table: 1, 2, 3, 4, 5, 6, D.2\n"),
    ],
)
def test_command_line_ends_with_an_error(tmp_path, arguments, message):
    command = ("-m", "tf_layered_gan.paper.experiments", f"--workdir={tmp_path}", *arguments)
    code, output = tiny.finish(tiny.python(*command))
    assert code == 1 and output.startswith(f"error: {message}")


def test_refuses_seeds_with_different_settings(tmp_path):
    make_table("2", tmp_path, seeds=[0], execute=Runner(), **SMALL)
    batch = ("--config.batch_size=8",)
    with pytest.raises(ValueError, match="seed_0 and .*seed_1 are runs of one row, but differ in batch_size"):
        make_table("2", tmp_path, seeds=[0, 1], execute=OnlyNew(), extra=batch, **SMALL)


def test_refuses_fids_that_are_not_comparable(tmp_path):
    make_table("6", tmp_path, seeds=[0, 1], execute=Runner(), **SMALL)
    of_fid = {"samples": 10_000, "reference_pictures": 20, "reference": "all", "resize": "so", "inception_sha256": "ab"}
    for file, samples in zip(sorted(tmp_path.rglob("metrics.json")), (10_000, 50), strict=True):
        made = of_fid | {"fid": 10.0, "bg_fid": 20.0, "samples": samples}
        file.write_text(json.dumps(json.loads(file.read_text()) | {"synthesis": made}))
    with pytest.raises(ValueError, match="ours, folder: .* seed 0 and of seed 1 have .* of synthesis.samples;"):
        make_table("6", tmp_path, seeds=[0, 1], collect_only=True, **SMALL)
    make_table("6", tmp_path, seeds=[1], collect_only=True, **SMALL)
    make_table("5", tmp_path, seeds=[0, 1], execute=Runner(), **SMALL)  # Table 5 has the same run, but no FID


def test_refuses_nmis_of_different_classes(tmp_path):
    for seed, classes in enumerate(("^a", "^b")):
        extra = (f"--config.data.classes={classes}",)
        make_table("4", tmp_path, seeds=[seed], execute=Runner(), extra=extra, **SMALL)
    with pytest.raises(ValueError, match="seed 0 and of seed 1 have different values of clusters.classes_by;"):
        make_table("4", tmp_path, seeds=[0, 1], collect_only=True, **SMALL)
    # Tables 3 and 4 share the runs of the row "ours". For Table 3, our method is also trained with seed 2, but without
    # NMI. Table 4 then uses this run.
    make_table("3", tmp_path, seeds=[0, 1, 2], execute=Runner(), **SMALL)
    file = make_table("4", tmp_path, seeds=[0, 2], collect_only=True, **SMALL)
    assert table(file)["ours"]["nmi_mean"] == "0.5" and "- ours, folder: NMI for 1 of 2 seeds" in file.read_text()
