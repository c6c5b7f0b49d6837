import numpy as np
from PIL import Image

from benchmarks import readme_image
from benchmarks.readme_image import GAP, LABEL, PANEL_GAP, TILE, TITLE
from tf_layered_gan.evaluation.image_grid import grid, save_png


def tile(value):
    return np.full((8, 8, 3), value, np.uint8)


def test_tiles_are_those_of_the_given_rows(tmp_path):
    rows = [[tile(10 * row + column) for column in range(3)] for row in range(4)]
    save_png(grid(rows), tmp_path / "grid.png")
    read = readme_image.read_tiles(tmp_path / "grid.png", columns=3, rows=[3, 1], shown=2)
    assert [[image.getextrema()[0] for image in row] for row in read] == [[(30, 30), (31, 31)], [(10, 10), (11, 11)]]


def test_panels_stand_side_by_side_under_their_labels():
    black, red = (Image.new("RGB", (TILE, TILE), colour) for colour in ("black", "red"))
    panels = [
        readme_image.Panel("left", ("a", "b"), [[black, red]]),
        readme_image.Panel("right", ("c",), [[red]]),
    ]
    image = readme_image.draw(panels)
    assert image.size == (3 * TILE + GAP + PANEL_GAP, TITLE + LABEL + TILE)
    row = image.height - 1
    corners = [image.getpixel((x, row)) for x in (0, TILE + GAP, 2 * TILE + GAP + PANEL_GAP)]
    assert corners == [(0, 0, 0), (255, 0, 0), (255, 0, 0)]
    assert np.asarray(image)[: TITLE + LABEL].min() < 100  # something is written there
