"""Sheets of images that show what the codes of a GAN mean. Each sheet is one image, uint8 [height, width, rgb]."""

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tf_layered_gan.evaluation.image_grid import Tile, cut_out, enlargement, grid
from tf_layered_gan.exploration.codes import PRIVATE, Codes, Layers, Z, between, every_category, joined, paint
from tf_layered_gan.exploration.labelled import blend, sheet, to_pixels
from tf_layered_gan.models.layered_gan import LayeredGAN

_ROWS, _COLUMNS = 6, 8


class Explorer:
    """Paints the sheets of one GAN.

    Args:
        gan: the GAN.
        codes: at least `needed` drawn codes, see `codes.drawn_codes`.
        group_size: the number of categories in a group; 0 for a normal prior.
    """

    needed = 32

    def __init__(self, gan: LayeredGAN, codes: Codes, group_size: int):
        self._gan, self._codes, self._group_size = gan, codes, group_size or 1
        self._categories, groups = every_category(codes, group_size)
        self._groups = [groups[i] for i in np.unique(np.linspace(0, len(groups) - 1, _COLUMNS).astype(int))]

    def z_at_fixed_c(self) -> np.ndarray:
        """Shows one category in each row. Only z changes along a row."""
        zs = self._codes.at(range(_COLUMNS))
        rows = {
            f"category {group[0]}": zs.but(self._categories.at([group[0]]), *PRIVATE) for group in self._groups[:_ROWS]
        }
        return self._composed(rows, [f"z {i + 1}" for i in range(_COLUMNS)])

    def c_at_fixed_z(self) -> np.ndarray:
        """Shows one group of categories in each row. All images have the same z. Only c changes along a row."""
        rows = {f"group {self._group(group[0])}": group[:_COLUMNS] for group in self._groups[:_ROWS]}
        columns = [f"category {i + 1} of the group" for i in range(len(self._groups[0][:_COLUMNS]))]
        return self._composed({name: self._categories.at(places) for name, places in rows.items()}, columns)

    def c_sup_at_fixed_z(self) -> np.ndarray:
        """Shows one z in each row. The group c_sup changes along a row. The masks are drawn over the images."""
        firsts = [group[0] for group in self._groups]
        rows = {f"z {i + 1}": self._categories.at(firsts).but(self._codes.at([i]), *Z) for i in range(_ROWS)}
        columns = [f"group {self._group(first)}" for first in firsts]
        return self._sheet(rows, columns, lambda layers: list(zip(layers["composed"], layers["mask"], strict=True)))

    def interpolation(self) -> np.ndarray:
        """Shows the steps from one code to another, for two pairs of codes.

        A pair of codes has three rows. Along the first row z changes, along the second row c changes, and along the
        third row both z and c change.
        """
        rows = {}
        for pair, (i, j) in {"first pair": (0, 1), "second pair": (2, 3)}.items():
            first, last = self._codes.at([i]), self._codes.at([j])
            rows[f"{pair}: z changes"] = between(first, last.but(first, *PRIVATE), _COLUMNS)
            rows[f"{pair}: c changes"] = between(first, last.but(first, *Z), _COLUMNS)
            rows[f"{pair}: both change"] = between(first, last, _COLUMNS)
        return self._composed(rows, ["from", *(f"{i} of {_COLUMNS - 1}" for i in range(1, _COLUMNS - 1)), "to"])

    def objects_on_backgrounds(self) -> np.ndarray:
        """Shows every object on every background: one object per row, one background per column."""
        layers = paint(self._gan, self._codes.at(range(_COLUMNS - 1 + _ROWS)))
        backgrounds, objects = layers["background"][: _COLUMNS - 1], slice(_COLUMNS - 1, None)
        rows: dict[str, list[Tile]] = {"background alone": [np.full_like(backgrounds[0], 1.0), *backgrounds]}
        cutouts = cut_out(to_pixels(layers["foreground"][objects]), layers["mask"][objects])
        for i, (cutout, image, mask) in enumerate(
            zip(cutouts, layers["foreground"][objects], layers["mask"][objects], strict=True)
        ):
            composed = (1 - mask[..., None]) * backgrounds + mask[..., None] * image
            rows[f"object {i + 1}"] = [cutout, *composed]
        return sheet(rows, ["object alone", *(f"background {i + 1}" for i in range(len(backgrounds)))])

    def cutouts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns three arrays: the sheet of cut-outs, the objects that it shows, and the masks of these objects.

        The objects are uint8 [image, height, width, rgb]. The masks are float32 [image, height, width] in [0, 1].
        """
        layers = paint(self._gan, self._codes.at(range(4 * _COLUMNS)))
        pixels = to_pixels(layers["foreground"])
        tiles = cut_out(pixels, layers["mask"])
        rows = {
            f"cut-outs {i} to {i + _COLUMNS - 1}": list(tiles[i : i + _COLUMNS]) for i in range(0, len(tiles), _COLUMNS)
        }
        return sheet(rows, ["1st", "2nd", "3rd", *(f"{i}th" for i in range(4, _COLUMNS + 1))]), pixels, layers["mask"]

    def backgrounds(self) -> np.ndarray:
        """Paints backgrounds for photos, uint8 [image, height, width, rgb]."""
        return to_pixels(paint(self._gan, self._codes.at(range(_COLUMNS - 3)))["background"])

    def walk(self, stops: int = 5, steps: int = 8) -> list[np.ndarray]:
        """Returns the frames of an animation that moves through several codes and back to the first code."""
        legs = [between(self._codes.at([i]), self._codes.at([(i + 1) % stops]), steps + 1) for i in range(stops)]
        path = joined([leg.at(range(steps)) for leg in legs])
        layers = paint(self._gan, path.but(self._codes.at([0]), "window"))
        faded = layers["foreground"] * layers["mask"][..., None]
        columns = (layers["background"], faded, layers["mask"], layers["composed"])
        scale, headings = enlargement(faded), ["background", "object", "mask", "composed image"]
        return [grid([tiles], scale=scale, headings=headings) for tiles in zip(*columns, strict=True)]

    def _composed(self, rows: Mapping[str, Codes], columns: Sequence[str]) -> np.ndarray:
        return self._sheet(rows, columns, lambda layers: list(layers["composed"]))

    def _sheet(
        self, rows: Mapping[str, Codes], columns: Sequence[str], tiles_of: Callable[[Layers], Sequence[Tile]]
    ) -> np.ndarray:
        tiles = iter(tiles_of(paint(self._gan, joined(list(rows.values())))))
        return sheet({name: list(itertools.islice(tiles, len(codes))) for name, codes in rows.items()}, columns)

    def _group(self, category: int) -> int:
        return category // self._group_size


def photos_on_backgrounds(photos: np.ndarray, masks: np.ndarray, backgrounds: Sequence[np.ndarray]) -> np.ndarray:
    """Shows the objects of photos on other backgrounds.

    Args:
        photos: uint8 [photo, height, width, rgb].
        masks: the segmenter's probabilities, float32 [photo, height, width] in [0, 1].
        backgrounds: images with the same size as the photos, uint8 [height, width, rgb].
    """
    rows: dict[str, list[Tile]] = {}
    for i, (photo, mask, cutout) in enumerate(zip(photos, masks, cut_out(photos, masks), strict=True)):
        new = [blend(photo, mask, background) for background in backgrounds]
        rows[f"photo {i + 1}"] = [photo, (photo, mask), cutout, *new]
    headings = ["photo", "segmenter's mask", "cut-out"]
    return sheet(rows, [*headings, *(f"new background {i + 1}" for i in range(len(backgrounds)))])
