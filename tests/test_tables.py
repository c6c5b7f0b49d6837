import math

import pytest

from tf_layered_gan import config_validation, sweep
from tf_layered_gan.tables import COLUMNS, TABLES

ROWS = [(name, row) for name, table in TABLES.items() for row in table.rows]
TRAINED = [
    pytest.param(file, changes, id=f"{name} {row.label} {file}")
    for name, row in ROWS
    for file, changes in ((row.dataset, row.changes), ("small", row.small))
    if changes is not None
]


def figures(name, column, dataset="cub"):
    return [row.paper.get(column) for row in TABLES[name].rows if row.dataset == dataset]


@pytest.mark.parametrize("file, changes", TRAINED)
def test_every_setting_is_one_that_can_be_run(file, changes, tmp_path):
    own = {"data.path": "photos"} if file == "small" else {}
    (run,) = sweep.plan(tmp_path, file, changes, seeds=[3], own=own)
    config = sweep.resolve(run.arguments)
    config_validation.validate(config)
    fields = {field: value for field, value in changes.items() if field != "data.classes"}
    for field, value in ({"seed": 3} | fields).items():
        section, name = config, field
        if "." in field:
            section, name = config[field.split(".")[0]], field.split(".")[1]
        assert section[name] == value


@pytest.mark.parametrize("name, row", ROWS)
def test_every_row_has_a_figure_of_the_papers_in_the_tables_columns(name, row):
    assert set(row.paper) <= set(TABLES[name].columns) <= set(COLUMNS)
    assert row.paper


def test_figures_of_table_1():
    assert figures("1", "fid") == [19.4, 19.1, 17.6, 11.6, 15.5, 17.8]
    assert figures("1", "bg_fid") == [20.9, 18.6, 17.4, 99.5, 107.1, 120.2]
    assert figures("1", "iou") == [6.3, 0, 0.1, 68.6, 66.5, 66.3]
    assert [row.changes["gan.gamma_mi"] for row in TABLES["1"].rows] == [0, 0.1, 0.5, 1, 5, 10]


def test_sizes_of_table_2_are_those_whose_entropy_the_paper_gives():
    entropies = []
    for row in TABLES["2"].rows:
        size = row.changes["codes.num_categories"]
        normal = row.changes["codes.prior"] == "normal"
        entropies.append(size * 0.5 * math.log(2 * math.pi * math.e) if normal else math.log(size))
    # The paper cuts off after one decimal: ln 200 = 5.298, of which it has 5.2.
    assert [math.floor(10 * entropy) / 10 for entropy in entropies] == [5.6, 8.5, 11.3, 14.1, 3.9, 4.6, 5.2, 5.9]


def test_a_setting_of_several_tables_is_one_run_with_the_same_figures(tmp_path):
    rows = [next(r for r in TABLES[n].rows if r.label == label) for n, label in (
        ("1", "gamma_mi 1"), ("2", "categorical, d_c 200"), ("3", "w/o A.T."))]  # fmt: skip
    assert {sweep.plan(tmp_path, "cub", row.changes, seeds=[0])[0].arguments for row in rows} == {
        (
            "--config=configs/cub.py",
            "--config.resolution=64",
            "--config.gan.gamma_bg=0.0",
            "--config.schedule.rounds=1",
            "--config.schedule.gan_images_per_round=1000000",
            "--config.seed=0",
        )
    }
    assert {(row.paper["fid"], row.paper["iou"]) for row in rows} == {(11.6, 68.6)}


def test_lengths_of_training_are_the_papers(tmp_path):
    # C.1: 1 M images without alternate training; C.2: 5 rounds of 2 M, 2,000 segmenter steps each; C.3: 12,000 more.
    seen = {}
    for row in TABLES["3"].rows[:2]:
        (run,) = sweep.plan(tmp_path, row.dataset, row.changes, seeds=[0])
        seen[row.label] = sweep.scheduled(sweep.resolve(run.arguments).to_dict())
    assert seen == {"w/o A.T.": (1_000_000, 14_000), "w/ A.T.": (10_000_000, 22_000)}
    small = [sweep.plan(tmp_path, "small", row.small, seeds=[0])[0] for row in TABLES["3"].rows[:2]]
    assert [sweep.scheduled(sweep.resolve(run.arguments).to_dict()) for run in small] == [(48_000, 900)] * 2
