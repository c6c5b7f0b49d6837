"""The paper's tables: the settings of each row for training, and the paper's results."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        label: the setting or the method.
        dataset: name of the row's file in configs/, which is also the `data.source` of this file.
        paper: dict from the name of a column to the paper's value, in the paper's unit.
        changes: changes to configs/DATASET.py, as a dict with dotted field names. None if the paper quotes the row from
            other work. Nothing is run for a quoted row.
        small: changes to configs/small.py at the small scale; None if this scale leaves out the row.
        method: the method whose masks are evaluated, a key of "test" in metrics.json.
        note: a remark to print below the table, or "".
        traits: dict from a column of the paper in `columns.TRAITS` to the row's entry.
    """

    label: str
    dataset: str
    paper: Mapping[str, float]
    changes: Mapping[str, Any] | None = None
    small: Mapping[str, Any] | None = None
    method: str = "segmenter"
    note: str = ""
    traits: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of the paper.

    Attributes:
        caption: the topic of the table.
        columns: names of its columns in `columns.COLUMNS`.
        rows: its rows.
        note: a remark on the whole table, or "".
        small_note: the remark at the small scale. At this scale the table has fewer rows.
        traits: names of its columns in `columns.TRAITS`. These columns come first.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""
    small_note: str = ""
    traits: tuple[str, ...] = ()


# Training without alternation (C.1): the GAN sees a million images without background loss. Then the segmenter is
# trained (C.3).
_ALONE = {"gan.gamma_bg": 0.0, "schedule.rounds": 1, "schedule.gan_images_per_round": 1_000_000}
_64 = {"resolution": 64}
# The weight is PerturbGAN's, because the paper does not state one.
_MASK_SIZE = {"gan.gamma_mi": 0.0, "gan.gamma_size": 2.0}

# The same settings at the small scale. In Table 3, both rows see the same number of images. The settings of each
# dataset (Table C.1) are not used here, because all rows train on one folder. So equal rows of different tables need
# only one run.
_SMALL_ALONE = {"gan.gamma_bg": 0.0}
_SMALL_LONG = {"schedule.gan_images_per_round": 48_000, "schedule.segmenter_steps_per_round": 900}
_SMALL_ALTERNATE = {"schedule.rounds": 3}
_SUPERVISED = {"segmenter.supervised": True}


def _figures(names: str, *values: float) -> dict[str, float]:
    return dict(zip(names.split(), values, strict=True))


def _mutual_information(dataset: str, gamma_mi: float, *figures: float, small: bool = True) -> Row:
    changes = {"gan.gamma_mi": gamma_mi}
    return Row(
        f"gamma_mi {gamma_mi:g}",
        dataset,
        _figures("fid bg_fid iou", *figures),
        _64 | _ALONE | changes,
        _SMALL_ALONE | changes if small else None,
    )


def _prior(prior: str, size: int, entropy: str, *figures: float) -> Row:
    changes = {"codes.prior": prior, "codes.num_categories": size}
    plain = {"data.classes": ""} if prior == "normal" else {}  # a normal code gives no clusters
    return Row(
        f"{prior}, d_c {size}",
        "cub",
        _figures("fid iou", *figures),
        _64 | _ALONE | changes | plain,
        _SMALL_ALONE | changes,
        traits={"entropy": entropy},
    )


def _alternate(
    dataset: str, without: tuple[float, float], with_: tuple[float, float], *, small: bool = False
) -> tuple[Row, Row]:
    long, alternate = (_SMALL_ALONE | _SMALL_LONG, _SMALL_ALTERNATE) if small else (None, None)
    return (
        Row("w/o A.T.", dataset, _figures("fid iou", *without), _64 | _ALONE, long),
        Row("w/ A.T.", dataset, _figures("fid iou", *with_), _64, alternate),
    )


def _layered(dataset: str, *figures: tuple[float, float, float], small: bool = False) -> tuple[Row, Row, Row]:
    finegan, onegan, ours = (_figures("fid iou nmi", *values) for values in figures)
    weak, unsupervised = {"supervision": "Weak"}, {"supervision": "Unsup."}
    return (
        Row("FineGAN", dataset, finegan, traits=weak),
        Row("OneGAN", dataset, onegan, traits=weak),
        Row("ours", dataset, ours, {}, _SMALL_ALTERNATE if small else None, traits=unsupervised),
    )


_CARS_AND_DOGS = "The masks of Cars and Dogs are predictions of another segmenter. In the paper, this is a Mask R-CNN."
_ENTROPY = "H(c) is the entropy of c in nats. The paper truncates it after one decimal."
_CUB = "The masks of CUB are true masks."
_SUPERVISION = "Sup. is the supervision. Weak supervision uses boxes around objects."

TABLES = {
    "1": Table(
        "Mutual information on CUB at 64x64, without alternate training",
        ("fid", "bg_fid", "iou"),
        (
            Row(
                "L_size",
                "cub",
                _figures("fid bg_fid iou", 19.4, 20.9, 6.3),
                _64 | _ALONE | _MASK_SIZE,
                _SMALL_ALONE | _MASK_SIZE,
                note="the paper does not give the weight of L_size; our weight of 2 and our least mask size of 0.25 "
                "are those of PerturbGAN",
            ),
            _mutual_information("cub", 0.1, 19.1, 18.6, 0.0),
            _mutual_information("cub", 0.5, 17.6, 17.4, 0.1),
            _mutual_information("cub", 1.0, 11.6, 99.5, 68.6),
            _mutual_information("cub", 5.0, 15.5, 107.1, 66.5),
            _mutual_information("cub", 10.0, 17.8, 120.2, 66.3),
        ),
    ),
    "2": Table(
        "The prior of c on CUB at 64x64, without alternate training",
        ("fid", "iou"),
        (
            _prior("normal", 4, "5.6", 12.3, 72.3),
            _prior("normal", 6, "8.5", 12.1, 72.5),
            _prior("normal", 8, "11.3", 11.8, 66.7),
            _prior("normal", 10, "14.1", 11.1, 65.4),
            _prior("categorical", 50, "3.9", 11.3, 71.5),
            _prior("categorical", 100, "4.6", 11.6, 69.1),
            _prior("categorical", 200, "5.2", 11.6, 68.6),
            _prior("categorical", 400, "5.9", 11.9, 68.6),
        ),
        note=_ENTROPY,
        small_note=_ENTROPY,
        traits=("entropy",),
    ),
    "3": Table(
        "Alternate training at 64x64",
        ("fid", "iou"),
        (
            *_alternate("cub", (11.6, 68.6), (12.9, 70.1), small=True),
            *_alternate("dogs", (67.5, 53.2), (59.3, 61.3)),
            *_alternate("cars", (13.0, 58.3), (12.8, 62.0)),
        ),
        note=f"{_CARS_AND_DOGS} {_CUB}",
        small_note="At the small scale, both rows see the same number of images.",
    ),
    "4": Table(
        "Layered GANs at 128x128",
        ("fid", "iou", "nmi"),
        (
            *_layered("cub", (23.0, 44.5, 0.349), (20.5, 55.5, 0.391), (12.9, 69.7, 0.585), small=True),
            *_layered("dogs", (54.9, 48.7, 0.194), (48.7, 69.7, 0.211), (59.3, 61.3, 0.257)),
            *_layered("cars", (24.8, 53.2, 0.233), (24.2, 71.2, 0.272), (19.0, 63.3, 0.301)),
        ),
        note=f"{_SUPERVISION} {_CARS_AND_DOGS} {_CUB}",
        small_note=f"{_SUPERVISION} At the small scale, there is one row *ours*, for the folder of photos. It shows "
        "the same runs as Tables 3, 5 and 6. NMI needs the classes of the photos: add "
        "`-- --config.data.classes=REGEX` to the command.",
        traits=("supervision",),
    ),
    "5": Table(
        "Segmentation of CUB at 128x128",
        ("accuracy", "iou", "miou"),
        (
            Row(
                "supervised U-Net",
                "cub",
                _figures("accuracy iou miou", 98.0, 88.8, 93.2),
                _SUPERVISED,
                _SUPERVISED | {"schedule.final_segmenter_steps": 1_000},
                note="the paper does not say how its U-Net was trained; our U-Net is trained like the paper's "
                "segmenter (C.3), on the training photos if they have true masks, otherwise on the validation photos",
            ),
            Row("Voynov et al.", "cub", _figures("accuracy iou", 94.0, 71.0)),
            Row(
                "GrabCut by [48]",
                "cub",
                _figures("accuracy iou miou", 72.3, 36.0, 52.3),
                {},
                _SMALL_ALTERNATE,
                method="grabcut",
                note="the paper takes these figures from its reference [48] (IEM + SegNet), and does not say how "
                "GrabCut was started; our GrabCut is OpenCV's, started from a rectangle, see baselines.py",
            ),
            Row("ReDO", "cub", _figures("accuracy iou", 84.5, 42.6)),
            Row(
                "PerturbGAN",
                "cub",
                _figures("miou", 38.0),
                note="the paper gives 38.0 as mIoU, but 38.0 is probably an IoU: it lies between the IoUs of GrabCut "
                "and ReDO",
            ),
            Row("IEM + SegNet", "cub", _figures("accuracy iou miou", 89.3, 55.1, 71.4)),
            Row("Melas-Kyriazi et al.", "cub", _figures("accuracy iou", 92.1, 66.4)),
            Row("ours", "cub", _figures("accuracy iou miou", 94.3, 69.7, 81.7), {}, _SMALL_ALTERNATE),
        ),
    ),
    "6": Table(
        "APC at 128x128",
        ("fid", "ari", "msc"),
        (
            Row("MONET-G", "apc", _figures("fid ari msc", 269.3, 0.11, 0.48)),
            Row("GENESIS", "apc", _figures("fid ari msc", 183.2, 0.04, 0.29)),
            Row("SLOT-ATT.", "apc", _figures("ari msc", 0.03, 0.25)),
            Row("GENESIS-V2", "apc", _figures("fid ari msc", 245.6, 0.55, 0.67)),
            Row("ours", "apc", _figures("fid ari msc", 103.9, 0.59, 0.71), {}, _SMALL_ALTERNATE),
        ),
        small_note="At the small scale, the row *ours* shows the same runs as Tables 3, 4 and 5, on the folder of "
        "photos. So gamma_mi and gamma_bg have the paper's values for CUB, not those for APC.",
    ),
    "D.2": Table(
        "Mutual information on Stanford Cars and Dogs at 64x64, without alternate training",
        ("fid", "bg_fid", "iou"),
        (
            _mutual_information("cars", 0.001, 16.0, 145.0, 45.2),
            _mutual_information("cars", 0.01, 14.8, 134.4, 49.0),
            _mutual_information("cars", 0.1, 14.9, 162.9, 54.8),
            _mutual_information("cars", 0.5, 14.6, 168.2, 59.7),
            _mutual_information("cars", 1.0, 14.7, 180.3, 58.7),
            _mutual_information("dogs", 0.1, 47.3, 46.9, 36.8, small=False),
            _mutual_information("dogs", 0.5, 36.8, 106.6, 58.0, small=False),
            _mutual_information("dogs", 1.0, 34.5, 113.3, 62.1, small=False),
            _mutual_information("dogs", 5.0, 46.5, 115.6, 64.8, small=False),
            _mutual_information("dogs", 10.0, 52.1, 117.5, 57.1, small=False),
        ),
        note=_CARS_AND_DOGS,
        small_note="At the small scale, the table has the rows of Cars, but the runs train on the folder of photos. "
        "The rows with a gamma_mi of 0.1 or more show runs of Table 1. The rows of Dogs are left out, because all of "
        "them would show runs of Table 1.",
    ),
}
