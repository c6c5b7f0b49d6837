"""The learning curve of a run: the segmenter's IoU on the validation photos against the number of photos seen by D."""

import csv
import io
import os
import pathlib
from collections.abc import Mapping

from tf_layered_gan.files.records import write_record

_FIELDS = ("after", "images_seen", "iou", "iou_per_image")


class LearningCurve:
    """The file WORKDIR/curve.csv, with a line for each phase that ended with a trained segmenter."""

    def __init__(self, workdir: str | os.PathLike):
        self._path = pathlib.Path(workdir) / "curve.csv"

    def points(self) -> list[dict]:
        """Reads the curve.

        Returns:
            list of dicts in order, empty if nothing has been measured. Each dict has "after" (the name of the phase),
            "images_seen" (int), "iou" and "iou_per_image" (float in [0, 1]).

        Raises:
            ValueError: the file is damaged. The message names the file.
        """
        if not self._path.exists():
            return []
        try:
            with open(self._path, newline="") as file:
                return [
                    {
                        "after": row["after"],
                        "images_seen": int(row["images_seen"]),
                        "iou": float(row["iou"]),
                        "iou_per_image": float(row["iou_per_image"]),
                    }
                    for row in csv.DictReader(file)
                ]
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise ValueError(f"{self._path} is damaged: {error}") from error

    def has(self, after: str) -> bool:
        """Returns whether the curve has a point for this phase."""
        return any(point["after"] == after for point in self.points())

    def append(self, after: str, images_seen: int, metrics: Mapping[str, float]) -> None:
        """Appends a point: a phase, the number of photos that D has seen, "iou" and "iou_per_image" of the metrics."""
        lines = io.StringIO(newline="")
        writer = csv.writer(lines, lineterminator="\n")
        if self._path.exists():
            lines.write(self._path.read_text())
        else:
            writer.writerow(_FIELDS)
        writer.writerow([after, images_seen, f"{metrics['iou']:.4f}", f"{metrics['iou_per_image']:.4f}"])
        # The whole file is written anew, because an interrupted append could leave half a line.
        write_record(self._path, lines.getvalue())
