"""Draws the README's image from a finished demo and from layers in benchmarks/runs. It holds no photo.

    python -m benchmarks.readme_image --sheet=runs/demo-seed0/test/sheet.png \
        --layers=benchmarks/runs/birds/layers.png --rows=1,6,7,11 --output=docs/layers.png

The left panel shows every third of the demo's first test images, the right panel the given rows of the layers.
"""

import dataclasses
import pathlib

from absl import flags
from PIL import Image, ImageDraw, ImageFont

from tf_layered_gan.command_line import run_command
from tf_layered_gan.evaluation.baselines import BASELINES

TILE, GAP, PANEL_GAP, TITLE, LABEL = 100, 4, 28, 26, 20  # pixels
SEPARATOR = 2  # pixels between the tiles of a run's grids
FOUND = ("test image", "true mask", "mask found", "cut-out")
LAYERS = ("background", "object", "mask", "composed")


@dataclasses.dataclass(frozen=True)
class Panel:
    """A title, the labels of the columns and the tiles, a list for each row."""

    title: str
    labels: tuple[str, ...]
    rows: list[list[Image.Image]]


def read_tiles(file: pathlib.Path | str, columns: int, rows: list[int], shown: int) -> list[list[Image.Image]]:
    """Cuts the first `shown` tiles out of the given rows of a grid, see `tf_layered_gan.evaluation.image_grid`.

    Args:
        file: the PNG file of the grid.
        columns: how many tiles a row of the grid has.
        rows: which rows, counted from 0.
        shown: how many tiles of each row.

    Returns:
        The tiles, enlarged to TILE pixels, a list for each row.
    """
    grid = Image.open(file).convert("RGB")
    step = (grid.width + SEPARATOR) // columns
    side = step - SEPARATOR

    def tile(row: int, column: int) -> Image.Image:
        left, top = column * step, row * step
        return grid.crop((left, top, left + side, top + side)).resize((TILE, TILE), Image.Resampling.LANCZOS)

    return [[tile(row, column) for column in range(shown)] for row in rows]


def draw(panels: list[Panel]) -> Image.Image:
    """Draws panels of equally many rows side by side."""
    widths = [len(panel.labels) * (TILE + GAP) - GAP for panel in panels]
    height = TITLE + LABEL + len(panels[0].rows) * (TILE + GAP) - GAP
    canvas = Image.new("RGB", (sum(widths) + PANEL_GAP * (len(panels) - 1), height), "white")
    pen, left = ImageDraw.Draw(canvas), 0
    for panel, width in zip(panels, widths, strict=True):
        pen.text((left + width / 2, TITLE / 2), panel.title, "black", ImageFont.load_default(15), "mm")
        for column, label in enumerate(panel.labels):
            x = left + column * (TILE + GAP)
            pen.text((x + TILE / 2, TITLE + LABEL / 2 - 2), label, (90, 90, 90), ImageFont.load_default(13), "mm")
            for row, tiles in enumerate(panel.rows):
                canvas.paste(tiles[column], (x, TITLE + LABEL + row * (TILE + GAP)))
        left += width + PANEL_GAP
    return canvas


def main() -> None:
    """Draws the image from the files that the flags name."""
    given, rows = flags.FLAGS, [int(row) for row in flags.FLAGS.rows]
    every_third = list(range(0, 3 * len(rows), 3))
    found = read_tiles(given.sheet, len(FOUND) + len(BASELINES), every_third, len(FOUND))
    layers = read_tiles(given.layers, len(LAYERS), rows, len(LAYERS))
    panels = [
        Panel("Demo: what the segmenter finds", FOUND, found),
        Panel("Birds: what the GAN paints", LAYERS, layers),
    ]
    draw(panels).save(given.output, optimize=True)
    print(f"wrote {given.output}")


if __name__ == "__main__":
    flags.DEFINE_string("sheet", None, "The file test/sheet.png of a finished run.", required=True)
    flags.DEFINE_string("layers", None, "A layers.png of benchmarks/runs.", required=True)
    flags.DEFINE_list("rows", None, "Which of its rows, counted from 0.", required=True)
    flags.DEFINE_string("output", None, "The PNG file to write.", required=True)
    run_command(main)
