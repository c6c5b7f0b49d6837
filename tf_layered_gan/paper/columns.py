"""The columns of the paper's tables."""

import dataclasses

# Fields that metrics.json has beside an FID. Two FIDs are comparable only if all of these fields are equal.
FID_FACTS = ("samples", "reference_pictures", "reference", "resize", "inception_sha256")


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a table. It shows a metric of a run.

    Attributes:
        header: name of the metric in the table.
        keys: the path of the metric in metrics.json. If `of_masks` is true, the path is relative to the entry of a
            method in "test".
        factor: the value in metrics.json is multiplied by this factor to get the paper's unit.
        decimals: number of decimals in the paper.
        of_masks: whether the metric measures masks of the test photos. If not, it measures the GAN.
        companion: a column to show beside our values, because our values alone could mislead. The paper does not have
            this column.
        facts: fields beside the metric in metrics.json. Values are averaged only over runs in which these fields are
            equal.
    """

    header: str
    keys: tuple[str, ...]
    factor: int = 1
    decimals: int = 1
    of_masks: bool = True
    companion: str | None = None
    facts: tuple[str, ...] = ()


COLUMNS = {
    "fid": Column("FID ↓", ("synthesis", "fid"), of_masks=False, facts=FID_FACTS),
    "bg_fid": Column("bg-FID ↑", ("synthesis", "bg_fid"), of_masks=False, facts=FID_FACTS),
    "nmi": Column(
        "NMI ↑",
        ("clusters", "nmi"),
        decimals=3,
        of_masks=False,
        companion="nmi_by_chance",
        facts=("photos", "classes", "classes_by"),
    ),
    "nmi_by_chance": Column("NMI by chance", ("clusters", "nmi_by_chance"), decimals=3, of_masks=False),
    "accuracy": Column("ACC ↑", ("accuracy",), 100, companion="accuracy_per_image"),
    "accuracy_per_image": Column("ACC/image ↑", ("accuracy_per_image",), 100),
    "iou": Column("IoU ↑", ("iou",), 100, companion="iou_per_image"),
    "iou_per_image": Column("IoU/image ↑", ("iou_per_image",), 100),
    "miou": Column("mIoU ↑", ("miou",), 100, companion="miou_per_image"),
    "miou_per_image": Column("mIoU/image ↑", ("miou_per_image",), 100),
    "ari": Column("ARI ↑", ("ari",), decimals=2),
    "msc": Column("MSC ↑", ("msc",), decimals=2),
    "mask_mean": Column("mask mean", ("synthetic", "mask_mean"), 100, of_masks=False),
    "mask_spread": Column("mask spread", ("synthetic", "mask_spread"), 100, of_masks=False),
}

# Columns of the paper that describe a row instead of the results of a run. The values are the paper's headers.
TRAITS = {"entropy": "H(c)", "supervision": "Sup."}
