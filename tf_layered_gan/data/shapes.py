"""Images of shapes that the program draws: a textured object on a detailed background, with its exact mask.

Colour alone says little about where the object is. Objects and backgrounds share their textures, their ranges of
brightness and saturation, and some of their hues. Each object and each background has two colours. Each background is
covered with specks in the colours of its object. Over many images, objects differ from backgrounds in three ways.
Objects are large closed shapes, they lie in front, and their colours are more often warm than cool. Image i of a split
depends only on the split and on i.
"""

import hashlib
import os
from pathlib import Path

import numpy as np

from tf_layered_gan.console.progress import progress
from tf_layered_gan.data.cache import Create, cached_splits, in_memory
from tf_layered_gan.data.photos import Photos, Splits

SHAPES = ("disc", "square", "triangle", "star", "cross")
TEXTURES = ("plain", "stripes", "checks", "dots", "blotches")
_WARM = (-0.2, 0.2)  # range of the objects' hues, from purple to yellow, as fractions of the full circle
_COOL = (0.15, 0.85)  # range of the backgrounds' hues, from yellow to purple
_SUPERSAMPLING = 2
_WITHIN = tuple(np.ndindex(_SUPERSAMPLING, _SUPERSAMPLING))  # the places within a pixel
_SPLITS = ("training", "validation", "test")
_BLOTCHES = ((0, 2 * np.pi), (0.4, 1.0), (0, 2 * np.pi))  # ranges of the angles, frequencies and phases of the waves


def _inside(shape: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns for each point (x, y) whether it is in the shape. The shape roughly fills the unit disc at the origin."""
    if shape == "disc":
        return np.hypot(x, y) < 0.9
    if shape == "square":
        return np.maximum(np.abs(x), np.abs(y)) < 0.8
    if shape == "cross":
        x, y = np.abs(x), np.abs(y)
        return (np.maximum(x, y) < 1) & (np.minimum(x, y) < 0.38)
    if shape == "triangle":
        return (y < 0.55) & (np.sqrt(3) * np.abs(x) - y < 1.05)
    # `turn` is 0 in the direction of a notch between two tips of the star, and 1 in the direction of a tip.
    turn = np.abs((np.arctan2(y, x) * 5 / (2 * np.pi)) % 1 - 0.5) * 2
    return np.hypot(x, y) < 0.52 + 0.6 * turn**1.5


def _texture(rng, kind, x, y, period, radius=0.35):
    """Returns the share of the first colour in each pixel, float [height, width] in [0, 1].

    The rest of the pixel has the second colour.

    `period` has the same unit as `x`.
    """
    angle, phase = rng.uniform(0, np.pi), rng.uniform(0, 1, 2)
    u = (np.cos(angle) * x + np.sin(angle) * y) / period + phase[0]
    v = (np.cos(angle) * y - np.sin(angle) * x) / period + phase[1]
    in_u, in_v = u - np.floor(u), v - np.floor(v)  # the place in a period; NumPy's % is 20 times slower
    if kind == "plain":
        return np.full_like(x, rng.uniform(0, 1))
    if kind == "stripes":
        return (in_u < 0.5).astype(float)
    if kind == "checks":
        return ((in_u < 0.5) ^ (in_v < 0.5)).astype(float)
    if kind == "dots":
        return ((in_u - 0.5) ** 2 + (in_v - 0.5) ** 2 < radius**2).astype(float)
    angles, frequencies, phases = (rng.uniform(low, high, 5) for low, high in _BLOTCHES)
    waves = sum(
        np.sin(2 * np.pi * (np.cos(a) * u + np.sin(a) * v) * f + p)
        for a, f, p in zip(angles, frequencies, phases, strict=True)
    )
    return (waves > 0).astype(float)


def _colour(hue: float, saturation: float, brightness: float) -> np.ndarray:
    """Returns RGB in [0, 1]. The hue is a fraction of the full circle: 1 is 360 degrees."""
    channel = np.abs(((hue + np.array([0, 2, 1]) / 3) % 1) * 6 - 3) - 1
    return brightness * (1 - saturation * (1 - np.clip(channel, 0, 1)))


def _two_tones(rng: np.random.Generator, hues: tuple[float, float]) -> list[np.ndarray]:
    """Returns a bright and a dark colour of different hues, in random order."""
    brightnesses = rng.permutation([rng.uniform(0.3, 0.55), rng.uniform(0.65, 1.0)])
    return [_colour(rng.uniform(*hues), rng.uniform(0.3, 0.9), brightness) for brightness in brightnesses]


def draw(rng: np.random.Generator, size: int) -> dict[str, np.ndarray]:
    """Draws one image and returns all its layers.

    Args:
        rng: the only source of randomness.
        size: width and height, pixels.

    Returns:
        dict of uint8 arrays: "background", "foreground" and "image" [size, size, rgb] in [0, 255]; and "mask"
        [size, size], 1 where the object covers at least half of the pixel, else 0.
    """
    grid = (np.arange(size * _SUPERSAMPLING) + 0.5) / (size * _SUPERSAMPLING) * 2 - 1
    x, y = np.meshgrid(grid, grid)  # x and y go from -1 to 1 in the image

    def layer(textures: tuple[str, ...], tones: list[np.ndarray]) -> np.ndarray:
        share = _texture(rng, rng.choice(textures), x, y, rng.uniform(0.5, 1.0))
        slope = rng.uniform(-0.3, 0.3, 2)
        shade = 1 + slope[0] * x + slope[1] * y
        first, second = (tone[:, None, None] for tone in tones)
        return np.clip((share * first + (1 - share) * second) * shade, 0, 1)

    warm, cool = _two_tones(rng, _WARM), _two_tones(rng, _COOL)
    background = layer(TEXTURES[1:], cool)
    for tone in warm:  # the specks are small discs on a slanted grid
        specks = _texture(rng, "dots", x, y, rng.uniform(0.5, 0.7), radius=0.2) > 0
        background[:, specks] = tone[:, None]
    foreground = layer(TEXTURES, warm)
    radius, turn = rng.uniform(0.45, 0.75), rng.uniform(0, 2 * np.pi)
    room = 0.95 - radius
    x, y = x - rng.uniform(-room, room), y - rng.uniform(-room, room)
    u, v = (np.cos(turn) * x + np.sin(turn) * y) / radius, (np.cos(turn) * y - np.sin(turn) * x) / radius
    mask = _inside(rng.choice(SHAPES), u, v)
    image = np.where(mask, foreground, background)

    def shrink(a: np.ndarray) -> np.ndarray:
        return np.mean([a[..., i::_SUPERSAMPLING, j::_SUPERSAMPLING] for i, j in _WITHIN], axis=0)

    layers = {"background": background, "foreground": foreground, "image": image}
    drawn = {name: np.round(shrink(a) * 255).astype(np.uint8).transpose(1, 2, 0) for name, a in layers.items()}
    return drawn | {"mask": (shrink(mask) >= 0.5).astype(np.uint8)}


def load(
    *, train: int, held_out: int, resolution: int, storage_size: int, cache: str | os.PathLike | None = None
) -> Splits:
    """Draws the images, or reads them from the cache. The images are the same every time.

    Args:
        train: number of images to train on, at `storage_size`, without masks.
        held_out: number of images for validation, and the same number for the test. These images have masks. Their
            width is `resolution`.
        resolution: width and height of the images for validation and for the test, pixels.
        storage_size: width and height of the images to train on, pixels, at least `resolution`.
        cache: None, or a folder that keeps the images, see `cache.cached_splits`. If this source file changes, the
            images are drawn again.
    """

    def draw_all(create: Create) -> Splits:
        return Splits(
            train=_draw_split(0, train, storage_size, masks=False, create=create),
            validation=_draw_split(1, held_out, resolution, masks=True),
            test=_draw_split(2, held_out, resolution, masks=True),
        )

    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return cached_splits(draw_all, cache, ["shapes", code, train, held_out, resolution, storage_size])


def _draw_split(split: int, count: int, size: int, *, masks: bool, create: Create = in_memory) -> Photos:
    numbers = progress(range(count), f"drawing {_SPLITS[split]} images", count)
    layers = [draw(np.random.default_rng([split, i]), size) for i in numbers]
    return Photos(
        images=np.stack([layer["image"] for layer in layers], out=create((count, size, size, 3))),
        masks=np.stack([layer["mask"] for layer in layers]) if masks else None,
        names=tuple(f"{split}-{i:06d}" for i in range(count)),
    )
