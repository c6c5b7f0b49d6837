"""Draws the README's image from a finished demo and from layers in benchmarks/runs; it holds no photo.

    python -m benchmarks.readme_image --test=runs/demo-seed0/test --layers=benchmarks/runs/birds/layers.png \
        --rows=1,6,7,11 --output=docs/layers.png

The left panel shows the first test images of the demo, the right panel the named rows of the layers.
"""

import pathlib

import numpy as np
from absl import flags
from PIL import Image, ImageDraw, ImageFont

from tf_layered_gan.command_line import run_command
from tf_layered_gan.evaluation.image_grid import SEPARATOR

TILE, GAP, PANEL_GAP, TITLE, LABEL = 112, 4, 28, 26, 20  # pixels
LEFT = ("test image", "mask", "cut-out")
RIGHT = ("background", "object", "mask", "composed")


def found(test: pathlib.Path, count: int) -> list[list[Image.Image]]:
    """Reads a run's first test images, its masks and the cut-outs on a checkerboard, one image a row."""
    rows = []
    for i in range(count):
        image, mask = (_enlarged(Image.open(test / folder / f"{i:03}.png")) for folder in ("images", "masks"))
        rows.append([image, mask, Image.composite(image, _checkerboard(), mask.convert("L"))])
    return rows


def layers(file: pathlib.Path, rows: list[int]) -> list[list[Image.Image]]:
    """Cuts rows of tiles out of a layers.png, see benchmarks/publish_run.py."""
    sheet = Image.open(file)
    step = (sheet.width + SEPARATOR) // len(RIGHT)

    def tile(row: int, column: int) -> Image.Image:
        left, top = column * step, row * step
        return _enlarged(sheet.crop((left, top, left + step - SEPARATOR, top + step - SEPARATOR)))

    return [[tile(row, column) for column in range(len(RIGHT))] for row in rows]


def draw(panels: list[tuple[str, tuple[str, ...], list[list[Image.Image]]]]) -> Image.Image:
    """Draws panels side by side, each a title, the columns' labels and rows of tiles."""
    widths = [len(labels) * (TILE + GAP) - GAP for _, labels, _ in panels]
    height = TITLE + LABEL + len(panels[0][2]) * (TILE + GAP) - GAP
    canvas = Image.new("RGB", (sum(widths) + PANEL_GAP * (len(panels) - 1), height), "white")
    pen, left = ImageDraw.Draw(canvas), 0
    for (title, labels, rows), width in zip(panels, widths, strict=True):
        pen.text((left + width / 2, TITLE / 2), title, "black", ImageFont.load_default(15), "mm")
        for column, label in enumerate(labels):
            x = left + column * (TILE + GAP)
            pen.text((x + TILE / 2, TITLE + LABEL / 2 - 2), label, (90, 90, 90), ImageFont.load_default(13), "mm")
            for row, tiles in enumerate(rows):
                canvas.paste(tiles[column], (x, TITLE + LABEL + row * (TILE + GAP)))
        left += width + PANEL_GAP
    return canvas


def _enlarged(tile: Image.Image) -> Image.Image:
    return tile.convert("RGB").resize((TILE, TILE), Image.Resampling.LANCZOS)


def _checkerboard() -> Image.Image:
    y, x = np.indices((TILE, TILE)) // (TILE // 16)
    return Image.fromarray(np.where((x + y) % 2, 255, 204).astype(np.uint8)).convert("RGB")


def main() -> None:
    """Draws the image of the run and the layers that the flags name."""
    given, rows = flags.FLAGS, [int(row) for row in flags.FLAGS.rows]
    panels = [
        ("Demo: what the segmenter finds", LEFT, found(pathlib.Path(given.test), len(rows))),
        ("Birds: what the GAN paints", RIGHT, layers(pathlib.Path(given.layers), rows)),
    ]
    draw(panels).save(given.output, optimize=True)
    print(f"wrote {given.output}")


if __name__ == "__main__":
    flags.DEFINE_string("test", None, "The folder test of a finished run.", required=True)
    flags.DEFINE_string("layers", None, "A layers.png of benchmarks/runs.", required=True)
    flags.DEFINE_list("rows", None, "Which rows of it, counted from 0.", required=True)
    flags.DEFINE_string("output", None, "The PNG file to write.", required=True)
    run_command(main)
