"""The embedded dataset: one textured object on a detailed background, with its exact mask.

Little is told by colour alone: objects and backgrounds share their textures, their range of brightness and of
saturation and some of their hues, each has two colours of its own, and each background is strewn with specks in its
object's colours. What tells an object apart, over many pictures, is that it is one large closed shape, in front, more
often warm than cool. Picture i of a split is painted from (split, i) alone.
"""

import hashlib
from pathlib import Path

import numpy as np
from absl import logging

from tf_layered_gan.data.cache import cached_splits
from tf_layered_gan.data.photos import Photos, Splits

SHAPES = ("disc", "square", "triangle", "star", "cross")
TEXTURES = ("plain", "stripes", "checks", "dots", "blotches")
_WARM = (-0.2, 0.2)  # hues of objects, in turns: purple to yellow
_COOL = (0.15, 0.85)  # of backgrounds: yellow to purple
_SUPERSAMPLING = 2
_BLOTCHES = ((0, 2 * np.pi), (0.4, 1.0), (0, 2 * np.pi))  # angles, frequencies and phases of the waves


def _inside(shape, x, y):
    """Boolean mask of the points (x, y) inside `shape`, which about fills the disc of radius 1 about the origin."""
    if shape == "disc":
        return np.hypot(x, y) < 0.9
    if shape == "square":
        return np.maximum(np.abs(x), np.abs(y)) < 0.8
    if shape == "cross":
        x, y = np.abs(x), np.abs(y)
        return (np.maximum(x, y) < 1) & (np.minimum(x, y) < 0.38)
    if shape == "triangle":
        return (y < 0.55) & (np.sqrt(3) * np.abs(x) - y < 1.05)
    turn = np.abs((np.arctan2(y, x) * 5 / (2 * np.pi)) % 1 - 0.5) * 2  # 0 at a notch's direction, 1 at a tip's
    return np.hypot(x, y) < 0.52 + 0.6 * turn**1.5


def _texture(rng, kind, x, y, period, radius=0.35):
    """float [height, width] in [0, 1]: where each point lies between two colours; period in the units of x and y."""
    angle, phase = rng.uniform(0, np.pi), rng.uniform(0, 1, 2)
    u = (np.cos(angle) * x + np.sin(angle) * y) / period + phase[0]
    v = (np.cos(angle) * y - np.sin(angle) * x) / period + phase[1]
    if kind == "plain":
        return np.full_like(x, rng.uniform(0, 1))
    if kind == "stripes":
        return (u % 1 < 0.5).astype(float)
    if kind == "checks":
        return ((u % 1 < 0.5) ^ (v % 1 < 0.5)).astype(float)
    if kind == "dots":
        return (np.hypot(u % 1 - 0.5, v % 1 - 0.5) < radius).astype(float)
    angles, frequencies, phases = (rng.uniform(low, high, 5) for low, high in _BLOTCHES)
    waves = sum(
        np.sin(2 * np.pi * (np.cos(a) * u + np.sin(a) * v) * f + p)
        for a, f, p in zip(angles, frequencies, phases, strict=True)
    )
    return (waves > 0).astype(float)


def _colour(hue, saturation, brightness):
    """RGB in [0, 1], from a hue in turns."""
    channel = np.abs(((hue + np.array([0, 2, 1]) / 3) % 1) * 6 - 3) - 1
    return brightness * (1 - saturation * (1 - np.clip(channel, 0, 1)))


def _specks(rng, x, y):
    """bool [height, width]: small discs on a slanted grid."""
    return _texture(rng, "dots", x, y, rng.uniform(0.5, 0.7), radius=0.2) > 0


def _two_tones(rng, hues):
    """A bright and a dark colour, in random order, each of its own hue."""
    brightnesses = rng.permutation([rng.uniform(0.3, 0.55), rng.uniform(0.65, 1.0)])
    return [_colour(rng.uniform(*hues), rng.uniform(0.3, 0.9), brightness) for brightness in brightnesses]


def paint(rng, size):
    """Paints one picture and returns all its layers.

    Args:
        rng: np.random.Generator, the only source of randomness.
        size: side in pixels.

    Returns:
        dict of uint8 arrays: "background", "foreground" and "image" [size, size, rgb]; "mask" [size, size], 1 where
        the object covers at least half of the pixel.
    """
    grid = (np.arange(size * _SUPERSAMPLING) + 0.5) / (size * _SUPERSAMPLING) * 2 - 1
    x, y = np.meshgrid(grid, grid)  # the picture spans [-1, 1] both ways

    def layer(textures, tones):
        share = _texture(rng, rng.choice(textures), x, y, rng.uniform(0.5, 1.0))[..., None]
        slope = rng.uniform(-0.3, 0.3, 2)
        shade = 1 + slope[0] * x + slope[1] * y
        return np.clip((share * tones[0] + (1 - share) * tones[1]) * shade[..., None], 0, 1)

    warm, cool = _two_tones(rng, _WARM), _two_tones(rng, _COOL)
    background = layer(TEXTURES[1:], cool)
    for tone in warm:
        background[_specks(rng, x, y)] = tone
    foreground = layer(TEXTURES, warm)
    radius, turn = rng.uniform(0.45, 0.75), rng.uniform(0, 2 * np.pi)
    room = 0.95 - radius
    x, y = x - rng.uniform(-room, room), y - rng.uniform(-room, room)
    u, v = (np.cos(turn) * x + np.sin(turn) * y) / radius, (np.cos(turn) * y - np.sin(turn) * x) / radius
    mask = _inside(rng.choice(SHAPES), u, v)[..., None].astype(float)
    image = background * (1 - mask) + foreground * mask

    def shrink(a):
        return a.reshape(size, _SUPERSAMPLING, size, _SUPERSAMPLING, -1).mean((1, 3))

    layers = {"background": background, "foreground": foreground, "image": image}
    painted = {name: np.round(shrink(a) * 255).astype(np.uint8) for name, a in layers.items()}
    return painted | {"mask": (shrink(mask)[..., 0] >= 0.5).astype(np.uint8)}


def load(*, train, held_out, resolution, storage_size, cache=None):
    """Paints the dataset, or takes it from the cache; the same pictures every time.

    Args:
        train: number of pictures to train on, at `storage_size`, without masks.
        held_out: number of pictures to tune on, and again to report on, at `resolution`, with masks.
        resolution: side in pixels.
        storage_size: side in pixels, at least `resolution`.
        cache: None, or a folder that keeps what was painted, see `cache.cached_splits`; until this file changes.

    Returns:
        data.photos.Splits.
    """

    def paint_all(create):
        logging.info("painting %d pictures", train + 2 * held_out)
        return Splits(
            train=_paint_split(0, train, storage_size, masks=False, create=create),
            validation=_paint_split(1, held_out, resolution, masks=True),
            test=_paint_split(2, held_out, resolution, masks=True),
        )

    painter = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return cached_splits(paint_all, cache, ["shapes", painter, train, held_out, resolution, storage_size])


def _paint_split(split, count, size, *, masks, create=None):
    pictures = [paint(np.random.default_rng([split, i]), size) for i in range(count)]
    out = create and create((count, size, size, 3))
    return Photos(
        images=np.stack([p["image"] for p in pictures], out=out),
        masks=np.stack([p["mask"] for p in pictures]) if masks else None,
        names=tuple(f"{split}-{i:06d}" for i in range(count)),
    )
