import math

import pytest

from tf_layered_gan.config import validate
from tf_layered_gan.paper import sweep
from tf_layered_gan.paper.columns import COLUMNS, TRAITS
from tf_layered_gan.paper.tables import TABLES

ROWS = [(name, row) for name, table in TABLES.items() for row in table.rows]
TRAINED = [
    pytest.param(file, changes, id=f"{name} {row.label} {file}")
    for name, row in ROWS
    for file, changes in ((row.dataset, row.changes), ("small", row.small))
    if changes is not None
]


@pytest.mark.parametrize("file, changes", TRAINED)
def test_every_setting_is_valid(file, changes, tmp_path):
    own = {"data.path": "photos"} if file == "small" else {}
    (run,) = sweep.plan(tmp_path, file, changes, seeds=[3], own=own)
    config = sweep.resolve(run.arguments)
    validate(config)
    fields = {field: value for field, value in changes.items() if field != "data.classes"}
    for field, value in ({"seed": 3} | fields).items():
        section, name = config, field
        if "." in field:
            section, name = config[field.split(".")[0]], field.split(".")[1]
        assert section[name] == value


@pytest.mark.parametrize("name, row", ROWS)
def test_every_row_has_figures_in_the_columns_of_its_table(name, row):
    assert set(row.paper) <= set(TABLES[name].columns) <= set(COLUMNS)
    assert row.paper
    assert tuple(row.traits) == TABLES[name].traits and set(row.traits) <= set(TRAITS)


# The figures were copied by hand from the tables of the paper.
PAPER = {
    ("1", "cub", "fid"): [19.4, 19.1, 17.6, 11.6, 15.5, 17.8],
    ("1", "cub", "bg_fid"): [20.9, 18.6, 17.4, 99.5, 107.1, 120.2],
    ("1", "cub", "iou"): [6.3, 0, 0.1, 68.6, 66.5, 66.3],
    ("2", "cub", "fid"): [12.3, 12.1, 11.8, 11.1, 11.3, 11.6, 11.6, 11.9],
    ("2", "cub", "iou"): [72.3, 72.5, 66.7, 65.4, 71.5, 69.1, 68.6, 68.6],
    ("3", "cub", "fid"): [11.6, 12.9],
    ("3", "cub", "iou"): [68.6, 70.1],
    ("3", "dogs", "fid"): [67.5, 59.3],
    ("3", "dogs", "iou"): [53.2, 61.3],
    ("3", "cars", "fid"): [13.0, 12.8],
    ("3", "cars", "iou"): [58.3, 62.0],
    ("4", "cub", "fid"): [23.0, 20.5, 12.9],
    ("4", "cub", "iou"): [44.5, 55.5, 69.7],
    ("4", "cub", "nmi"): [0.349, 0.391, 0.585],
    ("4", "dogs", "fid"): [54.9, 48.7, 59.3],
    ("4", "dogs", "iou"): [48.7, 69.7, 61.3],
    ("4", "dogs", "nmi"): [0.194, 0.211, 0.257],
    ("4", "cars", "fid"): [24.8, 24.2, 19.0],
    ("4", "cars", "iou"): [53.2, 71.2, 63.3],
    ("4", "cars", "nmi"): [0.233, 0.272, 0.301],
    ("5", "cub", "accuracy"): [98.0, 94.0, 72.3, 84.5, None, 89.3, 92.1, 94.3],
    ("5", "cub", "iou"): [88.8, 71.0, 36.0, 42.6, None, 55.1, 66.4, 69.7],
    ("5", "cub", "miou"): [93.2, None, 52.3, None, 38.0, 71.4, None, 81.7],
    ("6", "apc", "fid"): [269.3, 183.2, None, 245.6, 103.9],
    ("6", "apc", "ari"): [0.11, 0.04, 0.03, 0.55, 0.59],
    ("6", "apc", "msc"): [0.48, 0.29, 0.25, 0.67, 0.71],
    ("D.2", "cars", "fid"): [16.0, 14.8, 14.9, 14.6, 14.7],
    ("D.2", "cars", "bg_fid"): [145.0, 134.4, 162.9, 168.2, 180.3],
    ("D.2", "cars", "iou"): [45.2, 49.0, 54.8, 59.7, 58.7],
    ("D.2", "dogs", "fid"): [47.3, 36.8, 34.5, 46.5, 52.1],
    ("D.2", "dogs", "bg_fid"): [46.9, 106.6, 113.3, 115.6, 117.5],
    ("D.2", "dogs", "iou"): [36.8, 58.0, 62.1, 64.8, 57.1],
}


@pytest.mark.parametrize("place, expected", PAPER.items())
def test_figures_equal_the_papers(place, expected):
    name, dataset, column = place
    assert [row.paper.get(column) for row in TABLES[name].rows if row.dataset == dataset] == expected


# The settings of each trained row, copied by hand from C.1 to C.3 and Table C.1.
ALONE, ALTERNATE = (1, 1_000_000, 0.0), (5, 2_000_000)
# The columns are the number of categories, the size of a group, gamma_mi, gamma_bg, the rotation and the contrast.
TABLE_C1 = {
    "cub": (200, 10, 1.0, 2.0, 15, (1, 1)),
    "dogs": (120, 10, 2.0, 1.0, 15, (1, 1)),
    "cars": (196, 14, 1.0, 2.0, 0, (0.7, 1.3)),
    "apc": (200, 10, 2.0, 0.0, 15, (1, 1)),
}


@pytest.mark.parametrize("name, row", [(name, row) for name, row in ROWS if row.changes is not None])
def test_rows_train_with_the_papers_settings(name, row, tmp_path):
    (run,) = sweep.plan(tmp_path, row.dataset, row.changes, seeds=[0])
    config = sweep.resolve(run.arguments)
    categories, group, gamma_mi, gamma_bg, *perturbation = TABLE_C1[row.dataset]
    assert [config.perturbation.rotation, config.perturbation.background_contrast] == perturbation
    assert (config.perturbation.scale_exponent, config.perturbation.shift) == ((-0.2, 0.0), 16 / 128)
    alone = name in ("1", "2", "D.2") or row.label == "w/o A.T."
    assert config.resolution == (64 if name in ("1", "2", "3", "D.2") else 128)
    schedule = config.schedule.rounds, config.schedule.gan_images_per_round
    assert (*schedule, config.gan.gamma_bg) == (ALONE if alone else (*ALTERNATE, gamma_bg))
    assert (config.schedule.segmenter_steps_per_round, config.schedule.final_segmenter_steps) == (2_000, 12_000)
    assert config.segmenter.supervised == (row.label == "supervised U-Net")
    if name != "2":
        assert (config.codes.num_categories, config.codes.group_size) == (categories, group)
    if name not in ("1", "D.2"):
        assert (config.gan.gamma_mi, config.gan.gamma_size) == (gamma_mi, 0.0)


def test_weights_of_the_mutual_information():
    def weights(name):
        return [(row.dataset, row.changes["gan.gamma_mi"]) for row in TABLES[name].rows]

    assert weights("1") == [("cub", weight) for weight in (0, 0.1, 0.5, 1, 5, 10)]
    cars = [("cars", weight) for weight in (0.001, 0.01, 0.1, 0.5, 1)]
    assert weights("D.2") == cars + [("dogs", weight) for weight in (0.1, 0.5, 1, 5, 10)]


def test_sizes_of_table_2_have_the_papers_entropies():
    for row in TABLES["2"].rows:
        size, normal = row.changes["codes.num_categories"], row.changes["codes.prior"] == "normal"
        entropy = size * 0.5 * math.log(2 * math.pi * math.e) if normal else math.log(size)
        # The paper cuts numbers off after one decimal: ln 200 = 5.298 becomes 5.2.
        assert f"{math.floor(10 * entropy) / 10:.1f}" == row.traits["entropy"]


def test_equal_rows_of_several_tables_share_a_run(tmp_path):
    names = (("1", "gamma_mi 1"), ("2", "categorical, d_c 200"), ("3", "w/o A.T."))
    rows = [next(row for row in TABLES[name].rows if row.label == label) for name, label in names]
    runs = {sweep.plan(tmp_path, "cub", row.changes, seeds=[0])[0] for row in rows}
    assert len(runs) == 1 and {(row.paper["fid"], row.paper["iou"]) for row in rows} == {(11.6, 68.6)}
